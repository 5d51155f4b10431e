"""From manifests to open pipelines: what run, ingest, ask and search have in common."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from lorekeeper_api.contract.config import StoreConfig
from lorekeeper_cli.check import load_checked, note_ignored
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.home import hold_home
from lorekeeper_cli.interrupts import Interrupts
from lorekeeper_cli.manifests import Manifests
from lorekeeper_cli.options import Options
from lorekeeper_cli.output import note
from lorekeeper_cli.places import private_folder
from lorekeeper_cli.resolve import (
    DeclaredPipeline,
    cluster_only_fields,
    declare_pipelines,
    name_embedded,
    resolve_config,
)
from lorekeeper_cli.served import PipelinesHeldError, describe_declared
from lorekeeper_runtime.errors import ProviderError, StoreError
from lorekeeper_runtime.ports import Store
from lorekeeper_runtime.stores.lock import HomeLock, StoreLockedError
from lorekeeper_runtime.wiring import OpenPipeline, open_pipeline, open_store

__all__ = ["Opened", "open_pipelines"]


@dataclass(frozen=True, slots=True)
class Opened:
    """Everything that is held open."""

    manifests: Manifests
    declared: list[DeclaredPipeline]
    pipelines: list[OpenPipeline]
    lock: HomeLock


@asynccontextmanager
async def open_pipelines(options: Options, interrupts: Interrupts) -> AsyncIterator[Opened]:
    """Check the manifests, hold the home, ask the providers and open the pipelines.

    Raises:
        CommandError: The manifests hold mistakes, or not the pipeline that was named.
        PipelinesHeldError: Another process holds the home.
        ProviderError: A model's provider does not answer.
        StoreError: A store does not answer or cannot be opened.
    """
    manifests, given = load_checked(options)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(private_folder())
        interrupts.leftovers.append(folder)
        home = options.home.absolute()
        declared = _choose(
            declare_pipelines(manifests, given, home=home, folder=folder, embedded=options.embedded), options.pipeline
        )
        try:
            lock = stack.enter_context(hold_home(home))
        except StoreLockedError as error:
            raise PipelinesHeldError(error.holder, describe_declared(declared)) from error
        note_ignored(manifests)
        _announce(manifests, declared)
        configs = [await resolve_config(pipeline) for pipeline in declared]
        stores: dict[StoreConfig, Store] = {}
        pipelines = []
        for config in configs:
            if config.store not in stores:
                store = await stack.enter_async_context(open_store(config.store, lock))
                await _check_store(config.store, store)
                stores[config.store] = store
            parts = await stack.enter_async_context(open_pipeline(config, stores[config.store]))
            await _check_generator(parts)
            pipelines.append(parts)
        yield Opened(manifests, declared, pipelines, lock)


def _choose(declared: list[DeclaredPipeline], name: str | None) -> list[DeclaredPipeline]:
    if name is None:
        return declared
    chosen = [pipeline for pipeline in declared if pipeline.name == name]
    if not chosen:
        known = ", ".join(pipeline.name for pipeline in declared)
        raise CommandError(f"The files hold no pipeline {name}; they hold: {known}.")
    return chosen


def _announce(manifests: Manifests, declared: Sequence[DeclaredPipeline]) -> None:
    for pipeline in declared:
        for replaced in pipeline.replaced:
            note(f"{pipeline.name}: --embedded replaces {replaced}")
    unused = cluster_only_fields(manifests)
    if unused:
        note(f"Used on a cluster only: {', '.join(unused)}")


async def _check_store(config: StoreConfig, store: Store) -> None:
    try:
        await store.list_collections()
    except StoreError as error:
        if config.kind == "Embedded" or "--embedded" in error.message:
            raise
        message = f"{error.message.rstrip('.')}. To do without remote parts add --embedded."
        raise StoreError(message, code=error.code, retryable=error.retryable) from error


async def _check_generator(parts: OpenPipeline) -> None:
    """Ask the generator's provider now: an answer in an hour is a bad place to learn that it is not there."""
    if parts.generator is None:
        return
    try:
        await parts.generator.describe()
    except ProviderError as error:
        raise name_embedded(error) from error
