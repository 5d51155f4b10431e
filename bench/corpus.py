"""The documents of the benchmark: real ones, the same for every program and every run.

Taken from the folder that BENCH_CORPUS names, else from Debian's documentation packages, else from what is installed
beside Python. The choice is by a hash of each file's path, so it is the same on every machine that has the same files.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.paths import CACHE, CORPUS

__all__ = ["Corpus", "copy_changed", "load_corpus"]

PACKAGES = ("git-doc", "perl-doc", "linux-doc-6.1")
TEXT_ENDINGS = (".txt", ".rst", ".md", ".markdown", ".adoc", ".pod")
HTML_ENDINGS = (".html", ".htm")
RENAMED = {".rst.txt": ".rst", ".adoc": ".txt", ".pod": ".pod.txt", ".py": ".py.txt"}
"""Endings under which every program takes the file as text."""
SMALLEST, LARGEST = 256, 1024 * 1024
"""Bytes: an empty page and a megabyte of generated tables say nothing about documentation."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder of chosen files."""

    folder: str
    origin: str
    """Where they come from, in words for the header of the results."""
    files: int
    bytes: int
    digest: str
    """Over all paths and contents: equal means the same documents."""


def load_corpus(kind: str, count: int) -> Corpus:
    """Return the corpus of a kind ("text" or "html"), choosing and copying the files at the first call.

    Raises:
        RuntimeError: BENCH_CORPUS names no folder, or nothing is found at all.
    """
    root, origin = _find_root()
    key = hashlib.sha256(f"{root}\0{kind}\0{count}\0{','.join(TEXT_ENDINGS)}".encode()).hexdigest()[:8]
    folder = CORPUS / f"{kind}-{count}-{key}"
    note = folder.with_suffix(".json")
    if note.exists():
        return Corpus(**json.loads(note.read_text()))
    if folder.exists():
        shutil.rmtree(folder)
    endings = HTML_ENDINGS if kind == "html" else TEXT_ENDINGS
    chosen = list(_choose(root, endings, count))
    if len(chosen) < count and kind == "text" and root == Path(sysconfig.get_path("stdlib")):
        chosen += list(_choose(root, (".py",), count - len(chosen)))
        origin += ", filled up with Python source files"
    if not chosen:
        raise RuntimeError(f"{root} has no {kind} files; set BENCH_CORPUS to a folder of documentation.")
    digest = hashlib.sha256()
    size = 0
    for path in sorted(chosen):
        name = _new_name(path.relative_to(root))
        content = path.read_bytes()
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
        size += len(content)
    corpus = Corpus(str(folder), origin, len(chosen), size, digest.hexdigest()[:16])
    note.write_text(json.dumps(asdict(corpus)))
    return corpus


def copy_changed(corpus: Corpus, target: Path) -> None:
    """Copy a corpus to a folder that a benchmark may change."""
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(corpus.folder, target)


def _find_root() -> tuple[Path, str]:
    named = os.environ.get("BENCH_CORPUS")
    if named:
        root = Path(named).resolve()
        if not root.is_dir():
            raise RuntimeError(f"BENCH_CORPUS names {named}, which is not a folder.")
        return root, f"files of {root.name} (BENCH_CORPUS)"
    unpacked = CACHE / "packages"
    versions = unpacked / "versions.json"
    if not versions.exists():
        _fetch_packages(unpacked)
    if versions.exists():
        return unpacked, "Debian packages " + ", ".join(json.loads(versions.read_text()))
    return (
        Path(sysconfig.get_path("stdlib")),
        "NOTE: no Debian packages here, so documentation files found below Python's own library",
    )


def _fetch_packages(unpacked: Path) -> None:
    """Download and unpack the documentation packages; leaves no versions.json when that is not possible."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return
    archives = CACHE / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        # A package that this release does not have is no reason to go without the others.
        subprocess.run(["apt-get", "-q", "download", package], cwd=archives, check=False, capture_output=True)
    found = sorted(archives.glob("*.deb"))
    for archive in found:
        subprocess.run(["dpkg-deb", "-x", archive, unpacked], check=True)
    if found:
        names = [archive.name.rsplit("_", 1)[0].replace("%3a", ":").replace("_", " ") for archive in found]
        (unpacked / "versions.json").write_text(json.dumps(names))


def _choose(root: Path, endings: Sequence[str], count: int) -> Iterator[Path]:
    """Yield `count` readable files with these endings, in the order of their paths' hashes."""
    candidates = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if name.endswith(tuple(endings)) and not path.is_symlink():
                relative = path.relative_to(root).as_posix()
                candidates.append((hashlib.sha256(relative.encode("utf-8", "surrogateescape")).digest(), path))
    taken = 0
    for _, path in sorted(candidates):
        if taken == count:
            return
        if _is_plain(path):
            taken += 1
            yield path


def _is_plain(path: Path) -> bool:
    if not SMALLEST <= path.stat().st_size <= LARGEST:
        return False
    content = path.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def _new_name(relative: Path) -> str:
    name = relative.as_posix()
    for ending, replacement in RENAMED.items():
        if name.endswith(ending):
            return name.removesuffix(ending) + replacement
    return name
