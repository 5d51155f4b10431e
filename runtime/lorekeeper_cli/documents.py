"""YAML text to plain values, with the line of every field and every mistake of the text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

__all__ = ["FieldPath", "Line", "LoadedDocument", "YamlMistake", "load_documents"]

FieldPath = tuple[str | int, ...]
Line = int

MAX_NODES = 500_000
"""Values of one document, aliases resolved: a document that unfolds to more is an attack or an accident."""
MAX_DEPTH = 100


@dataclass(slots=True)
class LoadedDocument:
    """One document of a file."""

    value: Any
    lines: dict[FieldPath, Line] = field(default_factory=dict)
    """Line of every field, from 1: of its key in a mapping, of its dash in a list."""


@dataclass(frozen=True, slots=True)
class YamlMistake:
    """What is wrong with the text itself."""

    line: Line
    path: FieldPath
    message: str


class _Loader(yaml.SafeLoader):
    """Reads scalars the way kubectl does: a date is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_documents(text: str) -> Iterator[LoadedDocument | YamlMistake]:
    """Yield every document that is not empty, and every mistake of the text.

    After a syntax error nothing more of the text can be read.
    """
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1 if isinstance(error.position, int) else 1
        yield YamlMistake(line, (), "holds a control character, which YAML forbids")
        return
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is None:
                continue
            builder = _Builder(loader)
            value = builder.build(node, (), node.start_mark.line + 1, 0)
            yield from builder.mistakes
            if value is not None:
                yield LoadedDocument(value, builder.lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is not None and mark.line >= len(text.splitlines()) and error.context_mark is not None:
            mark = error.context_mark  # what is not closed is found where it begins, not where the text ends
        said = ", ".join(part for part in (error.context, error.problem) if part)
        yield YamlMistake(mark.line + 1 if mark else 1, (), f"is not valid YAML: {said}")
    finally:
        loader.dispose()


class _Builder:
    """Turns the nodes of one document into values."""

    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self.lines: dict[FieldPath, Line] = {}
        self.mistakes: list[YamlMistake] = []
        self._nodes = 0

    def build(self, node: yaml.Node, path: FieldPath, line: Line, depth: int) -> Any:
        self.lines[path] = line
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem="the document is too large or too deep, perhaps because of an alias that holds itself",
                problem_mark=node.start_mark,
            )
        if isinstance(node, yaml.MappingNode):
            return self._build_mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.build(item, (*path, place), item.start_mark.line + 1, depth + 1)
                for place, item in enumerate(node.value)
            ]
        return self._build_scalar(node, path, line)

    def _build_mapping(self, node: yaml.MappingNode, path: FieldPath, depth: int) -> dict[str, Any]:
        self._report_duplicates(node, path)
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            self._loader.flatten_mapping(node)
        built: dict[str, Any] = {}
        for key, value in node.value:
            name = _key_text(key)
            built[name] = self.build(value, (*path, name), key.start_mark.line + 1, depth + 1)
        return built

    def _report_duplicates(self, node: yaml.MappingNode, path: FieldPath) -> None:
        first: dict[str, Line] = {}
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            name, line = _key_text(key), key.start_mark.line + 1
            if name in first:
                message = f"stands here and in line {first[name]}; keep one of them"
                self.mistakes.append(YamlMistake(line, (*path, name), message))
            first.setdefault(name, line)

    def _build_scalar(self, node: yaml.Node, path: FieldPath, line: Line) -> Any:
        try:
            value = self._loader.construct_object(node)
        except (yaml.constructor.ConstructorError, ValueError):
            self.mistakes.append(YamlMistake(line, path, "is not a value that a manifest may hold"))
            return None
        # Kubernetes keeps bytes as base64 text, and so do we.
        return str(node.value) if isinstance(value, bytes) else value


def _key_text(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise yaml.MarkedYAMLError(problem="a key must be plain text", problem_mark=key.start_mark)
    return str(key.value)
