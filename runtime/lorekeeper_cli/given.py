"""What a person gives on the command line in place of a cluster's objects: secrets and volumes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lorekeeper_cli.failure import CommandError

__all__ = ["Given", "GivenSecret", "parse_given"]


@dataclass(frozen=True, slots=True)
class GivenSecret:
    """One `--secret`."""

    name: str
    key: str | None
    """None for `NAME=FILE` (any key) and `NAME=FOLDER` (a file a key)."""
    path: Path


@dataclass(frozen=True, slots=True)
class Given:
    """Everything that was given."""

    secrets: tuple[GivenSecret, ...] = ()
    volumes: tuple[tuple[str, Path], ...] = ()

    def find_secret_file(self, name: str, key: str) -> Path | None:
        """File that holds a key of a Secret; None when the Secret was not given or has no such key."""
        secrets = [secret for secret in self.secrets if secret.name == name]
        for secret in secrets:
            if secret.key == key:
                return secret.path
        for secret in secrets:
            if secret.key is None:
                path = secret.path / key if secret.path.is_dir() else secret.path
                if path.is_file():
                    return path
        return None

    def has_secret(self, name: str) -> bool:
        """Whether a Secret was given, whatever its keys are."""
        return any(secret.name == name for secret in self.secrets)

    def find_volume(self, claim: str) -> Path | None:
        """Folder that stands for a claim."""
        return next((path for name, path in self.volumes if name == claim), None)


def parse_given(secrets: Iterable[str], volumes: Iterable[str]) -> Given:
    """Read the values of `--secret` and `--volume`.

    Raises:
        CommandError: One of them has the wrong form, or names a file or folder that cannot be read.
    """
    return Given(tuple(_parse_secret(text) for text in secrets), tuple(_parse_volume(text) for text in volumes))


def _parse_secret(text: str) -> GivenSecret:
    target, equals, value = text.partition("=")
    name, slash, key = target.partition("/")
    if not (name and equals and value) or (slash and not key):
        raise CommandError(f"--secret {target} must have the form NAME=FILE, NAME=FOLDER or NAME/KEY=FILE.")
    path = Path(value).expanduser().absolute()
    if not path.exists():
        raise CommandError(f"--secret {target}: {value} does not exist; give a file, or a folder with a file a key.")
    if key and path.is_dir():
        raise CommandError(f"--secret {target}: {value} is a folder; give the file that holds the key.")
    return GivenSecret(name, key or None, path)


def _parse_volume(text: str) -> tuple[str, Path]:
    claim, equals, value = text.partition("=")
    if not (claim and equals and value):
        raise CommandError(f"--volume {text} must have the form CLAIM=FOLDER.")
    path = Path(value).expanduser().absolute()
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise CommandError(f"--volume {claim}: {value} {what}; give the folder that stands for the claim.")
    return claim, path
