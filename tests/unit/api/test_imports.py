import ast
import sys
from pathlib import Path

import pytest

from tests.unit.api.given import ROOT

PACKAGE = ROOT / "crds" / "lorekeeper_api"
ALLOWED = {*sys.stdlib_module_names, "pydantic", "pydantic_core", "lorekeeper_api"}


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_needs_nothing_but_the_standard_library_and_pydantic(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            imported.add(str(node.module).split(".")[0])
    assert imported <= ALLOWED
