"""Where files stand and what they are called."""

import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import lorekeeper_api

ROOT = Path(__file__).resolve().parents[3]
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(ROOT).parts):
                yield path


@pytest.mark.parametrize("folder", ["operator", "crds", "runtime"])
def test_the_folders_of_packages_are_no_packages(folder: str) -> None:
    # operator/__init__.py would shadow the standard library's module for everything that has the root on its path.
    assert not (ROOT / folder / "__init__.py").exists()


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [
        path.relative_to(ROOT)
        for path in modules("crds", "runtime", "operator", "tests", "bench", "scripts")
        if FORBIDDEN_NAMES & {path.stem, *path.relative_to(ROOT).parts[:-1]}
    ]
    assert named == []


def test_every_module_of_the_product_says_what_it_is_and_what_it_offers() -> None:
    lacking = []
    for path in modules("crds", "runtime"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        defines = any(
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
            for node in tree.body
        )
        if not ast.get_docstring(tree) or (defines and "__all__" not in names):
            lacking.append(str(path.relative_to(ROOT)))
    assert lacking == []


def test_the_api_imports_the_standard_library_and_pydantic_and_nothing_else() -> None:
    allowed = sys.stdlib_module_names | {"pydantic", "pydantic_core", "lorekeeper_api"}
    foreign = []
    for path in modules("crds"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=names):
                    imported = [alias.name for alias in names]
                case ast.ImportFrom(module=module, level=0):
                    imported = [str(module)]
                case _:
                    continue
            foreign += [f"{path.name}: {name}" for name in imported if name.split(".")[0] not in allowed]
    assert foreign == []


def test_the_version_is_the_same_wherever_it_stands() -> None:
    version = PROJECT["project"]["version"]
    assert lorekeeper_api.__version__ == version
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changelog, re.MULTILINE)[0] == version


def test_the_pre_commit_configuration_can_be_read() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert {"ruff-format", "ruff-check", "layers", "house"} <= {hook["id"] for hook in hooks}
    assert all({"id", "name", "entry", "language"} <= hook.keys() for hook in hooks)


@pytest.mark.parametrize("script", [".ci/run", "scripts/make_venv.sh"])
def test_scripts_can_be_run(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert path.read_text(encoding="utf-8").startswith("#!")


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
