"""`lorekeeper ingest`: sync once, in this process or by the running server of the home."""

from collections.abc import Sequence
from typing import Any

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.home import find_server
from lorekeeper_cli.interrupts import Interrupts, run_interruptible
from lorekeeper_cli.local_routes import SYNC_PATH
from lorekeeper_cli.options import Options
from lorekeeper_cli.output import note, write, write_json
from lorekeeper_cli.remote import RemoteServer
from lorekeeper_cli.report import Report, choose_exit, render_reports
from lorekeeper_runtime.stores.lock import StoreLockedError

__all__ = ["ingest_once"]


def ingest_once(options: Options, confirm_deletion: frozenset[str], *, as_json: bool) -> Exit:
    """Take in all sources and show what was done."""
    try:
        result = run_interruptible(lambda interrupts: _ingest_here(options, confirm_deletion, interrupts))
    except StoreLockedError as error:
        result = _ingest_there(find_server(error, options.home), confirm_deletion)
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
        named = {source.name for parts in opened.pipelines for source in parts.config.sources}
        for name in sorted(confirm_deletion - named):
            # A source that the manifests no longer name is swept under the guard, so this can be right.
            note(f"--confirm-deletion {name}: no pipeline of the files names this source any more")
        with show_progress() as progress:
            return await Syncer(opened.pipelines, progress).sync(confirm_deletion=confirm_deletion)


def _ingest_there(server: RemoteServer, confirm_deletion: frozenset[str]) -> Sequence[Report]:
    note(f"The server at {server.url} holds the home: it syncs with the manifests that it was started with.")
    status, reply = server.post(SYNC_PATH, {"confirm_deletion": sorted(confirm_deletion)})
    if status != 200:
        raise CommandError(error_message(reply), exit_code=Exit.UNAVAILABLE)
    pipelines: Sequence[Report] = reply["pipelines"]
    return pipelines


def error_message(reply: Any) -> str:
    """The sentence of an error that the HTTP API gave."""
    try:
        return str(reply["error"]["message"])
    except (KeyError, TypeError):
        return "The server gave an answer that is not Lorekeeper's: is another program serving on that port?"
