"""Run the benchmark: `python -m bench [--quick] [--only PART] [--no-peers] [--gate]`."""

import argparse
import sys
from dataclasses import asdict
from typing import Any

from bench import report
from bench.corpus import load_corpus
from bench.figures import Goal
from bench.ingest import measure_html, measure_ingest
from bench.paths import RESULTS
from bench.processes import install_peers, open_stubs
from bench.reingest import measure_reingest, reingest_goals
from bench.startup import measure_startup

PARTS = ("ingest", "reingest", "startup")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Lorekeeper beside its peers.")
    parser.add_argument("--quick", action="store_true", help="2 rounds over 150 files: an impression in a minute")
    parser.add_argument("--rounds", type=int, help="rounds (5, or 2 with --quick)")
    parser.add_argument("--files", type=int, help="files of the corpus (600, or 150 with --quick)")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part alone (repeatable)")
    parser.add_argument("--no-peers", action="store_true", help="measure Lorekeeper alone")
    parser.add_argument("--gate", action="store_true", help="exit with 1 when a goal is missed")
    options = parser.parse_args()
    try:
        goals = _measure(options)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    missed = [goal for goal in goals if not goal.met]
    return 1 if options.gate and missed else 0


def _measure(options: argparse.Namespace) -> list[Goal]:
    parts = options.only or PARTS
    rounds = options.rounds or (2 if options.quick else 5)
    files = options.files or (150 if options.quick else 600)
    peers = not options.no_peers
    corpus = load_corpus("text", files)
    if peers and "ingest" in parts:
        install_peers()
    header = report.make_header(corpus, rounds=rounds, quick=options.quick)
    results: dict[str, Any] = {"header": header}
    texts = ["# Benchmark", report.render_header(header)]
    goals: list[Goal] = []
    with open_stubs() as stubs:
        if "ingest" in parts:
            ingest = measure_ingest(corpus, stubs, rounds=rounds, peers=peers)
            pages = measure_html(load_corpus("html", files // 4), stubs, rounds=rounds)
            results["ingest"] = ingest.rounds
            results["html"] = pages.rounds
            texts.append(report.render_ingest(ingest, "Ingestion with stubs that answer at once"))
            texts.append(report.render_ingest(pages, "Web pages, Lorekeeper alone"))
            goals += ingest.goals()
        if "reingest" in parts:
            passes = measure_reingest(corpus, stubs)
            results["reingest"] = [asdict(one) for one in passes]
            texts.append(report.render_reingest(passes))
            goals += reingest_goals(passes)
        if "startup" in parts:
            startup = measure_startup(corpus, stubs, repeats=3 if options.quick else 10)
            results["startup"] = asdict(startup)
            texts.append(report.render_startup(startup))
            goals += startup.goals()
    results["goals"] = [{**asdict(goal), "met": goal.met} for goal in goals]
    texts.append(report.render_goals(goals))
    text = "\n\n".join(texts)
    print(text)
    print(f"\nwritten to {report.save(RESULTS, results, text)}", file=sys.stderr)
    return goals


if __name__ == "__main__":
    sys.exit(main())
