from pathlib import Path

import pytest

from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.given import parse_given


def test_a_key_of_its_own_goes_before_a_whole_secret(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")

    given = parse_given([f"s={tmp_path / 'a'}", f"s/token={tmp_path / 'b'}"], [])

    assert given.find_secret_file("s", "token") == tmp_path / "b"
    assert given.find_secret_file("s", "other") == tmp_path / "a"
    assert given.find_secret_file("t", "token") is None
    assert given.has_secret("s")
    assert not given.has_secret("t")


def test_volumes_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)

    given = parse_given([], ["claim=docs"])

    assert given.find_volume("claim") == tmp_path / "docs"
    assert given.find_volume("other") is None


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("name", "must have the form"),
        ("=x", "must have the form"),
        ("name=", "must have the form"),
        ("name/=/dev/null", "must have the form"),
        ("name=/does/not/exist", "does not exist"),
        ("name/key=/", "is a folder"),
    ],
)
def test_a_wrong_secret_is_refused(secret: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        parse_given([secret], [])


@pytest.mark.parametrize(
    ("volume", "message"),
    [("claim", "must have the form"), ("claim=/nope", "does not exist"), ("claim=/dev/null", "is not a folder")],
)
def test_a_wrong_volume_is_refused(volume: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        parse_given([], [volume])
