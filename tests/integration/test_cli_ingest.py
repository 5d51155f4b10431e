"""`lorekeeper ingest`, `ask` and `search` without a server."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from lorekeeper_cli.exits import Exit
from tests.support.cli import lorekeeper

MANIFEST = """\
apiVersion: lorekeeper.dev/v1alpha1
kind: RAGPipeline
metadata: {name: notes}
spec:
  sources: [{name: notes}]
  embedding: {provider: Embedded, model: all-minilm-l6-v2}
  generation: {provider: Extractive}
---
apiVersion: lorekeeper.dev/v1alpha1
kind: KnowledgeSource
metadata: {name: notes}
spec: {volume: {claimName: docs}}
"""
TEA = "# Tea\n\n## Green\n\nGreen tea is steeped for two minutes at eighty degrees.\n"


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "notes.yaml").write_text(MANIFEST)
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "tea.md").write_text(TEA)
    return folder


def common(docs: Path) -> list[str]:
    return ["-f", "notes.yaml", "--volume", f"docs={docs}"]


def test_ask_works_from_nothing_and_keeps_up_with_the_files(docs: Path) -> None:
    first = lorekeeper("ask", *common(docs), "How long is green tea steeped?", cwd=docs.parent)
    assert first.returncode == Exit.OK, first.stderr
    assert "two minutes" in first.stdout
    assert "[1] Tea" in first.stdout
    assert "1 added" in first.stderr
    assert "\x1b" not in first.stdout + first.stderr

    (docs / "tea.md").write_text(TEA.replace("two minutes", "nine minutes"))
    second = lorekeeper("ask", "--json", *common(docs), "How long is green tea steeped?", cwd=docs.parent)
    reply = json.loads(second.stdout)
    assert reply["answered"] is True
    assert "nine minutes" in reply["answer"]
    assert reply["citations"][0]["document"] == "tea.md"


def test_what_the_sources_do_not_say_is_said(docs: Path) -> None:
    question = "Who won the football world cup in 1954?"

    plain = lorekeeper("ask", *common(docs), question, cwd=docs.parent)
    assert plain.returncode == Exit.OK
    assert "Not in the sources" in plain.stdout
    machine = lorekeeper("ask", "--json", *common(docs), question, cwd=docs.parent)
    assert machine.returncode == Exit.OK
    assert json.loads(machine.stdout)["answered"] is False


def test_search_shows_passages_with_scores(docs: Path) -> None:
    done = lorekeeper("search", "--json", *common(docs), "green tea", cwd=docs.parent)

    (passage,) = json.loads(done.stdout)["passages"]
    assert passage["document"] == "tea.md"
    assert "steeped" in passage["text"]


def test_a_question_that_is_none_is_refused(docs: Path) -> None:
    done = lorekeeper("ask", *common(docs), "  ", cwd=docs.parent)

    assert done.returncode == Exit.MISTAKES
    assert "question" in done.stderr


def test_ingest_sums_up_and_a_second_one_does_nothing(docs: Path) -> None:
    (docs / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    (docs / "empty.md").write_text("")
    (docs / "binary.md").write_bytes(bytes(range(256)) * 10)

    first = lorekeeper("ingest", *common(docs), cwd=docs.parent)
    assert first.returncode == Exit.FAILED_DOCUMENTS, first.stderr
    summary, *failures = first.stdout.splitlines()
    assert summary.startswith("notes: 1 added, 0 updated, 0 deleted, 0 unchanged, 2 failed, 1 skipped (")
    assert [line.split(": ")[:2] for line in failures] == [
        ["  failed", "notes/binary.md"],
        ["  failed", "notes/broken.pdf"],
        ["  skipped", "notes/empty.md"],
    ]

    second = lorekeeper("ingest", "--json", *common(docs), cwd=docs.parent)
    (report,) = json.loads(second.stdout)["pipelines"]
    (run,) = report["sources"]
    assert run["unchanged"] == 1
    assert [record["document"] for record in report["skipped"]] == ["empty.md"]
    assert report["skipped"][0]["message"]

    asked = lorekeeper("ask", *common(docs), "How long is green tea steeped?", cwd=docs.parent)
    assert asked.stderr == "2 documents failed; lorekeeper ingest names them\n"
    assert [run[name] for name in ("added", "updated", "deleted", "chunks_embedded", "chunks_written")] == [0] * 5


def test_a_held_deletion_waits_for_its_confirmation(docs: Path) -> None:
    for number in range(20):
        (docs / f"{number}.md").write_text(f"Number {number} is a number.")
    assert lorekeeper("ingest", *common(docs), cwd=docs.parent).returncode == Exit.OK
    for number in range(20):
        (docs / f"{number}.md").unlink()

    held = lorekeeper("ingest", *common(docs), cwd=docs.parent)
    assert held.returncode == Exit.FAILED_DOCUMENTS
    assert "DeletionHeld" in held.stdout
    assert "--confirm-deletion notes" in held.stdout
    typo = lorekeeper("ingest", *common(docs), "--confirm-deletion", "nots", cwd=docs.parent)
    assert typo.returncode == Exit.MISTAKES
    assert "--confirm-deletion nots: there is no such source; known are notes." in typo.stderr
    confirmed = lorekeeper("ingest", *common(docs), "--confirm-deletion", "notes", cwd=docs.parent)
    assert confirmed.returncode == Exit.OK, confirmed.stderr
    assert "20 deleted" in confirmed.stdout


def test_a_source_that_is_away_is_an_outcome(tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text(
        MANIFEST.replace("volume: {claimName: docs}", f"git: {{url: 'file://{tmp_path}/nowhere'}}")
    )

    done = lorekeeper("ingest", "-f", "notes.yaml", cwd=tmp_path)

    assert done.returncode == Exit.UNAVAILABLE, done.stderr
    assert done.stdout.startswith("notes: Failed: ")


def test_secrets_never_lie_in_the_home(docs: Path) -> None:
    manifest = docs.parent / "notes.yaml"
    manifest.write_text(
        MANIFEST.replace("all-minilm-l6-v2}", "all-minilm-l6-v2}")
        + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {api-key: hunter2-hunter2}\n"
    )

    assert lorekeeper("ingest", *common(docs), cwd=docs.parent).returncode == Exit.OK

    home = docs.parent / ".lorekeeper"
    assert home.is_dir()
    for path in home.rglob("*"):
        assert not path.is_file() or b"hunter2-hunter2" not in path.read_bytes()


def test_a_pipeline_without_generation_is_searched(docs: Path) -> None:
    manifest = docs.parent / "notes.yaml"
    manifest.write_text(MANIFEST.replace("  generation: {provider: Extractive}\n", ""))

    done = lorekeeper("ask", *common(docs), "How long is green tea steeped?", cwd=docs.parent)

    assert done.returncode == Exit.MISTAKES
    assert done.stderr.endswith("Error: The pipeline has no generation and writes no answers: use lorekeeper search.\n")


def test_a_terminal_gets_a_bar(docs: Path) -> None:
    read, write = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lorekeeper_cli", "ingest", *common(docs)],
        cwd=docs.parent,
        env=os.environ | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=write,
    )
    os.close(write)
    seen = bytearray()
    while True:
        try:
            part = os.read(read, 4096)
        except OSError:  # Linux's way to say that nobody writes any more
            break
        if not part:
            break
        seen += part
    assert process.wait(timeout=60) == Exit.OK
    assert process.stdout is not None
    assert b"1 added" in process.stdout.read()
    process.stdout.close()
    os.close(read)

    assert b"notes" in seen
    assert b"\x1b[" in seen


def test_an_empty_folder_says_what_would_be_taken(docs: Path) -> None:
    (docs / "tea.md").rename(docs / "tea.xyz")

    done = lorekeeper("ingest", *common(docs), cwd=docs.parent)

    assert done.returncode == Exit.OK, done.stderr
    assert "notes: no file matched; without include, the endings read are" in done.stdout


@pytest.mark.parametrize("command", [["ingest"], ["ask", "q"], ["search", "q"]])
def test_an_error_is_json_too(docs: Path, command: list[str]) -> None:
    done = lorekeeper(*command, "--json", "-f", "missing.yaml", cwd=docs.parent)

    assert done.returncode == Exit.MISTAKES
    assert json.loads(done.stdout)["error"]["code"] == "CommandFailed"


def test_a_claim_that_nobody_names_is_told(docs: Path) -> None:
    done = lorekeeper("check", *common(docs), "--volume", f"dcos={docs}", cwd=docs.parent)

    assert "--volume dcos: no source of the manifests names this claim; they name docs\n" in done.stderr
