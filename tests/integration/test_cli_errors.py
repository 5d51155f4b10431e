"""Bad input: one clear line each, the right exit code, no traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lorekeeper_cli.exits import Exit
from tests.support.cli import lorekeeper

PIPELINE = """\
apiVersion: lorekeeper.dev/v1alpha1
kind: RAGPipeline
metadata: {name: notes}
spec:
  sources: [{name: notes}]
  embedding: {provider: Ollama, model: nomic-embed-text}
  generation: {provider: Extractive}
---
apiVersion: lorekeeper.dev/v1alpha1
kind: KnowledgeSource
metadata: {name: notes}
spec:
  inline:
    documents:
      - {path: tea.md, text: "# Tea\\n\\nGreen tea is steeped for two minutes at eighty degrees."}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "notes.yaml"
    path.write_text(PIPELINE)
    return path


def test_three_mistakes_are_three_lines(tmp_path: Path, manifest: Path) -> None:
    manifest.write_text(
        PIPELINE.replace("[{name: notes}]", "[{name: other}]")
        .replace("provider: Extractive", "provider: Extractive, temprature: 1")
        .replace("path: tea.md", "path: /tea.md")
    )

    done = lorekeeper("run", "-f", manifest, cwd=tmp_path)

    assert done.returncode == Exit.MISTAKES
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [
        f"{manifest}:5",
        f"{manifest}:7",
        f"{manifest}:15",
        "Error",
    ]
    assert not (tmp_path / ".lorekeeper").exists()


@pytest.mark.parametrize("command", [("run",), ("ingest",), ("ask", "q"), ("search", "q")])
def test_a_provider_that_is_away_names_the_way_out(tmp_path: Path, manifest: Path, command: tuple[str, ...]) -> None:
    extra = ("--port", "0") if command == ("run",) else ()

    done = lorekeeper(*command, "-f", manifest, *extra, cwd=tmp_path)

    assert done.returncode == Exit.UNAVAILABLE, done.stderr
    assert "--embedded" in done.stderr
    assert "127.0.0.1:1" in done.stderr
    assert not done.stdout


def test_an_external_store_that_is_away_names_the_way_out(tmp_path: Path, manifest: Path) -> None:
    manifest.write_text(
        PIPELINE.replace(
            "provider: Ollama, model: nomic-embed-text", "provider: Embedded, model: all-minilm-l6-v2"
        ).replace("  generation:", "  store: {external: {url: 'http://127.0.0.1:1'}}\n  generation:")
    )

    done = lorekeeper("ingest", "-f", manifest, cwd=tmp_path)

    assert done.returncode == Exit.UNAVAILABLE, done.stderr
    assert "--embedded" in done.stderr


def test_a_port_in_use_is_found_before_any_work(tmp_path: Path, manifest: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        done = lorekeeper("run", "--embedded", "-f", manifest, "--port", str(port), cwd=tmp_path)

    assert done.returncode == Exit.MISTAKES
    assert done.stderr == (
        f"Error: Port {port} of 127.0.0.1 is in use: choose another with --port, or --port 0 for any free one.\n"
    )
    assert not (tmp_path / ".lorekeeper").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "-f", "none.yaml"], "none.yaml: does not exist; give -f a file or a folder of manifests"),
        (["run", "-f", "."], "holds no .yaml"),
        (["run", "-f", "notes.yaml", "--host", "203.0.113.1"], "--host 203.0.113.1 is no address of this machine"),
        (["run", "-f", "notes.yaml", "--volume", "docs=nope"], "--volume docs: nope does not exist"),
        (["run", "-f", "notes.yaml", "--secret", "x"], "NAME=FILE, NAME=FOLDER or NAME/KEY=FILE"),
        (["ask", "-f", "notes.yaml", "--embedded", "--pipeline", "x", "q"], "hold no pipeline x; they hold: notes"),
        (["ingest", "-f", "notes.yaml", "--embedded", "--home", "notes.yaml/x"], "a part of the path is a file"),
        (["ask", "q"], "No server holds .lorekeeper"),
        (["ask", "--home", "notes.yaml", "q"], "notes.yaml: a file is where a folder is needed"),
        (["run", "-f", "notes.yaml", "--embedded", "--home", "notes.yaml"], "a file is where a folder is needed"),
    ],
)
def test_one_line_says_what_to_do(
    tmp_path: Path, manifest: Path, arguments: list[str], message: str, request: pytest.FixtureRequest
) -> None:
    if "." in arguments:
        manifest.rename(tmp_path / "notes.txt")

    done = lorekeeper(*arguments, cwd=tmp_path)

    assert done.returncode == Exit.MISTAKES, done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) <= 3


def test_a_bad_ollama_host_is_named(tmp_path: Path, manifest: Path) -> None:
    done = lorekeeper("ingest", "-f", manifest, cwd=tmp_path, env={"OLLAMA_HOST": "ftp://x"})

    assert done.returncode == Exit.MISTAKES
    assert "OLLAMA_HOST" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system can only be mounted by root")
def test_a_full_disk_is_one_line(tmp_path: Path, manifest: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    # A file system of 64 kB of its own, seen by this command alone.
    command = f"{sys.executable} -m lorekeeper_cli ingest --embedded -f {manifest} --home {home}"
    script = f"mount -t tmpfs -o size=64k none {home} && exec {command}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], check=False, capture_output=True, text=True, timeout=90
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this machine allows no mounts")

    assert done.returncode in {Exit.MISTAKES, Exit.UNAVAILABLE}, done.stderr
    assert "Traceback" not in done.stderr
    assert "disk" in done.stderr or "room" in done.stderr or "full" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_one_line(tmp_path: Path, manifest: Path) -> None:
    manifest.chmod(0)

    done = lorekeeper("check", "-f", manifest, cwd=tmp_path)

    assert done.returncode == Exit.MISTAKES
    assert "permission denied" in done.stdout
