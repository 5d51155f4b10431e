import json

import pytest

from lorekeeper_runtime.query.errors import QueryError
from lorekeeper_runtime.query.unicode import check_text, explain_refusal


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"question": "\\ud800"}', "question"),
        (b'{"question": "caf\xe9"}', "question"),
        (
            b'{"a": 1, "messages": [{"content": "x"}, {"content": [{"text": "\\udfff"}]}]}',
            "messages[1].content[0].text",
        ),
        (b'{"messages": [{"\\ud800": 1}]}', "messages[0]"),
        (b'{"' + b"x" * 100 + b'": "\\ud800"}', "x" * 64),
    ],
)
def test_a_broken_text_is_named(body, param):
    error = explain_refusal(body)
    assert (error.code, error.status, error.param) == ("InvalidRequest", 400, param)
    assert f"'{param}'" in error.message
    assert "Unicode" in error.message
    json.dumps(error.message).encode("ascii")


def test_a_broken_name_at_the_top_has_no_place():
    error = explain_refusal(b'{"\xff": 1}')
    assert error.param is None
    assert error.message.startswith("A field's name holds characters")


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"a": NaN}', b"\xff\xfe", b'{"question": "\xff"'])
def test_what_is_no_json_is_called_that(body):
    assert "not valid JSON" in explain_refusal(body).message


def test_whole_pairs_and_other_scripts_are_text():
    check_text("\N{GRINNING FACE} ß 漢", param="question")
    with pytest.raises(QueryError, match="'question'"):
        check_text("\udcff", param="question")
