"""OLLAMA_HOST in the forms that Ollama itself takes."""

from urllib.parse import urlsplit

__all__ = ["DEFAULT_OLLAMA", "parse_ollama_host"]

DEFAULT_OLLAMA = "http://127.0.0.1:11434"
_PORTS = {"http": 80, "https": 443}


def parse_ollama_host(value: str) -> str:
    """Return the address that OLLAMA_HOST names: `host`, `host:port`, `:port` or an address with a scheme.

    Without a scheme the port is 11434 unless one is given; with a scheme it is the scheme's. The address that means
    "every interface" to a server is this machine to a client.

    Raises:
        ValueError: It is none of these.
    """
    text = value.strip().strip("\"'")
    if not text:
        return DEFAULT_OLLAMA
    scheme, _, rest = text.rpartition("://")
    scheme = scheme or "http"
    if scheme not in _PORTS:
        raise ValueError(f"OLLAMA_HOST must begin with http:// or https://, not {scheme}://")
    if rest.count(":") > 1 and not rest.startswith("["):
        rest = f"[{rest}]"
    parts = urlsplit(f"{scheme}://{rest}")
    default = _PORTS[scheme] if "://" in text else 11434
    host = parts.hostname or "127.0.0.1"
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - nothing is bound: a server's "everywhere" is looked for here
        host = "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{parts.port or default}{parts.path.rstrip('/')}"
