"""Where the command `lorekeeper` begins: Ctrl-C is looked after before anything that takes time is imported."""

import os
import signal
import sys
from types import FrameType

__all__ = ["main"]

_INTERRUPTED = 130
"""`Exit.INTERRUPTED`, which is not imported here: a module less before the handler stands."""


def main() -> None:
    """Run the command line and exit."""
    # Who starts a command in the background may have told it to ignore Ctrl-C: that stays.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop_early)
    from lorekeeper_cli.commands import app

    app()


def _stop_early(_number: int, _frame: FrameType | None) -> None:
    """End at once: nothing is open yet, and an exception would show where in an import it came."""
    sys.stderr.write("Interrupted.\n")
    sys.stderr.flush()
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
