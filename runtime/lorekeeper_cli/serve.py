"""`lorekeeper run`: take in the sources, serve the pipelines, and keep both in step until a signal comes."""

import asyncio
import errno
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address

import uvicorn
from typing_extensions import override

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.follow import follow_changes, follow_schedule
from lorekeeper_cli.home import find_holder, find_server, write_token
from lorekeeper_cli.interrupts import Interrupts
from lorekeeper_cli.local_routes import add_local_routes
from lorekeeper_cli.opening import Opened, open_pipelines
from lorekeeper_cli.options import Options
from lorekeeper_cli.output import note, write
from lorekeeper_cli.progress import QuietProgress, show_progress
from lorekeeper_cli.report import choose_exit, render_reports
from lorekeeper_cli.schedule import make_schedule
from lorekeeper_cli.served import describe_configs
from lorekeeper_cli.sync import Syncer
from lorekeeper_runtime.query.hosts import LOOPBACK_HOSTS
from lorekeeper_runtime.stores.lock import StoreLockedError
from lorekeeper_runtime.wiring import OpenPipeline, build_app

__all__ = ["Listen", "serve"]

_log = logging.getLogger(__name__)

GRACE_SECONDS = 3
"""For answers that are under way when the server is asked to stop."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to serve."""

    host: str
    port: int
    """0 for any free one."""


async def serve(options: Options, listen: Listen, interrupts: Interrupts, *, watch: bool) -> Exit:
    """Do `lorekeeper run`.

    Raises:
        CommandError: The address cannot be used, the manifests hold mistakes, or the home is held by another process.
        ProviderError: A model's provider does not answer.
        StoreError: A store does not answer.
    """
    holder = find_holder(options.home)
    if holder is not None:  # said before the port is tried: it is likely the one that this server has
        raise _already_runs(StoreLockedError(holder), options)
    with bind(listen) as bound:
        try:
            async with open_pipelines(options, interrupts) as opened:
                return await _serve_opened(options, opened, bound, interrupts, watch=watch)
        except StoreLockedError as error:
            raise _already_runs(error, options) from error


def _already_runs(error: StoreLockedError, options: Options) -> CommandError:
    server = find_server(error, options.home)
    return CommandError(f"A server already runs on {options.home}, at {server.url}: stop it, or choose another --home.")


async def _serve_opened(
    options: Options, opened: Opened, bound: socket.socket, interrupts: Interrupts, *, watch: bool
) -> Exit:
    sources = [source for parts in opened.pipelines for source in parts.config.sources]
    schedule = make_schedule(sources, datetime.now(UTC))
    with show_progress() as progress:
        syncer = Syncer(opened.pipelines, progress)
        reports = await syncer.sync()
    for line in render_reports(reports):
        note(line)
    if not any(report["active"] for report in reports):
        raise CommandError("Nothing can be served: no source could be taken in.", exit_code=choose_exit(reports))
    syncer.progress = QuietProgress()
    with write_token(options.home) as token:
        app = build_app(opened.pipelines, hosts=_hosts(bound))
        add_local_routes(app, syncer, token, describe_configs(parts.config for parts in opened.pipelines))
        async with _serving(app, bound) as server:
            url = _address(bound)
            opened.lock.announce(url)
            _welcome(url, opened.pipelines)
            interrupts.serving = True
            tasks = [asyncio.create_task(follow_schedule(syncer, schedule))]
            if watch:
                tasks.append(asyncio.create_task(follow_changes(syncer, opened, options)))
            for task in tasks:
                task.add_done_callback(_tell_fault)
            try:
                await asyncio.shield(server)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
    return Exit.OK


def _tell_fault(task: asyncio.Task[None]) -> None:
    """Say that a task in the background ended, which it does by a fault only: the server goes on without it."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        _log.error("following changes or schedules stopped: %s; start again to go on", error, exc_info=error)


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers of its own, which says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _hosts(bound: socket.socket) -> frozenset[str] | None:
    """Names that requests must be addressed to: on the loopback address those of this machine, else any."""
    address = ipaddress.ip_address(bound.getsockname()[0])
    return LOOPBACK_HOSTS | {str(address)} if address.is_loopback else None


@asynccontextmanager
async def _serving(app: object, bound: socket.socket) -> AsyncIterator[asyncio.Task[None]]:
    """Serve for as long as the context lasts; gives the task that ends when the server does."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type] # an ASGI application, whatever its class
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([bound]))
    ready = asyncio.create_task(server.ready.wait())
    try:
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            raise CommandError("The server did not start: run again with --verbose.", exit_code=Exit.INTERNAL)
        yield task
    except OSError as error:
        raise _refused(error, *bound.getsockname()[:2]) from error
    finally:
        ready.cancel()
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def bind(listen: Listen) -> Iterator[socket.socket]:
    """Take the address before any work is done.

    Raises:
        CommandError: It is in use, or this machine does not have it.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise CommandError(f"--host {listen.host} is no address of this machine: try 127.0.0.1.") from error
    with socket.socket(family, kind, protocol) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(address)
        except OSError as error:
            raise _refused(error, listen.host, listen.port) from error
        yield bound


def _refused(error: OSError, host: str, port: int) -> CommandError:
    match error.errno:
        case errno.EADDRINUSE:
            message = f"Port {port} of {host} is in use: choose another with --port, or --port 0 for any free one."
        case errno.EACCES | errno.EPERM:
            message = f"Port {port} may only be used by root: choose one above 1023 with --port."
        case errno.EADDRNOTAVAIL:
            message = f"--host {host} is no address of this machine: try 127.0.0.1."
        case _:
            message = f"Cannot serve on {host} port {port} ({(error.strerror or '').lower()}): choose another."
    return CommandError(message)


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - what is printed is an address to ask
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _welcome(url: str, pipelines: Sequence[OpenPipeline]) -> None:
    for parts in pipelines:
        name = parts.config.pipeline
        route = "/v1/retrieve" if parts.generator is None else "/v1/query"
        extra = f', "pipeline": "{name}"' if len(pipelines) > 1 else ""
        write(f"{name} is served at {url}")
        write(
            f"  curl -s {url}{route} -H 'Content-Type: application/json' "
            f'-d \'{{"question": "What is this about?"{extra}}}\''
        )
    note("Ctrl-C stops.")
    host = url.rsplit(":", 1)[0].removeprefix("http://").strip("[]")
    if not ip_address(host).is_loopback:
        note("Everybody who reaches this address can ask: there is no authentication.")
