"""`python -m lorekeeper_runtime.query` prints the OpenAPI document, which is committed as docs/openapi.json."""

import sys

import orjson

from lorekeeper_runtime.query.app import create_app, render_openapi

__all__ = ["main"]


def main() -> None:
    """Print the document of a service."""
    document = render_openapi(create_app({}, version=""))
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main()
