"""Every code that can reach a user is explained."""

import re
from pathlib import Path

import pytest

from lorekeeper_api.reasons import Reason
from tests.unit.house.codes import find_codes

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs" / "reference" / "codes.md"
LIST = ROOT / "docs" / "api" / "reasons.md"


@pytest.fixture(scope="module")
def codes() -> set[str]:
    return find_codes(ROOT / "crds") | find_codes(ROOT / "runtime")


def test_every_code_of_the_source_is_a_reason(codes: set[str]) -> None:
    assert codes
    assert sorted(codes - set(Reason)) == []


def test_every_reason_has_a_line_in_the_list_that_the_reference_links_to() -> None:
    assert "(../api/reasons.md)" in REFERENCE.read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([A-Za-z]+)` \| \S", LIST.read_text(encoding="utf-8"), re.MULTILINE)
    assert explained == sorted(Reason)


def test_every_code_in_the_table_of_statuses_is_a_reason() -> None:
    page = REFERENCE.read_text(encoding="utf-8")
    table = page.split("## HTTP statuses", maxsplit=1)[1].split("##", maxsplit=1)[0]
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", table))
    assert named
    assert sorted(named - set(Reason) - {"Retry-After"}) == []


def test_codes_are_found_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "class Bad(Exception):\n"
        "    code = 'ClassCode'\n"
        "    def __init__(self, message, code='DefaultCode'): ...\n"
        "class Record:\n"
        "    message: str\n"
        "    code: str = 'FieldCode'\n"
        "def refuse(status, code): ...\n"
        "def mend(status, *, code='KeywordDefault'): ...\n"
        "Bad('No.', code='KeywordCode')\n"
        "Bad('No.', 'PositionalCode')\n"
        "Record('No.', 'RecordCode')\n"
        "refuse(403, 'FunctionCode')\n"
        "Bad('No.', code='FirstCode' if status == 'NotThis' else 'SecondCode')\n"
        "other('NotACode')\n"
        "Bad('No.', code='')\n",
        encoding="utf-8",
    )
    assert find_codes(tmp_path) == {
        "ClassCode",
        "DefaultCode",
        "FieldCode",
        "FirstCode",
        "FunctionCode",
        "KeywordCode",
        "KeywordDefault",
        "PositionalCode",
        "RecordCode",
        "SecondCode",
    }
