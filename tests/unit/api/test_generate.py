from pathlib import Path

import pytest
import yaml

from lorekeeper_api.crd import build_crd
from lorekeeper_api.generate import generate_files, main
from lorekeeper_api.names import KINDS
from tests.unit.api.given import ROOT


@pytest.mark.parametrize("name", generate_files())
def test_committed_files_are_current(name: str) -> None:
    assert (ROOT / name).read_text() == generate_files()[name], f"{name} is stale: run `make generate`"


def test_files_hold_the_definitions() -> None:
    files = generate_files()
    for kind, names in KINDS.items():
        assert yaml.safe_load(files[f"crds/lorekeeper.dev_{names.plural}.yaml"]) == build_crd(kind)


def test_writes_what_is_stale_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", str(tmp_path)]) == 1
    assert "docs/api/reasons.md" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    (tmp_path / "docs" / "api" / "reasons.md").write_text("old")
    assert main(["--check", str(tmp_path)]) == 1
