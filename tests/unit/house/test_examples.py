"""The examples are what their index says, and its commands work as they stand."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
INDEX = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
COMMANDS = dict(re.findall(r"^\| \[([a-z-]+)\]\(\1\) \|[^|]*\| `([^`]+)` \|$", INDEX, re.MULTILINE))


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lorekeeper_cli", "check", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_example_has_a_command() -> None:
    assert COMMANDS.keys() == {folder.name for folder in (ROOT / "examples").iterdir() if folder.is_dir()}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_manifest_has_no_mistake_with_the_options_of_its_command(name: str, tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    key.write_text("no-real-key\n", encoding="utf-8")
    program, command, *options = shlex.split(COMMANDS[name].replace("=key.txt", f"={key}"))
    assert (program, command) == (".venv/bin/lorekeeper", "run")
    assert f"examples/{name}" in options
    done = check(*options)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_repository_of_the_git_example_is_replaced_the_way_the_index_says(tmp_path: Path) -> None:
    line = re.search(r'^sed -e "(.*)" -e "(.*)" (\S+) > (\S+)$', INDEX, re.MULTILINE)
    assert line is not None
    script = line[1].replace("/path/to/repository", str(tmp_path / "repository"))
    command = ["sed", "-e", script, "-e", line[2], line[3]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    manifest = tmp_path / "pipeline.yaml"
    manifest.write_text(done.stdout, encoding="utf-8")
    before = (ROOT / line[3]).read_text(encoding="utf-8").splitlines()
    kept = [old.strip() for old in before if "linkPrefix:" not in old]
    after = [new.strip() for new in done.stdout.splitlines()]
    assert [new for old, new in zip(kept, after, strict=True) if old != new] == [f"url: file://{tmp_path}/repository"]
    assert check("-f", str(manifest)).returncode == 0
