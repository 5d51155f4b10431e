"""A Git repository elsewhere, fetched over HTTP into a bare one of ours."""

import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from dulwich.client import HTTPUnauthorized, Urllib3HttpGitClient
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository
from dulwich.objects import Commit, ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo

from lorekeeper_runtime.errors import SourceError
from lorekeeper_runtime.sources.git_refs import is_object_id, ref_not_found, ref_prefixes, select_ref

__all__ = ["RemoteRepository"]

_log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 60.0
"""For a connection, and for each wait for data."""

_MAX_PACKS = 40
"""Each fetch adds a pack; with more of them a new copy without history is faster than looking through all."""

_FETCHED = Ref(b"refs/heads/fetched")
"""The last commit that was fetched completely: what the next fetch tells the server that it has."""

_WANTED = Ref(b"refs/lorekeeper/wanted")
"""The id that was asked for then; for an annotated tag another one than the commit's."""


class RemoteRepository:
    """Keeps a copy of the newest commit of a repository elsewhere.

    Args:
        source: Name of the source, for messages.
        url: Address, http or https.
        cache: Folder of the copy; made where it is missing. Only this source writes to it.
        credentials: Folder with the files `username` and `password`; None for a public repository.

    Raises:
        SourceError: The address holds credentials (code InvalidSource), or the folder has no password
            (SourceUnauthorized).
    """

    def __init__(self, source: str, url: str, cache: Path, *, credentials: str | None = None) -> None:
        self._source = source
        self._cache = cache
        address = urlsplit(url)
        if address.username is not None or address.password is not None:
            raise SourceError(
                f"The git.url of source {source} holds a user name or password: put them into a Secret and name it in "
                "git.credentials.",
                code="InvalidSource",
            )
        self._host = address.hostname or url
        username, password = _read_credentials(source, credentials) if credentials else (None, None)
        self._client = Urllib3HttpGitClient(
            url, username=username, password=password, timeout=_TIMEOUT_SECONDS, quiet=True
        )

    def open(self) -> Repo:
        """Return the copy as it is, without asking the server. The caller closes it."""
        try:
            return Repo(str(self._cache))
        except (NotGitRepository, OSError, ValueError):
            shutil.rmtree(self._cache, ignore_errors=True)
            self._cache.mkdir(parents=True)
            return Repo.init_bare(str(self._cache))

    def fetch(self, ref: str) -> tuple[Repo, ObjectID]:
        """Bring the copy to what a ref names now.

        Returns:
            The copy, which the caller closes, and the id that the ref stands for: of a commit or of an annotated tag.

        Raises:
            SourceError: See `GitSource.list_documents`.
        """
        repository = self.open()
        try:
            if len(repository.object_store.packs) > _MAX_PACKS:
                repository = self._renew(repository)
            try:
                tip = self._fetch_into(repository, ref)
            except (KeyError, AssertionError) as error:
                _log.warning("the copy of source %s is damaged and is fetched anew", self._source, exc_info=error)
                repository = self._renew(repository)
                tip = self._fetch_into(repository, ref)
        except BaseException:
            repository.close()
            raise
        return repository, tip

    def discard(self) -> None:
        """Delete the copy, which turned out to be damaged; the next fetch makes a new one."""
        shutil.rmtree(self._cache, ignore_errors=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._client.pool_manager.clear()

    def _renew(self, repository: Repo) -> Repo:
        repository.close()
        shutil.rmtree(self._cache)
        return self.open()

    def _fetch_into(self, repository: Repo, ref: str) -> ObjectID:
        wanted: list[ObjectID] = []

        def determine_wants(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
            del depth
            tip = select_ref(refs, ref, source=self._source)
            wanted.append(tip)
            return [] if _is_fetched(repository, tip) else [tip]

        try:
            self._ask(repository, ref, determine_wants)
        except HTTPUnauthorized as error:
            raise self._unauthorized() from error
        except NotGitRepository as error:
            raise SourceError(
                f"There is no Git repository at the git.url of source {self._source} ({self._host}), or it is private: "
                "correct git.url, or name a Secret in git.credentials.",
                code="SourceNotFound",
            ) from error
        except (GitProtocolError, HangupException, OSError) as error:
            raise self._failed(error, ref, asked=bool(wanted)) from error
        tip = wanted[-1]
        if not _is_fetched(repository, tip):
            if tip not in repository.object_store:
                raise ref_not_found(ref, source=self._source)
            _, commit = repository.object_store.peel(tip)
            if not isinstance(commit, Commit):
                raise ref_not_found(ref, source=self._source)
            repository.refs[_WANTED] = tip
            repository.refs[_FETCHED] = commit.id
        return tip

    def _ask(self, repository: Repo, ref: str, determine_wants: Callable[..., list[ObjectID]]) -> None:
        for depth in (1, None):  # the whole history only from a server that cannot do without
            try:
                self._client.fetch(b"", repository, determine_wants, depth=depth, ref_prefix=ref_prefixes(ref))
            except GitProtocolError as error:
                if depth is None or "does not support shallow" not in str(error):
                    raise
            else:
                return

    def _unauthorized(self) -> SourceError:
        return SourceError(
            f"The server {self._host} does not let source {self._source} in: check the user name and password in the "
            "Secret that git.credentials names.",
            code="SourceUnauthorized",
        )

    def _failed(self, error: Exception, ref: str, *, asked: bool) -> SourceError:
        if "http resp 403" in str(error):
            return self._unauthorized()
        transport = isinstance(error, OSError) or error.__cause__ is not None
        if asked and is_object_id(ref) and not transport:
            # The server told its refs and then failed over this id: each server says in its own way that it has none.
            return ref_not_found(ref, source=self._source)
        return SourceError(
            f"The server {self._host} of source {self._source} does not answer as a Git server should: check git.url "
            "and the network, then sync again.",
            code="SourceUnreachable",
            retryable=True,
        )


def _is_fetched(repository: Repo, tip: ObjectID) -> bool:
    refs = repository.refs
    return _FETCHED in refs and _WANTED in refs and refs[_WANTED] == tip and tip in repository.object_store


def _read_credentials(source: str, folder: str) -> tuple[str, str]:
    try:
        password = Path(folder, "password").read_text(encoding="utf-8").strip("\r\n")
        named = Path(folder, "username")
        # Hosts that take a token as password want some user name, no matter which.
        username = named.read_text(encoding="utf-8").strip() if named.exists() else "git"
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"The Secret of source {source} has no readable key 'password': add it, and 'username' where the server "
            "needs one.",
            code="SourceUnauthorized",
        ) from error
    # The client writes latin-1 into the header; Git hosts read UTF-8 there.
    return username.encode("utf-8").decode("latin-1"), password.encode("utf-8").decode("latin-1")
