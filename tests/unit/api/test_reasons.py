import ast
from collections.abc import Iterator

from lorekeeper_api.reasons import Reason
from tests.unit.api.given import ROOT


def codes_in_the_runtime() -> Iterator[tuple[str, str]]:
    """Every literal that is given as `code`, as an argument or as an attribute of a class, with its place."""
    for file in sorted((ROOT / "runtime").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.keyword(arg="code", value=ast.Constant(value=str(code))) if code:
                    yield code, f"{file.relative_to(ROOT)}:{node.lineno}"
                case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))) if code:
                    yield code, f"{file.relative_to(ROOT)}:{node.lineno}"
                case _:
                    pass


def test_every_code_of_the_runtime_is_a_reason() -> None:
    known = {str(reason) for reason in Reason}
    found = list(codes_in_the_runtime())
    assert len(found) > 10, "the runtime uses codes"
    assert [f"{place} {code}" for code, place in found if code not in known] == []


def test_reasons_are_words_with_a_meaning() -> None:
    for reason in Reason:
        assert reason.isalpha()
        assert reason[0].isupper()
        assert reason.meaning.endswith(".")
        assert Reason(str(reason)) is reason
