"""Every manifest of `examples/` runs by `lorekeeper run`, as its README says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from lorekeeper_cli.manifests import load_manifests
from tests.support.cli import run_server

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", NAMES)
def test_the_example_runs(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    arguments: list[str] = []
    if name == "git-docs":
        _put_a_repository_in_its_place(folder, tmp_path / "repository")
    if (folder / "docs").is_dir():
        arguments = ["--volume", f"docs={folder / 'docs'}"]

    with run_server("--embedded", "-f", folder, *arguments, cwd=tmp_path) as server:
        pipelines = load_manifests([str(folder)]).of_kind("RAGPipeline")
        assert pipelines
        for pipeline in pipelines:
            route = "/v1/query" if "generation" in pipeline.body["spec"] else "/v1/retrieve"
            status, reply = server.post(route, {"question": "What is this about?", "pipeline": pipeline.name})
            assert status == 200, reply
        assert " 0 failed," in server.said
        assert "not served yet" not in server.said


def _put_a_repository_in_its_place(folder: Path, repository: Path) -> None:
    """Do what the README of the examples says for a machine without network."""
    (repository / "docs").mkdir(parents=True)
    (repository / "docs" / "index.rst").write_text("Kopf\n====\n\nKopf is a framework for operators in Python.\n")
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "."],
        ["-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message=docs"],
    ):
        subprocess.run(["git", *command], check=True, cwd=repository, timeout=30)
    manifest = folder / "pipeline.yaml"
    text = manifest.read_text()
    changed = [f"    url: file://{repository}" if "url: https://" in line else line for line in text.splitlines()]
    manifest.write_text("\n".join(changed))
