import base64
from pathlib import Path

import pytest

from lorekeeper_cli.check import check_files, find_mistakes, load_checked
from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.given import parse_given
from lorekeeper_cli.manifests import load_manifests
from lorekeeper_cli.options import Options

GOOD = """\
apiVersion: lorekeeper.dev/v1alpha1
kind: RAGPipeline
metadata: {name: support}
spec:
  sources: [{name: handbook}]
  embedding: {provider: OpenAI, model: m, credentials: {name: openai}}
---
apiVersion: lorekeeper.dev/v1alpha1
kind: KnowledgeSource
metadata: {name: handbook}
spec: {volume: {claimName: docs}}
---
apiVersion: v1
kind: Secret
metadata: {name: openai}
stringData: {api-key: x}
"""


def check(tmp_path: Path, text: str, *, secrets: list[str], volumes: list[str], embedded: bool = False) -> list[str]:
    path = tmp_path / "m.yaml"
    path.write_text(text, encoding="utf-8")
    found = find_mistakes(load_manifests([str(path)]), parse_given(secrets, volumes), embedded=embedded)
    return [mistake.text().removeprefix(f"{path}:") for mistake in found]


@pytest.fixture
def volume(tmp_path: Path) -> list[str]:
    (tmp_path / "docs").mkdir()
    return [f"docs={tmp_path / 'docs'}"]


def test_a_good_file_has_no_mistakes(tmp_path: Path, volume: list[str]) -> None:
    assert check(tmp_path, GOOD, secrets=[], volumes=volume) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "[{name: handbook}]",
            "[{name: hendbook}]",
            "5: spec.sources[0].name: no KnowledgeSource hendbook of namespace",
        ),
        (
            "name: openai}\nstr",
            "name: other}\nstr",
            "6: spec.embedding.credentials.name: no Secret openai of namespace",
        ),
        ("api-key: x", "key: x", "6: spec.embedding.credentials.name: the Secret openai has no key api-key"),
        ("claimName: docs", "claimName: disk", "11: spec.volume.claimName: no folder stands for the claim disk"),
        ("volume: {claimName: docs}", "configMap: {name: c}", "11: spec.configMap.name: no ConfigMap c of namespace"),
        ("stringData: {api-key: x}", "data: {api-key: '?'}", "16: data.api-key: must be base64; plain text belongs in"),
        ("api-key: x}", "api-key: x, n: 1}", "16: stringData.n: must be text; put it in quotes"),
        ("api-key: x}", "api-key: x, a/b: c}", "16: stringData.a/b: a key may only hold letters"),
        ("api-key: x}", "api-key: x, .dot: c}", None),
        ("metadata: {name: openai}", "metadata: {}", "15: metadata.name: is missing"),
        ("name: handbook}\nspec", "name: handbook, namespace: b}\nspec", "5: spec.sources[0].name: no KnowledgeSource"),
    ],
)
def test_mistakes_between_objects(tmp_path: Path, volume: list[str], old: str, new: str, expected: str | None) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD

    said = check(tmp_path, text, secrets=[], volumes=volume)

    if expected is None:
        assert said == []
    else:
        assert any(line.startswith(expected) for line in said), said


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("model: m", "modle: m").replace("[{name: handbook}]", "[{name: other}]")

    said = check(tmp_path, text, secrets=[], volumes=[])

    assert len(said) >= 3
    assert said == sorted(said, key=lambda line: int(line.partition(":")[0]))


def test_objects_of_one_name_are_a_mistake(tmp_path: Path, volume: list[str]) -> None:
    said = check(tmp_path, f"{GOOD}---\n{GOOD}", secrets=[], volumes=volume)

    assert len(said) == 3
    assert all("is also in" in line and "keep one of them" in line for line in said)


def test_pipelines_of_one_name_in_two_namespaces_are_a_mistake(tmp_path: Path, volume: list[str]) -> None:
    other = GOOD.replace("metadata: {name:", "metadata: {namespace: b, name:")

    (said,) = check(tmp_path, f"{GOOD}---\n{other}", secrets=[], volumes=volume)

    assert "the pipeline support is also in namespace default" in said


def test_embedded_needs_no_secret_of_a_remote_part(tmp_path: Path, volume: list[str]) -> None:
    text = GOOD.replace("name: openai}\nstr", "name: other}\nstr")

    assert check(tmp_path, text, secrets=[], volumes=volume, embedded=True) == []


def test_a_secret_can_be_given(tmp_path: Path, volume: list[str]) -> None:
    text = GOOD.replace("name: openai}\nstr", "name: other}\nstr")
    key = tmp_path / "key"
    key.write_text("k")
    folder = tmp_path / "folder"
    folder.mkdir()

    assert check(tmp_path, text, secrets=[f"openai={key}"], volumes=volume) == []
    assert check(tmp_path, text, secrets=[f"openai/api-key={key}"], volumes=volume) == []
    (said,) = check(tmp_path, text, secrets=[f"openai={folder}"], volumes=volume)
    assert "has no key api-key" in said
    (folder / "api-key").write_text("k")
    assert check(tmp_path, text, secrets=[f"openai={folder}"], volumes=volume) == []


def test_a_git_secret_needs_a_password(tmp_path: Path) -> None:
    text = (
        "apiVersion: lorekeeper.dev/v1alpha1\nkind: KnowledgeSource\nmetadata: {name: s}\n"
        "spec: {git: {url: https://x.example/y.git, credentials: git}}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: git}\n"
    )

    (said,) = check(tmp_path, f"{text}data: {{username: {base64.b64encode(b'me').decode()}}}\n", secrets=[], volumes=[])
    assert "the Secret git has no key password" in said
    assert check(tmp_path, f"{text}data: {{password: eHk=}}\n", secrets=[], volumes=[]) == []


def test_the_command_shows_each_mistake_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(GOOD)

    assert check_files(Options(files=[str(path)]), as_json=False) is Exit.MISTAKES

    seen = capsys.readouterr()
    assert seen.out.startswith(f"{path}:11: spec.volume.claimName: ")
    assert seen.err == "1 mistake in the manifests.\n"


def test_a_command_that_needs_manifests_shows_all_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(GOOD.replace("model: m", "modle: m"))

    with pytest.raises(CommandError) as caught:
        load_checked(Options(files=[str(path)]))

    assert len(caught.value.lines) >= 2
    assert caught.value.exit_code is Exit.MISTAKES


def test_no_file_is_wrong_usage() -> None:
    with pytest.raises(CommandError, match="Say which manifests") as caught:
        load_checked(Options())
    assert caught.value.exit_code is Exit.USAGE
