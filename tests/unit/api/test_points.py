"""Ids of points: stable for ever, because a second ingest finds what the first one wrote by them."""

from hypothesis import given
from hypothesis import strategies as st

from lorekeeper_api.contract.points import ChunkIds, chunk_point_id, document_point_id, text_hash


def test_ids_are_what_they_always_were() -> None:
    assert text_hash("passage") == "1781590a5ab4a34c8c227e09459cc9dc"
    assert document_point_id("docs", "a.md") == "ba88bda2-1cc2-579a-9f8b-78b5663a0ae8"
    assert chunk_point_id("docs", "a.md", "0" * 32, 0) == "8faae578-30ec-5094-803c-ad75a08d807c"


@given(st.text(), st.text(), st.lists(st.sampled_from(["a" * 32, "b" * 32, "c" * 32])))
def test_the_quick_way_makes_the_same_ids(source: str, document: str, hashes: list[str]) -> None:
    ids = ChunkIds(source, document)
    expected = [chunk_point_id(source, document, each, hashes[:place].count(each)) for place, each in enumerate(hashes)]
    assert [ids.next_id(each) for each in hashes] == expected


def test_no_two_places_share_a_point() -> None:
    places = [("s", "d", "h", 0), ("s", "d", "h", 1), ("s", "e", "h", 0), ("t", "d", "h", 0), ("s", "d", "i", 0)]
    assert len({chunk_point_id(*place) for place in places}) == len(places)
