"""`lorekeeper ingest`: sync once, in this process or by the running server of the home."""

from collections.abc import Sequence
from typing import Any

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.home import find_holder, find_server
from lorekeeper_cli.interrupts import Interrupts, run_interruptible
from lorekeeper_cli.local_routes import SERVED_PATH, SYNC_PATH
from lorekeeper_cli.options import Options
from lorekeeper_cli.output import note, write, write_json
from lorekeeper_cli.remote import RemoteServer
from lorekeeper_cli.report import Report, choose_exit, render_reports
from lorekeeper_cli.served import PipelinesHeldError, Served
from lorekeeper_runtime.stores.lock import StoreLockedError

__all__ = ["ingest_once"]


def ingest_once(options: Options, confirm_deletion: frozenset[str], *, as_json: bool) -> Exit:
    """Take in all sources and show what was done."""
    for name in confirm_deletion:
        require_text("--confirm-deletion", name)
    result: Sequence[Report] | Exit
    holder = None if options.files else find_holder(options.home)
    if holder is not None:
        result = _ingest_there(find_server(StoreLockedError(holder), options.home), confirm_deletion)
    else:
        try:
            result = run_interruptible(lambda interrupts: _ingest_here(options, confirm_deletion, interrupts))
        except PipelinesHeldError as error:
            server = find_server(error, options.home)
            served = read_served(server)
            if served != error.declared:
                raise other_manifests(server, served) from error
            result = _ingest_there(server, confirm_deletion)
    if isinstance(result, Exit):
        return result
    if as_json:
        write_json({"pipelines": result})
    else:
        for line in render_reports(result):
            write(line)
    return choose_exit(result)


async def _ingest_here(options: Options, confirm_deletion: frozenset[str], interrupts: Interrupts) -> Sequence[Report]:
    from lorekeeper_cli.opening import open_pipelines
    from lorekeeper_cli.progress import show_progress
    from lorekeeper_cli.sync import Syncer

    async with open_pipelines(options, interrupts) as opened:
        with show_progress() as progress:
            return await Syncer(opened.pipelines, progress).sync(confirm_deletion=confirm_deletion)


def _ingest_there(server: RemoteServer, confirm_deletion: frozenset[str]) -> Sequence[Report]:
    note(f"The server at {server.url} holds the home: it syncs with the manifests that it was started with.")
    status, reply = server.post(SYNC_PATH, {"confirm_deletion": sorted(confirm_deletion)})
    if status != 200:
        raise refusal(status, reply)
    pipelines: Sequence[Report] = reply["pipelines"]
    return pipelines


def read_served(server: RemoteServer) -> Served:
    """Ask a server of this home what it serves.

    Raises:
        CommandError: It does not answer, or does not say so.
    """
    status, reply = server.get(SERVED_PATH)
    if status != 200:
        raise refusal(status, reply)
    served: Served = reply["pipelines"]
    return served


def other_manifests(server: RemoteServer, served: Served) -> CommandError:
    """What is said when the manifests that were given are not those that a server was started with."""
    return CommandError(
        f"The server at {server.url} serves other manifests (pipelines: {', '.join(served)}): leave out -f to use "
        "what it serves, stop it, or choose another --home.",
    )


def refusal(status: int, reply: Any) -> CommandError:
    """The error that stands for an HTTP reply."""
    unavailable = status >= 500
    try:
        code = str(reply["error"]["code"])
    except (KeyError, TypeError):
        code = CommandError.code
        unavailable = True
    return CommandError(error_message(reply), exit_code=Exit.UNAVAILABLE if unavailable else Exit.MISTAKES, code=code)


def require_text(what: str, text: str) -> None:
    """Refuse an argument whose bytes are no text: it could be neither sent nor embedded.

    Raises:
        CommandError: The command line is wrong.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CommandError(
            f"{what} holds bytes that are not UTF-8 text: type it in a terminal that uses UTF-8.",
            exit_code=Exit.USAGE,
        ) from error


def error_message(reply: Any) -> str:
    """The sentence of an error that the HTTP API gave."""
    try:
        return str(reply["error"]["message"])
    except (KeyError, TypeError):
        return "The server gave an answer that is not Lorekeeper's: is another program serving on that port?"
