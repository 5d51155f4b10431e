"""`python -m tests.support.qdrant_server --port 0 --path DIR`: prints one line of JSON with the address."""

import argparse
import json
import os
from pathlib import Path

from .running import serve


def main() -> None:
    parser = argparse.ArgumentParser(description="A small Qdrant over the embedded engine.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=6333, help="0 lets the system choose")
    parser.add_argument("--path", type=Path, required=True, help="folder for the data")
    given = parser.parse_args()
    serve(
        given.path,
        host=given.host,
        port=given.port,
        api_key=os.environ.get("QDRANT__SERVICE__API_KEY") or None,
        ready=lambda address: print(json.dumps({"url": address}), flush=True),
    )


if __name__ == "__main__":
    main()
