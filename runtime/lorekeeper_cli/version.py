"""`lorekeeper version`."""

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.output import write, write_json

__all__ = ["show_version"]

_PARTS = ("qdrant-edge-py", "onnxruntime", "xllamacpp")
"""Parts of the extra `embedded` whose versions matter in a report of a fault."""


def show_version(*, as_json: bool) -> Exit:
    """Show what runs here."""
    from lorekeeper_api import __version__

    versions: dict[str, str | None] = {
        "lorekeeper": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    versions |= {part: _find_version(part) for part in _PARTS}
    if as_json:
        write_json(versions)
    else:
        for name, found in versions.items():
            write(f"{name} {found or 'not installed'}")
    return Exit.OK


def _find_version(part: str) -> str | None:
    try:
        return package_version(part)
    except PackageNotFoundError:
        return None
