"""`lorekeeper ask` and `lorekeeper search`: by the running server of the home, or in this process with `-f`."""

from collections.abc import Callable, Iterator
from typing import Any

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.home import find_holder, find_server
from lorekeeper_cli.ingest import other_manifests, read_served, refusal, require_text
from lorekeeper_cli.interrupts import Interrupts, run_interruptible
from lorekeeper_cli.options import Options
from lorekeeper_cli.output import note, write, write_json
from lorekeeper_cli.served import PipelinesHeldError
from lorekeeper_runtime.stores.lock import StoreLockedError

__all__ = ["ask"]

Reply = tuple[int, Any]


def ask(
    options: Options, path: str, body: dict[str, object], render: Callable[[Any], Iterator[str]], *, as_json: bool
) -> Exit:
    """Ask and show the reply.

    Args:
        options: What the command was given.
        path: Route of the HTTP API; it is asked the same way wherever the pipeline is.
        body: The request.
        render: Gives the lines of a good reply.
        as_json: Whether the reply is shown as it came.
    """
    require_text("The question", str(body["question"]))
    require_text("--pipeline", options.pipeline or "")
    reply: Reply | Exit
    if options.files:
        try:
            reply = run_interruptible(lambda interrupts: _ask_here(options, path, body, interrupts))
        except PipelinesHeldError as error:
            reply = _ask_there(error, options, path, body)
    else:
        holder = find_holder(options.home)
        if holder is None:
            raise CommandError(
                f"No server holds {options.home}: start one with lorekeeper run -f FILE, or give the manifests with -f."
            )
        reply = _ask_there(StoreLockedError(holder), options, path, body)
    if isinstance(reply, Exit):
        return reply
    status, content = reply
    if status != 200:
        if content.get("error", {}).get("code") == "GenerationNotConfigured":
            raise CommandError(
                "The pipeline has no generation and writes no answers: use lorekeeper search.",
                code="GenerationNotConfigured",
            )
        raise refusal(status, content)
    if as_json:
        write_json(content)
    else:
        for line in render(content):
            write(line)
    return Exit.OK


async def _ask_here(options: Options, path: str, body: dict[str, object], interrupts: Interrupts) -> Reply:
    from lorekeeper_cli.asgi import post_json
    from lorekeeper_cli.opening import open_pipelines
    from lorekeeper_runtime.wiring import build_app

    async with open_pipelines(options, interrupts) as opened:
        if len(opened.pipelines) > 1:
            names = ", ".join(parts.config.pipeline for parts in opened.pipelines)
            raise CommandError(f"The files hold several pipelines ({names}): name one with --pipeline.")
        parts = opened.pipelines[0]
        await _bring_in_step(parts)
        return await post_json(build_app([parts]), path, body | {"pipeline": parts.config.pipeline})


async def _bring_in_step(parts: Any) -> None:
    """Sync before the question where that is needed or costs little: every source of a revision that is not served yet,
    otherwise those on this machine. A remote source is looked at by `lorekeeper ingest`.
    """
    from lorekeeper_cli.progress import show_progress
    from lorekeeper_cli.report import choose_exit, render_reports
    from lorekeeper_cli.sync import Syncer

    config = parts.config
    active = await parts.store.read_alias(config.alias)
    sources = None
    if active is not None and active.fingerprint == config.target:
        sources = frozenset(source.name for source in config.sources if _is_local(source))
    with show_progress() as progress:
        reports = await Syncer([parts], progress).sync(sources=sources)
    for line in render_reports(reports, quiet=True, name_failures=False):
        note(line)
    if not all(report["active"] for report in reports):
        raise CommandError("Nothing can be asked yet: no source could be taken in.", exit_code=choose_exit(reports))


def _is_local(source: SourceConfig) -> bool:
    git = source.spec.git
    return git is None or git.url.startswith("file:")


def _ask_there(error: StoreLockedError, options: Options, path: str, body: dict[str, object]) -> Reply:
    server = find_server(error, options.home)
    wanted = options.pipeline
    if isinstance(error, PipelinesHeldError):
        served = read_served(server)
        if any(served.get(name) != sources for name, sources in error.declared.items()):
            raise other_manifests(server, served) from error
        if len(error.declared) == 1:  # the server may serve others too
            (wanted,) = error.declared
    status, content = server.post(path, body if wanted is None else body | {"pipeline": wanted})
    if status in {400, 404} and content.get("error", {}).get("param") == "pipeline":
        _, models = server.get("/v1/models")
        names = ", ".join(model["id"] for model in models["data"])
        raise CommandError(f"The server at {server.url} serves the pipelines {names}: name one with --pipeline.")
    return status, content
