"""The commands and their options. Each imports what it needs when it runs, so that `--help` is there at once."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from lorekeeper_cli.exits import EPILOG, Exit
from lorekeeper_cli.options import (
    EmbeddedOption,
    FilesOption,
    HomeOption,
    JsonOption,
    Options,
    PipelineOption,
    SecretsOption,
    VerboseOption,
    VolumesOption,
)

__all__ = ["app"]

HOME = Path(".lorekeeper")

app = typer.Typer(
    name="lorekeeper",
    help="Answers from your documents, as declared in a manifest: on this machine, with the parts the manifest names.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from lorekeeper_api import __version__

        typer.echo(f"lorekeeper {__version__}")
        raise typer.Exit


@app.callback()
def before(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Answers from your documents, as declared in a manifest: on this machine, with the parts the manifest names."""


@app.command(epilog=EPILOG)
def run(
    *,
    files: FilesOption = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to serve on; 0 for any free one.")] = 8080,
    embedded: EmbeddedOption = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Sync again when local folders, repositories or ConfigMaps change.")
    ] = False,
    home: HomeOption = HOME,
    secrets: SecretsOption = None,
    volumes: VolumesOption = None,
    verbose: VerboseOption = False,
) -> None:
    """Take in the sources of the manifests and serve their pipelines until Ctrl-C."""

    def work() -> Exit:
        from lorekeeper_cli.interrupts import run_interruptible
        from lorekeeper_cli.serve import Listen, serve

        options = _options(files, secrets, volumes, embedded=embedded, home=home)
        return run_interruptible(lambda interrupts: serve(options, Listen(host, port), interrupts, watch=watch))

    _perform(work, verbose=verbose)


@app.command(epilog=EPILOG)
def ingest(
    *,
    files: FilesOption = None,
    confirm_deletion: Annotated[
        list[str] | None,
        typer.Option("--confirm-deletion", metavar="SOURCE", help="Let a held deletion of this source go ahead."),
    ] = None,
    embedded: EmbeddedOption = False,
    home: HomeOption = HOME,
    secrets: SecretsOption = None,
    volumes: VolumesOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Take in the sources of the manifests once; a running server is asked to do it."""

    def work() -> Exit:
        from lorekeeper_cli.ingest import ingest_once

        options = _options(files, secrets, volumes, embedded=embedded, home=home)
        return ingest_once(options, frozenset(confirm_deletion or ()), as_json=as_json)

    _perform(work, verbose=verbose, as_json=as_json)


@app.command(epilog=EPILOG)
def ask(
    question: Annotated[str, typer.Argument(help="The question.")],
    *,
    files: FilesOption = None,
    pipeline: PipelineOption = None,
    embedded: EmbeddedOption = False,
    home: HomeOption = HOME,
    secrets: SecretsOption = None,
    volumes: VolumesOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Answer a question with citations: by the running server, or with -f in this process."""

    def work() -> Exit:
        from lorekeeper_cli.ask import ask as ask_pipeline
        from lorekeeper_cli.render import render_answer

        options = _options(files, secrets, volumes, embedded=embedded, home=home, pipeline=pipeline)
        return ask_pipeline(options, "/v1/query", {"question": question}, render_answer, as_json=as_json)

    _perform(work, verbose=verbose, as_json=as_json)


@app.command(epilog=EPILOG)
def search(
    question: Annotated[str, typer.Argument(help="The question, or some words.")],
    *,
    files: FilesOption = None,
    pipeline: PipelineOption = None,
    top_k: Annotated[
        int | None, typer.Option("--top-k", min=1, max=50, help="Most passages; the pipeline's own setting if absent.")
    ] = None,
    embedded: EmbeddedOption = False,
    home: HomeOption = HOME,
    secrets: SecretsOption = None,
    volumes: VolumesOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show the passages that a question finds, with their scores; no answer is written."""

    def work() -> Exit:
        from lorekeeper_cli.ask import ask as ask_pipeline
        from lorekeeper_cli.render import render_passages

        options = _options(files, secrets, volumes, embedded=embedded, home=home, pipeline=pipeline)
        body: dict[str, object] = {"question": question}
        if top_k is not None:
            body["top_k"] = top_k
        return ask_pipeline(options, "/v1/retrieve", body, render_passages, as_json=as_json)

    _perform(work, verbose=verbose, as_json=as_json)


@app.command(epilog=EPILOG)
def check(
    *,
    files: FilesOption = None,
    embedded: EmbeddedOption = False,
    secrets: SecretsOption = None,
    volumes: VolumesOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show every mistake of the manifests at once, with its line; nothing is opened or asked."""

    def work() -> Exit:
        from lorekeeper_cli.check import check_files

        return check_files(_options(files, secrets, volumes, embedded=embedded), as_json=as_json)

    _perform(work, verbose=verbose, as_json=as_json)


@app.command(epilog=EPILOG)
def version(as_json: JsonOption = False) -> None:
    """Show the versions of Lorekeeper, Python and the platform."""

    def work() -> Exit:
        from lorekeeper_cli.version import show_version

        return show_version(as_json=as_json)

    _perform(work, verbose=False, as_json=as_json)


def _options(
    files: list[str] | None,
    secrets: list[str] | None,
    volumes: list[str] | None,
    *,
    embedded: bool,
    home: Path = HOME,
    pipeline: str | None = None,
) -> Options:
    return Options(
        files=files or [],
        home=home,
        embedded=embedded,
        secrets=secrets or [],
        volumes=volumes or [],
        pipeline=pipeline,
    )


def _perform(work: Callable[[], Exit], *, verbose: bool, as_json: bool = False) -> NoReturn:
    from lorekeeper_cli.perform import perform

    sys.exit(perform(work, verbose=verbose, as_json=as_json))
