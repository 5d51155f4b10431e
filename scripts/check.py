"""`make test`: every check of the repository, with the time that each one took.

The checks run in two lanes side by side, because the machine that this is meant for has two cores: one lane holds the
static checks and the unit tests, the other the tests that wait for servers and processes. A failed check does not stop
the others, so that one run shows everything there is to mend. Usage: `python -m scripts.check [STEP...]`.
"""

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LANES", "Outcome", "Step", "main", "run_lanes"]

ROOT = Path(__file__).resolve().parent.parent
COVERAGE = ROOT / ".cache" / "coverage"


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the checks."""

    name: str
    command: tuple[str, ...]
    """Arguments for this Python, for example ("-m", "mypy")."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended."""

    step: Step
    code: int
    """Exit code of the command."""
    seconds: float
    output: str


def _tests(name: str, *folders: str) -> Step:
    """Tests under coverage; each process writes data of its own, which are combined at the end."""
    return Step(name, ("-m", "coverage", "run", "-m", "pytest", "-q", "--durations=5", *folders))


FETCH = Step("test model", ("-m", "tests.support.gguf"))
"""The tests need the model, so it is there before they start; a second time this only checks a sum."""

LANES: tuple[tuple[Step, ...], ...] = (
    (
        Step("format", ("-m", "ruff", "format", "--check", ".")),
        Step("lint", ("-m", "ruff", "check", ".")),
        Step("types", ("-m", "mypy")),
        Step(
            "layers", ("-c", "import sys; from importlinter.cli import lint_imports_command as main; sys.exit(main())")
        ),
        Step("generated", ("-m", "lorekeeper_api.generate", "--check")),
        _tests("unit tests", "tests/unit"),
    ),
    (_tests("other tests", "tests/contract", "tests/integration"),),
)
"""What runs side by side; within a lane one after the other."""

REPORT = (
    Step("combine", ("-m", "coverage", "combine", "--quiet")),
    Step("coverage", ("-m", "coverage", "report")),
)
"""After the tests: fails under the share that pyproject.toml names."""


def run_step(step: Step) -> Outcome:
    """Run one command in the root of the repository and keep what it prints."""
    environment = os.environ | {"COVERAGE_FILE": str(COVERAGE / "data"), "PYTHONUNBUFFERED": "1"}
    started = time.monotonic()
    done = subprocess.run(  # noqa: S603 - the commands stand in this file
        [sys.executable, *step.command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Outcome(step, done.returncode, time.monotonic() - started, done.stdout)


def run_lanes(lanes: Sequence[Sequence[Step]]) -> list[Outcome]:
    """Run lanes side by side and print each outcome when it is there: a line when it went well, all of it otherwise."""
    printing = threading.Lock()

    def run_lane(lane: Sequence[Step]) -> list[Outcome]:
        outcomes = []
        for step in lane:
            outcome = run_step(step)
            with printing:
                _print(outcome)
            outcomes.append(outcome)
        return outcomes

    if not lanes:
        return []
    with ThreadPoolExecutor(len(lanes)) as pool:
        return [outcome for outcomes in pool.map(run_lane, lanes) for outcome in outcomes]


def _print(outcome: Outcome) -> None:
    verdict = "ok    " if outcome.code == 0 else "FAILED"
    lines = [line for line in outcome.output.splitlines() if line.strip()]
    last = re.sub(r"^=+ | =+$", "", lines[-1]) if lines else ""
    sys.stdout.write(f"{verdict} {outcome.step.name:12} {outcome.seconds:6.1f} s  {last}\n")
    if outcome.code != 0:
        sys.stdout.write(outcome.output.rstrip() + "\n\n")
    sys.stdout.flush()


def _clear_coverage() -> None:
    COVERAGE.mkdir(parents=True, exist_ok=True)
    for file in COVERAGE.glob("data*"):
        file.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all checks, or the static ones that are named; return the exit code."""
    steps = {step.name: step for lane in LANES for step in lane}
    parser = argparse.ArgumentParser(prog="python -m scripts.check", description="Run the checks of the repository.")
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"one of: {', '.join(steps)}; all of them when absent")
    names: list[str] = parser.parse_args(arguments).steps
    unknown = [name for name in names if name not in steps]
    if unknown:
        parser.error(f"there is no step {unknown[0]!r}; the steps are {', '.join(steps)}")

    started = time.monotonic()
    if names:
        outcomes = run_lanes([[steps[name] for name in names]])
    else:
        _clear_coverage()
        outcomes = run_lanes([[FETCH]])
        outcomes += run_lanes(LANES)
        outcomes += run_lanes([REPORT])
    failed = [outcome.step.name for outcome in outcomes if outcome.code != 0]
    verdict = f"failed: {', '.join(failed)}" if failed else "everything passed"
    sys.stdout.write(f"{verdict}, {time.monotonic() - started:.0f} s\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
