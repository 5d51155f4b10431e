"""`lorekeeper run`: it ingests, serves, answers other commands, follows changes, and stops within seconds."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lorekeeper_cli.exits import Exit
from tests.support.cli import RunningServer, lorekeeper, run_server, start

PIPELINE = """\
apiVersion: lorekeeper.dev/v1alpha1
kind: RAGPipeline
metadata: {name: NAME}
spec:
  sources: [{name: NAME}]
  embedding: {provider: Ollama, model: nomic-embed-text}
  generation: {provider: Ollama, model: "gemma3:1b"}
  serving: {replicas: 2}
"""
FOLDER = """\
---
apiVersion: lorekeeper.dev/v1alpha1
kind: KnowledgeSource
metadata: {name: NAME}
spec: {volume: {claimName: docs}}
"""
TEA = "# Tea\n\nGreen tea is steeped for two minutes at eighty degrees.\n"
QUESTION = "How long is green tea steeped?"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "tea.md").write_text(TEA)
    path = tmp_path / "notes.yaml"
    path.write_text((PIPELINE + FOLDER).replace("NAME", "notes"))
    return path


def arguments(manifest: Path) -> list[str | Path]:
    return ["--embedded", "-f", manifest, "--volume", f"docs={manifest.parent / 'docs'}"]


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def git(folder: Path, *command: str) -> None:
    subprocess.run(["git", *command], check=True, cwd=folder, timeout=30)


def commit(repository: Path) -> None:
    git(repository, "add", ".")
    git(repository, "-c", "user.name=test", "-c", "user.email=t@example.com", "commit", "--quiet", "--message=x")


def answers(server: RunningServer, question: str, word: str, pipeline: str = "notes") -> bool:
    status, reply = server.post("/v1/query", {"question": question, "pipeline": pipeline})
    return status == 200 and reply["answered"] and word in reply["answer"]


def test_a_server_from_start_to_end(tmp_path: Path, manifest: Path) -> None:
    with run_server(*arguments(manifest), cwd=tmp_path) as server:
        # what it says
        assert (
            "notes: --embedded replaces embedding Ollama nomic-embed-text -> Embedded all-minilm-l6-v2" in server.said
        )
        assert "notes: --embedded replaces generation Ollama gemma3:1b -> Extractive" in server.said
        assert server.said.count("Used on a cluster only: RAGPipeline/notes: spec.serving.replicas") == 1
        assert "notes: 1 added, 0 updated, 0 deleted, 0 unchanged, 0 failed, 0 skipped" in server.said
        curl = server.wait_for(r"curl .*").group()

        # it answers over HTTP, also the line to paste
        assert answers(server, QUESTION, "two minutes")
        assert server.get("/readyz")[0] == 200
        pasted = subprocess.run(curl, check=True, shell=True, capture_output=True, text=True, timeout=30)
        assert "answer" in json.loads(pasted.stdout)

        # other commands ask it, without and with manifests
        asked = lorekeeper("ask", QUESTION, cwd=tmp_path)
        assert asked.returncode == Exit.OK, asked.stderr
        assert "two minutes" in asked.stdout
        assert "[1] Tea" in asked.stdout
        assert "notes/tea.md" in asked.stdout
        with_files = lorekeeper("ask", "--json", *arguments(manifest), QUESTION, cwd=tmp_path)
        assert json.loads(with_files.stdout)["answered"] is True
        found = lorekeeper("search", "--top-k", "1", "green tea", cwd=tmp_path)
        assert "score" in found.stdout
        assert "steeped" in found.stdout

        # it syncs when it is asked to, and only by whoever reads the token
        (tmp_path / "docs" / "coffee.md").write_text("# Coffee\n\nCoffee is ground right before it is brewed.\n")
        synced = lorekeeper("ingest", "--json", *arguments(manifest), cwd=tmp_path)
        assert synced.returncode == Exit.OK, synced.stderr
        (report,) = json.loads(synced.stdout)["pipelines"]
        assert (report["sources"][0]["added"], report["sources"][0]["unchanged"]) == (1, 1)
        assert answers(server, "When is coffee ground?", "right before")
        assert server.post("/local/v1/sync", {})[0] == 403

        assert lorekeeper("ingest", cwd=tmp_path).returncode == Exit.OK
        typo = lorekeeper("ingest", "--confirm-deletion", "nots", cwd=tmp_path)
        assert typo.returncode == Exit.MISTAKES
        assert "known are notes" in typo.stderr

        # a second server is refused, and the first one goes on unharmed
        port = server.url.rpartition(":")[2]
        second = lorekeeper("run", "--port", port, *arguments(manifest), cwd=tmp_path)
        assert second.returncode == Exit.MISTAKES
        assert f"A server already runs on .lorekeeper, at {server.url}" in second.stderr
        assert answers(server, QUESTION, "two minutes")

        began = time.monotonic()
        assert server.stop(signal.SIGINT) == Exit.INTERRUPTED
        assert time.monotonic() - began < 8
    assert not (tmp_path / ".lorekeeper" / "server-token").exists()


def test_sigterm_ends_a_server_well_and_what_it_knew_stays(tmp_path: Path, manifest: Path) -> None:
    with run_server(*arguments(manifest), cwd=tmp_path) as server:
        assert server.stop(signal.SIGTERM) == Exit.OK
    with run_server(*arguments(manifest), cwd=tmp_path) as server:
        assert "notes: 0 added, 0 updated, 0 deleted, 1 unchanged" in server.said
        assert answers(server, QUESTION, "two minutes")


def test_several_pipelines_are_served(tmp_path: Path, manifest: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(
        PIPELINE.replace("NAME", "other")
        + "---\napiVersion: lorekeeper.dev/v1alpha1\nkind: KnowledgeSource\nmetadata: {name: other}\nspec:\n"
        "  inline: {documents: [{path: moon.md, text: 'The moon is made of rock and dust.'}]}\n"
    )
    with run_server(*arguments(manifest), "-f", other, cwd=tmp_path) as server:
        assert answers(server, QUESTION, "two minutes", "notes")
        assert answers(server, "What is the moon made of?", "rock", "other")

        unclear = lorekeeper("ask", QUESTION, cwd=tmp_path)
        assert unclear.returncode == Exit.MISTAKES
        assert "serves the pipelines notes, other: name one with --pipeline" in unclear.stderr
        clear = lorekeeper("ask", "--pipeline", "other", "What is the moon made of?", cwd=tmp_path)
        assert "rock" in clear.stdout


def test_watch_follows_folders_repositories_and_config_maps(tmp_path: Path, manifest: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet", "--initial-branch=main")
    (repository / "sun.md").write_text("The sun is a star.")
    commit(repository)
    text = manifest.read_text().replace("[{name: notes}]", "[{name: notes}, {name: faq}, {name: git}]") + (
        "---\napiVersion: lorekeeper.dev/v1alpha1\nkind: KnowledgeSource\nmetadata: {name: git}\n"
        f"spec: {{git: {{url: 'file://{repository}'}}}}\n"
        "---\napiVersion: lorekeeper.dev/v1alpha1\nkind: KnowledgeSource\nmetadata: {name: faq}\n"
        "spec: {configMap: {name: faq}}\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: faq}\n"
        "data: {moon.md: 'The moon is made of WHAT.'}\n"
    )
    manifest.write_text(text.replace("WHAT", "cheese"))
    with run_server("--watch", *arguments(manifest), cwd=tmp_path) as server:
        server.wait_for("Watching ")
        assert answers(server, "What is the moon made of?", "cheese")

        def write_coffee() -> bool:
            (tmp_path / "docs" / "coffee.md").write_text(f"Coffee is ground right before brewing. {time.monotonic()}\n")
            return answers(server, "When is coffee ground?", "right before")

        def write_moon() -> bool:
            manifest.write_text(f"{text.replace('WHAT', 'rock')}# {time.monotonic()}\n")
            return answers(server, "What is the moon made of?", "rock")

        def write_mars() -> bool:
            (repository / "mars.md").write_text(f"Mars is red because of its iron. {time.monotonic()}")
            commit(repository)
            return answers(server, "Why is Mars red?", "iron")

        until(write_mars, "the new commit")
        until(write_coffee, "the new file of the folder")
        until(write_moon, "the changed ConfigMap")
        manifest.write_text("kind: [")
        server.wait_for("now hold mistakes; what was served stays")
        assert answers(server, "What is the moon made of?", "rock")


def test_a_failed_document_does_not_stop_the_rest(tmp_path: Path, manifest: Path) -> None:
    (tmp_path / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    with run_server(*arguments(manifest), cwd=tmp_path) as server:
        assert "1 added, 0 updated, 0 deleted, 0 unchanged, 1 failed" in server.said
        server.wait_for(r"failed: notes/broken\.pdf: ")
        assert answers(server, QUESTION, "two minutes")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_an_ingestion_and_the_next_one_goes_on(
    tmp_path: Path, manifest: Path, number: signal.Signals
) -> None:
    for place in range(3000):
        (tmp_path / "docs" / f"{place}.md").write_text(f"# Document {place}\n\nNumber {place} of many small texts.\n")
    with start("run", "--port", "0", *arguments(manifest), cwd=tmp_path) as server:
        server.wait_for(r"notes: \d+ of \d+ documents")
        early = lorekeeper("ask", "q", cwd=tmp_path)
        assert early.returncode == Exit.UNAVAILABLE
        assert "does not serve yet" in early.stderr

        began = time.monotonic()
        assert server.stop(number) == Exit.INTERRUPTED
        assert time.monotonic() - began < 10
    assert "Interrupted" in server.said
    # It goes on: what was done before the signal is not done again.
    with start("ingest", *arguments(manifest), cwd=tmp_path) as again:
        left = int(again.wait_for(r"notes: \d+ of (\d+) documents")[1])
    assert left < 3001


def test_the_schedule_is_followed(tmp_path: Path, manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace("spec: {volume", 'spec: {schedule: "0 0 30 2 *", volume'))
    done = lorekeeper("run", "--port", "0", *arguments(manifest), cwd=tmp_path)

    assert done.returncode == Exit.MISTAKES
    assert "schedule" in done.stderr


def test_other_manifests_are_refused(tmp_path: Path, manifest: Path) -> None:
    others = tmp_path / "others"
    others.mkdir()
    renamed = tmp_path / "renamed.yaml"
    renamed.write_text((PIPELINE + FOLDER).replace("NAME", "other"))
    changed = tmp_path / "changed.yaml"
    changed.write_text(manifest.read_text().replace("claimName: docs", "claimName: docs, path: sub"))
    volume = f"docs={tmp_path / 'docs'}"
    with run_server(*arguments(manifest), cwd=tmp_path) as server:
        for given, folder in ((renamed, volume), (changed, volume), (manifest, f"docs={others}")):
            options: list[str | Path] = ["--embedded", "-f", given, "--volume", folder]
            for command in (["ingest"], ["ask", QUESTION], ["search", QUESTION]):
                done = lorekeeper(*command, *options, cwd=tmp_path)
                assert done.returncode == Exit.MISTAKES, done.stdout
                assert f"The server at {server.url} serves other manifests (pipelines: notes)" in done.stderr
                assert not done.stdout
        assert answers(server, QUESTION, "two minutes")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_no_secret_outlives_a_server_for_long(tmp_path: Path, manifest: Path, number: signal.Signals) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    env = {"TMPDIR": str(temporary)}
    with run_server(*arguments(manifest), cwd=tmp_path, env=env) as server:
        assert list(temporary.glob("lorekeeper-*"))
        server.stop(number)
    if number is signal.SIGKILL:
        assert list(temporary.glob("lorekeeper-*"))
        assert lorekeeper("ingest", *arguments(manifest), cwd=tmp_path, env=env).returncode == Exit.OK
    assert not list(temporary.glob("lorekeeper-*"))
