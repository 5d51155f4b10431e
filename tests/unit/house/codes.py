"""Reads the reason codes out of the source: every place that can give a code to a user."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["find_code_parameters", "find_codes"]

_CODE = re.compile(r"[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)*|TLS[A-Za-z]+")


def find_code_parameters(trees: list[ast.Module]) -> dict[str, int]:
    """Return the functions and classes that take a code by position, with its place; `self` does not count."""
    places: dict[str, int] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
                        _note_parameter(places, node.name, inner, method=True)
                fields = [
                    inner.target.id
                    for inner in node.body
                    if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name)
                ]
                if "code" in fields:
                    places.setdefault(node.name, fields.index("code"))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "__init__":
                _note_parameter(places, node.name, node, method=False)
    return places


def find_codes(folder: Path) -> set[str]:
    """Return every code that the source of a folder names.

    A code is text in CamelCase that stands as an argument named `code`, at the place of a parameter of that name, as
    the value or the default of a variable or parameter `code`.
    """
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))]
    places = find_code_parameters(trees)
    return {code for tree in trees for node in ast.walk(tree) for code in _codes_of(node, places)}


def _note_parameter(
    places: dict[str, int], name: str, function: ast.FunctionDef | ast.AsyncFunctionDef, *, method: bool
) -> None:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if method or names[:1] in (["self"], ["cls"]):
        names = names[1:]
    if "code" in names:
        places[name] = names.index("code")


def _codes_of(node: ast.AST, places: Mapping[str, int]) -> Iterator[str]:
    match node:
        case ast.keyword(arg="code", value=value):
            yield from _texts(value)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
            place = places.get(name)
            if place is not None and place < len(arguments):
                yield from _texts(arguments[place])
        case ast.Assign(targets=[ast.Name(id="code")], value=value):
            yield from _texts(value)
        case ast.AnnAssign(target=ast.Name(id="code"), value=ast.expr() as value):
            yield from _texts(value)
        case ast.arguments():
            positional = (*node.posonlyargs, *node.args)
            defaults = zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True)
            for argument, default in (*defaults, *zip(node.kwonlyargs, node.kw_defaults, strict=True)):
                if argument.arg == "code" and default is not None:
                    yield from _texts(default)
        case _:
            pass


def _texts(value: ast.expr) -> Iterator[str]:
    """Constants of a value; both sides of a condition count, what is asked in it does not."""
    match value:
        case ast.Constant(value=str(text)) if _CODE.fullmatch(text):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)
        case ast.BoolOp(values=values):
            for part in values:
                yield from _texts(part)
        case _:
            pass
