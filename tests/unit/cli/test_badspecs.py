"""The forty mistakes that people make, as `lorekeeper check` shows them."""

from pathlib import Path

import pytest
import yaml

from lorekeeper_cli.check import find_mistakes
from lorekeeper_cli.given import Given
from lorekeeper_cli.manifests import load_manifests

FOLDER = Path(__file__).parents[2] / "badspecs"
TABLE = {entry["file"]: entry["check"] for entry in yaml.safe_load((FOLDER / "table.yaml").read_text())}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_each_mistake_has_its_line(name: str) -> None:
    path = FOLDER / name
    found = find_mistakes(load_manifests([str(path)]), Given(), embedded=False)

    lines = path.read_text().splitlines()
    by_text = {f"{mistake.path}: {mistake.message}": mistake for mistake in found}
    for expected in TABLE[name]:
        assert expected in by_text
        mistake = by_text[expected]
        assert mistake.text() == f"{path}:{mistake.line}: {expected}"
        # The line holds the field, or the nearest field around one that is missing.
        steps = [step.partition("[")[0] for step in mistake.path.split(".")]
        assert any(step in lines[mistake.line - 1] for step in steps) or lines[mistake.line - 1].lstrip().startswith(
            "-"
        )


@pytest.mark.parametrize(
    ("version", "kind", "expected"),
    [
        ("lorekeeper.dev/v1", "RAGPipeline", ":1: apiVersion: must be `lorekeeper.dev/v1alpha1`"),
        ("v1", "KnowledgeSource", ":1: apiVersion: must be `lorekeeper.dev/v1alpha1`"),
        ("lorekeeper.dev/v1alpha1", "RagPipeline", ":2: kind: must be one of"),
    ],
)
def test_what_is_meant_for_us_is_never_ignored(tmp_path: Path, version: str, kind: str, expected: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n")

    manifests = load_manifests([str(path)])

    assert not manifests.ignored
    assert any(expected in mistake.text() for mistake in find_mistakes(manifests, Given(), embedded=False))
