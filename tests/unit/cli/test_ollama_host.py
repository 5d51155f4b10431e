import pytest

from lorekeeper_cli.ollama_host import parse_ollama_host


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "http://127.0.0.1:11434"),
        ("  ", "http://127.0.0.1:11434"),
        ("example.com", "http://example.com:11434"),
        ("example.com:5000", "http://example.com:5000"),
        (":5000", "http://127.0.0.1:5000"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:5000", "http://127.0.0.1:5000"),
        ("http://example.com", "http://example.com:80"),
        ("https://example.com", "https://example.com:443"),
        ("https://example.com:5000/", "https://example.com:5000"),
        ("https://example.com/ollama/", "https://example.com:443/ollama"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("::1", "http://[::1]:11434"),
        ("'example.com:1'", "http://example.com:1"),
    ],
)
def test_forms(value: str, expected: str) -> None:
    assert parse_ollama_host(value) == expected


@pytest.mark.parametrize("value", ["ftp://example.com", "example.com:port", "example.com:99999"])
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"OLLAMA_HOST|Port|port"):
        parse_ollama_host(value)
