import dataclasses

import orjson

from lorekeeper_runtime.stores.records import decode_document, decode_run, encode_document, encode_run
from tests.contract.store_fixtures import make_record, make_run


def test_a_document_goes_through_json_and_back() -> None:
    record = make_record("a.md", code="Empty", message="m", attempts=3, size=4)
    payload = orjson.loads(orjson.dumps(encode_document(record)))
    assert decode_document({**payload, "field-of-a-later-version": 1}) == record
    assert set(encode_document(record)) == {field.name for field in dataclasses.fields(record)} | {"kind"}


def test_a_run_goes_through_json_and_back() -> None:
    record = make_run("docs")
    payload = orjson.loads(orjson.dumps(encode_run(record)))
    assert decode_run({**payload, "field-of-a-later-version": 1}) == record
