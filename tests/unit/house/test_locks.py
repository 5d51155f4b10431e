"""The lock files: every dependency by hash, for every registry."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-bootstrap.lock"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def entries(lock: str) -> dict[str, tuple[str, str]]:
    """Name -> (version, the rest of the entry)."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    parts = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    found: dict[str, tuple[str, str]] = {}
    for part in parts:
        if entry := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", part):
            found[entry[1]] = (entry[2], part)
    return found


def names(requirements: list[str]) -> set[str]:
    found = {re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0].lower() for requirement in requirements}
    return found - {"lorekeeper"}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_pinned_by_version_and_hash(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert lines
    assert [line for line in lines if not re.match(r"[a-z0-9._-]+==\S+", line)] == []
    unhashed = [
        name for name, (_, entry) in entries(lock).items() if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)
    ]
    assert unhashed == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_a_registry_or_a_machine(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"://|--(?:extra-)?index-url|--find-links|--trusted-host|file:| @ |(?<= )/\w+", text) == []


def test_the_runtime_lock_holds_every_dependency_of_every_extra() -> None:
    project = PROJECT["project"]
    declared = names(project["dependencies"])
    for requirements in project["optional-dependencies"].values():
        declared |= names(requirements)
    assert sorted(declared - entries("requirements.lock").keys()) == []


def test_the_development_lock_holds_the_tools_and_the_same_versions() -> None:
    runtime, development = entries("requirements.lock"), entries("requirements-dev.lock")
    assert sorted(names(PROJECT["dependency-groups"]["dev"]) - development.keys()) == []
    different = [name for name, (version, _) in runtime.items() if development.get(name, ("", ""))[0] != version]
    assert different == []


def test_the_bootstrap_lock_holds_the_build_back_end_of_the_project() -> None:
    locked = {f"{name}=={version}" for name, (version, _) in entries("requirements-bootstrap.lock").items()}
    assert set(PROJECT["build-system"]["requires"]) <= locked
    assert any(requirement.startswith("uv==") for requirement in locked)


def test_every_dependency_has_a_line_with_its_licence() -> None:
    page = (ROOT / "docs" / "adr" / "0012-dependencies-and-licences.md").read_text(encoding="utf-8")
    shipped, development = page.split("Development only", maxsplit=1)
    project = PROJECT["project"]

    def rows(text: str) -> set[str]:
        return {name for name in re.findall(r"^\| ([a-z0-9][a-z0-9-]*) \|", text, re.MULTILINE) if name != "package"}

    declared = names(project["dependencies"])
    for requirements in project["optional-dependencies"].values():
        declared |= names(requirements)
    assert rows(shipped) == declared
    assert rows(development) == names(PROJECT["dependency-groups"]["dev"])
