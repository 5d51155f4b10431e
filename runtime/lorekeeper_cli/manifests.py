"""Reads manifests: YAML or JSON from files, folders or standard input, with the line of every field.

The text is composed into nodes and the nodes into plain values, so that each field's line stays known and everything
that is wrong with one file does not hide what is wrong with the next.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorekeeper_cli.documents import FieldPath, Line, LoadedDocument, YamlMistake, load_documents

__all__ = ["PLAIN_KINDS", "Manifest", "Manifests", "Mistake", "format_path", "load_manifests"]

API_GROUP = "lorekeeper.dev"
RESOURCES = frozenset({"RAGPipeline", "KnowledgeSource"})
PLAIN_KINDS = frozenset({"ConfigMap", "Secret"})
"""Kinds of Kubernetes' own that are read, in version v1."""

ENDINGS = (".yaml", ".yml", ".json")
MAX_BYTES = 64 * 1024 * 1024
STDIN = Path("-")


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """Something that a person has to change."""

    file: str
    line: int
    """From 1; 0 when it is about the whole file."""
    path: str
    """Field, for example `spec.chunking.overlap`; empty when it is not about a field."""
    message: str
    """One sentence that names the fix."""

    def text(self) -> str:
        """The mistake in one line: `FILE:LINE: FIELD: sentence`."""
        parts = [f"{self.file}:{self.line}" if self.line else self.file, self.path, self.message]
        return ": ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of a file."""

    kind: str
    name: str
    namespace: str
    body: dict[str, Any]
    file: str
    """As it was given, `-` for standard input."""
    lines: dict[FieldPath, Line] = field(repr=False)
    root: FieldPath = ()
    """Where the object stands in its document; not empty for an item of a List."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What no two objects may share."""
        return self.namespace, self.kind, self.name

    @property
    def folder(self) -> Path:
        """Folder that relative paths of the manifest start at."""
        return Path.cwd() if self.file == "-" else Path(self.file).parent

    def line_of(self, path: FieldPath) -> Line:
        """Line of a field, or of the nearest field around it that exists."""
        full = self.root + path
        while full not in self.lines:
            full = full[:-1]
        return self.lines[full]

    def mistake(self, path: FieldPath, message: str) -> Mistake:
        """A mistake in one of the object's fields."""
        return Mistake(self.file, self.line_of(path), format_path(path), message)


@dataclass(slots=True)
class Manifests:
    """Everything that was read."""

    items: list[Manifest] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    """Objects of other kinds, as `Kind/name`."""
    files: list[Path] = field(default_factory=list)
    """Files that were read."""

    def of_kind(self, kind: str) -> list[Manifest]:
        """The objects of one kind, in the order they were read."""
        return [item for item in self.items if item.kind == kind]

    def find(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """The object of a kind and name, or None."""
        return next((item for item in self.items if item.key == (namespace, kind, name)), None)


def load_manifests(places: Iterable[str]) -> Manifests:
    """Read everything that `-f` names: files, folders (not recursively) or `-` for standard input."""
    found = Manifests()
    for place in places:
        for path in _files(place, found):
            text = _read(path, found)
            if text is not None:
                _add_file(str(path), text, found)
    return found


def format_path(path: FieldPath) -> str:
    """Write a path the way people do: `spec.sources[0].name`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def _files(place: str, found: Manifests) -> Iterator[Path]:
    path = Path(place)
    if path == STDIN:
        yield path
        return
    try:
        if not path.is_dir():
            yield path
            return
        files = sorted(child for child in path.iterdir() if child.suffix in ENDINGS and not child.is_dir())
    except OSError as error:
        found.mistakes.append(Mistake(place, 0, "", f"cannot be read ({_reason(error)})"))
        return
    if not files:
        found.mistakes.append(Mistake(place, 0, "", "holds no .yaml, .yml or .json file; subfolders are not read"))
    yield from files


def _read(path: Path, found: Manifests) -> str | None:
    name = str(path)
    try:
        if path == STDIN:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            found.files.append(path)
    except FileNotFoundError:
        found.mistakes.append(Mistake(name, 0, "", "does not exist; give -f a file or a folder of manifests"))
        return None
    except OSError as error:
        found.mistakes.append(Mistake(name, 0, "", f"cannot be read ({_reason(error)})"))
        return None
    if len(content) > MAX_BYTES:
        found.mistakes.append(Mistake(name, 0, "", "is larger than 64 MiB, which no manifest is"))
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found.mistakes.append(Mistake(name, line, "", "is not UTF-8 text; save it as UTF-8"))
        return None


def _add_file(file: str, text: str, found: Manifests) -> None:
    before = len(found.items) + len(found.mistakes) + len(found.ignored)
    for document in load_documents(text):
        if isinstance(document, YamlMistake):
            found.mistakes.append(Mistake(file, document.line, format_path(document.path), document.message))
        else:
            _add_object(file, document, document.value, (), found)
    if len(found.items) + len(found.mistakes) + len(found.ignored) == before:
        found.mistakes.append(Mistake(file, 0, "", "holds no manifest"))


def _add_object(file: str, document: LoadedDocument, body: Any, root: FieldPath, found: Manifests) -> None:
    line = document.lines[root]
    if not isinstance(body, dict):
        found.mistakes.append(Mistake(file, line, format_path(root), "is not an object with apiVersion and kind"))
        return
    kind, version = body.get("kind"), body.get("apiVersion")
    for name, value in (("kind", kind), ("apiVersion", version)):
        if not isinstance(value, str) or not value:
            found.mistakes.append(Mistake(file, line, format_path((*root, name)), "is missing"))
    if not isinstance(kind, str) or not isinstance(version, str):
        return
    if kind == "List" and version == "v1":
        items = body.get("items")
        for place, item in enumerate(items if isinstance(items, list) else []):
            _add_object(file, document, item, (*root, "items", place), found)
        return
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    named: object = metadata.get("name")
    namespace: object = metadata.get("namespace", "default")
    # What is meant for us is read even when it is misspelled, so that `check` can say so.
    ours = version.partition("/")[0] == API_GROUP or kind in RESOURCES
    if not ours and (kind not in PLAIN_KINDS or version != "v1"):
        found.ignored.append(f"{kind}/{named}" if named else kind)
        return
    manifest = Manifest(
        kind,
        named if isinstance(named, str) else "",
        namespace if isinstance(namespace, str) else "default",
        body,
        file,
        document.lines,
        root,
    )
    found.items.append(manifest)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
