"""Exit codes of the command, the same for every command."""

from enum import IntEnum

__all__ = ["EPILOG", "Exit"]


class Exit(IntEnum):
    """How the command ended."""

    OK = 0
    """Done. An honest "not in the sources" is an answer too: scripts read `answered` of `--json`."""
    MISTAKES = 1
    """The manifests hold mistakes, or a file, folder or port that was given cannot be used."""
    USAGE = 2
    """The command line itself is wrong."""
    FAILED_DOCUMENTS = 3
    """The work was done, but some documents failed, or a deletion is held until it is confirmed."""
    UNAVAILABLE = 5
    """A model's provider, a vector store, a source or the running server refused or did not answer."""
    INTERNAL = 70
    """A fault in Lorekeeper itself."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C, or by SIGTERM or SIGHUP before the work was done. A server that these two stop ends with 0."""


EPILOG = (
    "Exit codes: 0 done (also when the answer is not in the sources), 1 mistakes in manifests or values, 2 usage, "
    "3 some documents failed or a deletion is held, 5 a provider, store, source or server is unavailable, "
    "70 a fault in lorekeeper itself, 130 interrupted (a server stopped by SIGTERM or SIGHUP: 0)."
)
"""The same, for the end of `--help`."""
