import io
from pathlib import Path

import pytest

from lorekeeper_cli.manifests import Manifests, format_path, load_manifests

SOURCE = """\
apiVersion: lorekeeper.dev/v1alpha1
kind: KnowledgeSource
metadata: {name: handbook}
spec:
  configMap:
    name: docs
"""


def lines(found: Manifests) -> list[str]:
    return [mistake.text() for mistake in found.mistakes]


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_every_field_knows_its_line(tmp_path: Path) -> None:
    found = load_manifests([write(tmp_path, "a.yaml", f"# a comment\n---\n{SOURCE}")])

    (manifest,) = found.items
    assert manifest.key == ("default", "KnowledgeSource", "handbook")
    assert manifest.line_of(("spec", "configMap", "name")) == 8
    assert manifest.line_of(("spec", "configMap", "missing", "deeper")) == 7
    assert manifest.line_of(("metadata", "name")) == 5


def test_a_folder_gives_its_yaml_and_json_and_not_its_subfolders(tmp_path: Path) -> None:
    write(tmp_path, "b.yml", SOURCE.replace("handbook", "b"))
    write(tmp_path, "a.yaml", SOURCE.replace("handbook", "a"))
    write(tmp_path, "c.json", '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}')
    write(tmp_path, "README.md", "# not a manifest")
    (tmp_path / "deeper").mkdir()
    write(tmp_path / "deeper", "d.yaml", SOURCE.replace("handbook", "d"))

    found = load_manifests([str(tmp_path)])

    assert [item.name for item in found.items] == ["a", "b", "c"]
    assert not found.mistakes


def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(SOURCE.encode())

    monkeypatch.setattr("sys.stdin", Stdin())

    (manifest,) = load_manifests(["-"]).items
    assert (manifest.file, manifest.name, manifest.folder) == ("-", "handbook", Path.cwd())


def test_a_list_holds_objects_with_their_lines(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        ("- " if first else "  ") + line
        for first, line in zip([True] + [False] * 9, SOURCE.splitlines(True), strict=False)
    )

    (manifest,) = load_manifests([write(tmp_path, "list.yaml", text)]).items

    assert manifest.line_of(("spec", "configMap", "name")) == 9
    assert manifest.mistake(("spec", "schedule"), "x").text().endswith("list.yaml:7: spec.schedule: x")


def test_other_kinds_are_named_once_and_not_read(tmp_path: Path) -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\napiVersion: v2\nkind: Secret\n"

    found = load_manifests([write(tmp_path, "x.yaml", text)])

    assert found.ignored == ["Deployment/web", "Secret"]
    assert not found.items
    assert not found.mistakes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: [1,\nc: 2\n", ":2: is not valid YAML"),
        ("a: 1\nb: 'x\nc: 2\n", ":2: is not valid YAML"),
        ("a: 1\nb: c: 2\n", ":2: is not valid YAML"),
        ("kind: X\nkind: Y\napiVersion: v1\n", ":2: kind: stands here and in line 1; keep one of them"),
        ("kind: KnowledgeSource\n", ":1: apiVersion: is missing"),
        ("- 1\n- 2\n", ":1: is not an object with apiVersion and kind"),
        ("# nothing\n", "holds no manifest"),
        ("", "holds no manifest"),
        ("a: \x07\n", ":1: holds a control character, which YAML forbids"),
        ("\ta: 1\n", ":1: is not valid YAML"),
        ("a: &x [*x]\n", "too large or too deep"),
        ("? [a, b]\n: c\n", ":1: is not valid YAML: a key must be plain text"),
        ("a: !!python/object:os.system x\n", ":1: a: is not a value that a manifest may hold"),
    ],
)
def test_mistakes_of_the_text_have_a_line(tmp_path: Path, text: str, expected: str) -> None:
    found = load_manifests([write(tmp_path, "bad.yaml", text)])

    assert any(expected in line for line in lines(found)), lines(found)


def test_a_syntax_error_does_not_hide_the_other_file(tmp_path: Path) -> None:
    found = load_manifests([write(tmp_path, "bad.yaml", "a: ["), write(tmp_path, "good.yaml", SOURCE)])

    assert len(found.mistakes) == 1
    assert [item.name for item in found.items] == ["handbook"]


def test_a_document_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    levels = "\n".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 10)}]" for n in range(1, 9))
    found = load_manifests([write(tmp_path, "bomb.yaml", f"b0: &b0 [x]\n{levels}\n")])

    assert "too large" in lines(found)[0]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: 1\nb: \xe9\n")

    found = load_manifests([str(tmp_path / "none.yaml"), str(tmp_path / "empty"), str(latin)])

    said = lines(found)
    assert "none.yaml: does not exist; give -f a file or a folder of manifests" in said[0]
    assert "empty: holds no .yaml" in said[1]
    assert "latin.yaml:2: is not UTF-8 text" in said[2]


def test_values_are_read_like_kubectl_does(tmp_path: Path) -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
        "data: {day: 2024-01-02, base: &b {a: '1'}, merged: {<<: *b, c: '2'}}\nbinaryData: {b: !!binary aGk=}\n"
    )

    (manifest,) = load_manifests([write(tmp_path, "x.yaml", text)]).items

    assert manifest.body["data"] == {"day": "2024-01-02", "base": {"a": "1"}, "merged": {"a": "1", "c": "2"}}
    assert manifest.body["binaryData"] == {"b": "aGk="}


def test_paths_are_written_the_way_people_do() -> None:
    assert format_path(("spec", "sources", 0, "name")) == "spec.sources[0].name"
