"""Writes what is made from the models: `python -m lorekeeper_api.generate [--check] [FOLDER]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lorekeeper_api.crd import build_crd
from lorekeeper_api.emit import emit_yaml
from lorekeeper_api.names import GROUP, KINDS
from lorekeeper_api.reasons import Reason

__all__ = ["generate_files", "main"]

_HEADER = "# Written by `python -m lorekeeper_api.generate` from the models in crds/lorekeeper_api: change those.\n"

_REASONS = """<!-- Written by `python -m lorekeeper_api.generate` from crds/lorekeeper_api/reasons.py: change that. -->

# Reasons and error codes

One word for programs that says why. The same words stand in conditions, in the records of runs and documents, and as
`code` in the errors of the query API.

| code | meaning |
| --- | --- |
"""


def generate_files() -> dict[str, str]:
    """Return the generated files, text by path from the root of the repository."""
    files = {
        f"crds/{GROUP}_{names.plural}.yaml": f"{_HEADER}{emit_yaml(build_crd(kind))}" for kind, names in KINDS.items()
    }
    rows = "".join(f"| `{reason}` | {reason.meaning} |\n" for reason in sorted(Reason))
    files["docs/api/reasons.md"] = f"{_REASONS}{rows}"
    return files


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with `--check` say which of them are stale.

    Returns:
        The exit code: 1 when a file is stale.
    """
    parser = argparse.ArgumentParser(prog="python -m lorekeeper_api.generate", description="Writes generated files.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is stale")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(__file__).parents[2], help="root of the repository"
    )
    options = parser.parse_args(arguments)
    stale = []
    for name, text in generate_files().items():
        file = options.folder / name
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not options.check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {file}\n")
    if options.check and stale:
        sys.stderr.write(f"Stale: {', '.join(stale)}. Run `make generate` and commit the result.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
