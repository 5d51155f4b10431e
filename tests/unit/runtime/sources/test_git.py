import os
import random
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_runtime.errors import DocumentError, SourceError
from lorekeeper_runtime.sources import open_source
from lorekeeper_runtime.sources.git import GitSource
from tests.support.git_server import Backend, GitRepository, GitServer, serve_repositories


def _config(url: str, *, credentials: Path | None = None, cache: Path | None = None, **git: object) -> SourceConfig:
    return SourceConfig.model_validate(
        {
            "name": "handbook",
            "spec": {"git": {"url": url, **git}},
            "credentials": str(credentials) if credentials else None,
            "cache": str(cache) if cache else None,
        }
    )


def _open(url: str, *, credentials: Path | None = None, cache: Path | None = None, **git: object) -> GitSource:
    source = open_source(_config(url, credentials=credentials, cache=cache, **git))
    assert isinstance(source, GitSource)
    return source


def _texts(source: GitSource) -> dict[str, bytes]:
    return {document.id: source.fetch(document).content for document in source.list_documents()}


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    return GitRepository(tmp_path / "served" / "docs")


@pytest.fixture(params=["local", "git", "dulwich"])
def url(request: pytest.FixtureRequest, repository: GitRepository, tmp_path: Path) -> Iterator[str]:
    """The same repository in three ways: read in place, from git's own server, and from dulwich's."""
    if request.param == "local":
        yield repository.url
        return
    backend: Backend = request.param
    with serve_repositories(tmp_path / "served", backend=backend) as server:
        yield server.url("docs")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serve_repositories(tmp_path / "served") as running:
        yield running


# --- refs


def test_head_branch_tags_and_commit_id(url: str, repository: GitRepository) -> None:
    first = repository.commit({"a.md": "first"})
    repository.git("tag", "light")
    repository.git("tag", "-a", "v1", "-m", "one")
    repository.git("tag", "-a", "v1-again", "v1", "-m", "a tag of a tag")
    repository.git("checkout", "-q", "-b", "feature/x")
    second = repository.commit({"a.md": "second"})
    repository.git("checkout", "-q", "main")
    third = repository.commit({"a.md": "third"})
    for ref, commit, text in [
        ("HEAD", third, b"third"),
        ("main", third, b"third"),
        ("feature/x", second, b"second"),
        ("light", first, b"first"),
        ("v1", first, b"first"),
        ("v1-again", first, b"first"),
        ("refs/tags/v1", first, b"first"),
        (third, third, b"third"),
    ]:
        source = _open(url, ref=ref)
        assert _texts(source) == {"a.md": text}, ref
        assert source.revision == commit
        source.close()


def test_a_commit_that_no_branch_names_any_more(repository: GitRepository, server: GitServer) -> None:
    first = repository.commit({"a.md": "first"})
    repository.commit({"a.md": "second"})
    for address in (repository.url, server.url("docs")):
        source = _open(address, ref=first)
        assert _texts(source) == {"a.md": b"first"}
        source.close()


@pytest.mark.parametrize("ref", ["gone", "0" * 40, "1234567890" * 4])
def test_a_missing_ref_is_named(url: str, repository: GitRepository, ref: str) -> None:
    repository.commit({"a.md": "text"})
    source = _open(url, ref=ref)
    with pytest.raises(SourceError) as caught:
        list(source.list_documents())
    assert caught.value.code == "RefNotFound"
    assert ref in caught.value.message
    source.close()


def test_a_repository_without_a_commit(url: str) -> None:
    source = _open(url)
    with pytest.raises(SourceError) as caught:
        list(source.list_documents())
    assert caught.value.code == "RefNotFound"
    assert "push one" in caught.value.message
    source.close()


def test_a_tag_of_something_that_is_no_commit(url: str, repository: GitRepository) -> None:
    repository.commit({"a.md": "text"})
    repository.git("tag", "blob", repository.git("rev-parse", "HEAD:a.md"))
    source = _open(url, ref="blob")
    with pytest.raises(SourceError) as caught:
        list(source.list_documents())
    assert caught.value.code == "RefNotFound"
    source.close()


# --- change


def test_a_forced_push_is_just_another_tree(url: str, repository: GitRepository, tmp_path: Path) -> None:
    repository.commit({"a.md": "one"})
    repository.commit({"b.md": "two"})
    source = _open(url, ref="main", cache=tmp_path / "cache")
    assert set(_texts(source)) == {"a.md", "b.md"}
    repository.git("reset", "-q", "--hard", "HEAD~1")
    moved = repository.commit({"c.md": "three"})
    assert _texts(source) == {"a.md": b"one", "c.md": b"three"}
    assert source.revision == moved
    source.close()


def test_a_rename_keeps_the_version(url: str, repository: GitRepository, tmp_path: Path) -> None:
    repository.commit({"a.md": "text"})
    source = _open(url, cache=tmp_path / "cache")
    (before,) = source.list_documents()
    repository.git("mv", "a.md", "b.md")
    repository.commit()
    (after,) = source.list_documents()
    assert (before.id, after.id) == ("a.md", "b.md")
    assert before.version == after.version
    source.close()


def test_a_second_fetch_brings_only_what_is_new(repository: GitRepository, server: GitServer, tmp_path: Path) -> None:
    noise = random.Random(7)
    big = {f"{number}.txt": noise.randbytes(20_000).hex() for number in range(20)}
    repository.commit({**big, "a.md": "one"})
    source = _open(server.url("docs"), cache=tmp_path / "cache")
    assert len(_texts(source)) == 21
    first = server.bytes_sent
    source.close()

    asked = len(server.requests)
    source = _open(server.url("docs"), cache=tmp_path / "cache")
    assert len(_texts(source)) == 21
    assert [line for line in server.requests[asked:] if "POST" in line].count("POST /docs/.git/git-upload-pack") <= 1
    assert server.bytes_sent - first < 2_000, "nothing is new, so only refs are sent"

    repository.commit({"a.md": "two"})
    before = server.bytes_sent
    assert _texts(source)["a.md"] == b"two"
    assert server.bytes_sent - before < 10_000 < first
    source.close()


def test_history_is_not_fetched(repository: GitRepository, server: GitServer, tmp_path: Path) -> None:
    noise = random.Random(7)
    for number in range(5):
        repository.commit({"a.txt": noise.randbytes(100_000).hex(), "n.md": str(number)})
    source = _open(server.url("docs"), cache=tmp_path / "cache")
    assert len(_texts(source)) == 2
    assert server.bytes_sent < 200_000
    source.close()


def test_many_fetches_do_not_pile_up(
    repository: GitRepository, server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lorekeeper_runtime.sources.git_remote._MAX_PACKS", 2)
    source = _open(server.url("docs"), cache=tmp_path / "cache")
    for number in range(6):
        repository.commit({"a.md": str(number), f"{number}.md": "more"})
        assert _texts(source)["a.md"] == str(number).encode()
    assert len(list((tmp_path / "cache").rglob("*.pack"))) <= 3
    source.close()


def test_a_damaged_copy_is_replaced(repository: GitRepository, server: GitServer, tmp_path: Path) -> None:
    repository.commit({"a.md": "one"})
    source = _open(server.url("docs"), cache=tmp_path / "cache")
    assert _texts(source) == {"a.md": b"one"}
    source.close()
    for pack in (tmp_path / "cache").rglob("pack-*"):
        pack.unlink()
    source = _open(server.url("docs"), cache=tmp_path / "cache")
    assert _texts(source) == {"a.md": b"one"}
    source.close()
    shutil.rmtree(tmp_path / "cache" / "repository.git" / "refs")
    (tmp_path / "cache" / "repository.git" / "HEAD").write_text("nonsense")
    source = _open(server.url("docs"), cache=tmp_path / "cache")
    assert _texts(source) == {"a.md": b"one"}
    source.close()


# --- what is a document


def test_globs_folder_links_submodules_and_hidden_files(url: str, repository: GitRepository) -> None:
    inner = repository.commit(
        {
            "README.md": "top",
            "docs/a.md": "a",
            "docs/deep/b.HTML": "<p>b",
            "docs/code.py": "print()",
            "docs/draft/c.md": "c",
            "docs/.hidden/d.md": "d",
            "other/docs/e.md": "e",
        }
    )
    (repository.path / "docs" / "link.md").symlink_to("a.md")
    (repository.path / "docs" / "linked").symlink_to("../other")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{inner},docs/module")
    repository.git("commit", "-q", "-m", "submodule")
    repository.commit()
    cases: list[tuple[dict[str, object], set[str]]] = [
        ({}, {"README.md", "docs/a.md", "docs/deep/b.HTML", "docs/draft/c.md", "other/docs/e.md"}),
        ({"path": "docs"}, {"a.md", "deep/b.HTML", "draft/c.md"}),
        ({"path": "docs/", "exclude": ["draft/**"]}, {"a.md", "deep/b.HTML"}),
        ({"path": "docs", "include": ["**/*.py", ".hidden/*"]}, {"code.py", ".hidden/d.md"}),
    ]
    for git, expected in cases:
        source = _open(url, **git)
        assert {document.id for document in source.list_documents()} == expected
        source.close()


def test_a_folder_that_is_not_there(url: str, repository: GitRepository) -> None:
    repository.commit({"a.md": "text", "docs/b.md": "text"})
    for path in ("manual", "a.md", "docs/b.md", "docs/more"):
        source = _open(url, path=path)
        with pytest.raises(SourceError) as caught:
            list(source.list_documents())
        assert caught.value.code == "SourceNotFound"
        assert repr(path) in caught.value.message
        source.close()


def test_a_name_that_is_not_utf8_has_a_safe_id(url: str, repository: GitRepository) -> None:
    name = os.fsdecode(b"caf\xe9.md")
    repository.commit({name: "coffee", "\u00fc.md": "umlaut"})
    source = _open(url)
    texts = _texts(source)
    assert texts == {"caf\\xe9.md": b"coffee", "\u00fc.md": b"umlaut"}
    for document in texts:
        document.encode("utf-8")
    source.close()


def test_a_pointer_of_git_lfs_is_no_document(url: str, repository: GitRepository) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    repository.commit({"a.pdf": pointer})
    source = _open(url)
    (listed,) = source.list_documents()
    with pytest.raises(DocumentError) as caught:
        source.fetch(listed)
    assert caught.value.code == "LfsPointer"
    source.close()


def test_sizes_of_blobs_that_are_kept_as_differences(repository: GitRepository) -> None:
    lines = [f"line {number}" for number in range(3000)]
    for number in range(6):
        lines[number * 100] = f"changed {number}"
        repository.commit({f"{number}.txt": "\n".join(lines), "empty.txt": b""})
    repository.git("repack", "-q", "-a", "-d", "-f", "--depth=50")
    assert "delta" in repository.git("count-objects", "-v") or list(repository.path.rglob("*.pack"))
    source = _open(repository.url)
    for document in source.list_documents():
        assert document.size == len((repository.path / document.id).read_bytes())
    source.close()


def test_a_bare_repository_and_a_work_tree_are_read_in_place(repository: GitRepository, tmp_path: Path) -> None:
    repository.commit({"a.md": "text"})
    repository.git("clone", "-q", "--bare", str(repository.path), str(tmp_path / "bare.git"))
    repository.git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    for path in (tmp_path / "bare.git", tmp_path / "tree"):
        source = _open(path.as_uri())
        assert _texts(source) == {"a.md": b"text"}
        source.close()


def test_a_document_that_was_pruned_after_the_listing(repository: GitRepository) -> None:
    repository.commit({"a.md": "text"})
    source = _open(repository.url)
    (listed,) = source.list_documents()
    for item in (repository.path / ".git" / "objects").iterdir():
        shutil.rmtree(item)
    with pytest.raises(DocumentError) as caught:
        source.fetch(listed)
    assert caught.value.code == "Vanished"
    with pytest.raises(SourceError) as damaged:
        list(source.list_documents())
    assert damaged.value.code in {"SourceFailed", "RefNotFound"}
    source.close()


# --- access


@pytest.mark.parametrize("backend", ["git", "dulwich"])
def test_a_password_lets_in_and_is_in_no_message(repository: GitRepository, tmp_path: Path, backend: Backend) -> None:
    repository.commit({"a.md": "secret text"})
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "username").write_text("reader\n")
    (secret / "password").write_text("pa:ss wörd\n")
    with serve_repositories(tmp_path / "served", backend=backend, credentials=("reader", "pa:ss wörd")) as server:
        source = _open(server.url("docs"), credentials=secret, cache=tmp_path / "cache")
        assert _texts(source) == {"a.md": b"secret text"}
        source.close()
        kept = b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file())
        assert "wörd".encode() not in kept

        (secret / "password").write_text("wrong-word")
        for credentials in (secret, None):
            source = _open(server.url("docs"), credentials=credentials, cache=tmp_path / "cache")
            with pytest.raises(SourceError) as caught:
                list(source.list_documents())
            assert caught.value.code == "SourceUnauthorized"
            assert "wrong-word" not in caught.value.message
            source.close()


def test_a_token_needs_no_user_name(repository: GitRepository, tmp_path: Path) -> None:
    repository.commit({"a.md": "text"})
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "password").write_text("token")
    with serve_repositories(tmp_path / "served", credentials=("git", "token")) as server:
        source = _open(server.url("docs"), credentials=tmp_path / "secret")
        assert _texts(source) == {"a.md": b"text"}
        source.close()


def test_a_secret_without_a_password(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    with pytest.raises(SourceError) as caught:
        _open("https://git.example.com/docs.git", credentials=tmp_path / "secret")
    assert caught.value.code == "SourceUnauthorized"
    assert "'password'" in caught.value.message


def test_credentials_in_the_address_are_refused() -> None:
    with pytest.raises(SourceError) as caught:
        _open("https://reader:hidden-word@git.example.com/docs.git")
    assert caught.value.code == "InvalidSource"
    assert "hidden-word" not in caught.value.message


def test_a_server_without_such_a_repository(repository: GitRepository, server: GitServer) -> None:
    source = _open(server.url("other"))
    with pytest.raises(SourceError) as caught:
        list(source.list_documents())
    assert caught.value.code == "SourceNotFound"
    source.close()


def test_a_server_that_forbids(repository: GitRepository, server: GitServer) -> None:
    server.failing = 403
    source = _open(server.url("docs"))
    with pytest.raises(SourceError) as caught:
        list(source.list_documents())
    assert caught.value.code == "SourceUnauthorized"
    source.close()


def test_a_server_that_fails_or_is_not_there(repository: GitRepository, server: GitServer) -> None:
    server.failing = 500
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/docs"
    for address in (server.url("docs"), nobody):
        source = _open(address)
        with pytest.raises(SourceError) as caught:
            list(source.list_documents())
        assert caught.value.code == "SourceUnreachable"
        assert caught.value.retryable
        source.close()


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    source = _open(tmp_path.as_uri())
    with pytest.raises(SourceError) as caught:
        list(source.list_documents())
    assert caught.value.code == "SourceNotFound"
    assert str(tmp_path) in caught.value.message


def test_without_a_cache_nothing_is_left_behind(
    repository: GitRepository, server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    repository.commit({"a.md": "text"})
    source = _open(server.url("docs"))
    assert _texts(source) == {"a.md": b"text"}
    assert list(scratch.iterdir())
    source.close()
    assert not list(scratch.iterdir())
