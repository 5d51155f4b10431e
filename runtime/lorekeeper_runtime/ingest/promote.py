"""When a revision comes to the front, and what becomes of the others."""

from dataclasses import dataclass

from lorekeeper_api.contract.collection import CollectionSchema, manifest_name
from lorekeeper_api.contract.config import RuntimeConfig
from lorekeeper_api.contract.records import DocumentState, RunRecord
from lorekeeper_api.source import Guard
from lorekeeper_runtime.ingest.guard import held_reason
from lorekeeper_runtime.ports import ActiveCollection, Store

__all__ = ["Promotion", "promote_target"]


@dataclass(frozen=True, slots=True)
class Promotion:
    """What became of the target revision."""

    active: bool
    """Whether it is the active one now."""
    promoted: bool = False
    """Whether it became so just now."""
    held: tuple[tuple[str, str], ...] = ()
    """Why it stays aside although it is complete, as (source, sentence)."""


async def promote_target(
    config: RuntimeConfig, store: Store, schema: CollectionSchema, *, confirm_deletion: frozenset[str]
) -> Promotion:
    """Let the alias name the target revision once every source that is not suspended has completed a sync into it.

    A revision that lacks documents which are served now is held like a sync that would delete them: an empty folder or
    a failing parser must not replace good knowledge by none. Where nothing is active yet, one complete source is
    enough: there is nothing better to serve, and what is missing is told. Other revisions of the pipeline are dropped
    whenever the target is active, so that one that a killed run left behind goes with the next.

    Raises:
        StoreError: The store failed.
    """
    active = await store.read_alias(config.alias)
    promoted = False
    if active is None or active.collection != schema.collection:
        runs = await store.read_runs(schema.documents)
        wanted = [source.name for source in config.sources if not source.spec.suspend]
        complete = [name for name in wanted if _has_succeeded(runs.get(name))]
        if not complete or (active is not None and len(complete) < len(wanted)):
            return Promotion(active=False)
        if active is not None:
            held = await _find_losses(config, store, schema, active)
            if any(source not in confirm_deletion for source, _ in held):
                return Promotion(active=False, held=tuple(held))
        await store.promote(config.alias, schema.collection)
        promoted = True
    beginning = schema.collection.removesuffix(schema.fingerprint)
    for collection in await store.list_collections():
        rest = collection.removeprefix(beginning)
        if collection.startswith(beginning) and len(rest) == len(schema.fingerprint) and rest != schema.fingerprint:
            await store.drop_collections(collection, manifest_name(collection))
    return Promotion(active=True, promoted=promoted)


async def _find_losses(
    config: RuntimeConfig, store: Store, schema: CollectionSchema, active: ActiveCollection
) -> list[tuple[str, str]]:
    """Sources of which the target lacks more than their guard lets a sync delete."""
    serving = manifest_name(active.collection)
    declared = {source.name: source.spec for source in config.sources}
    losses = []
    for name in sorted(await store.read_runs(serving)):
        known = await _count_indexed(store, serving, name)
        now = await _count_indexed(store, schema.documents, name)
        spec = declared.get(name)
        reason = held_reason(
            spec.guard if spec is not None else Guard(),
            source=name,
            known=known,
            listed=now if spec is not None else 1,  # a source that is no longer named may have nothing
            gone=max(known - now, 0),
        )
        if reason is not None:
            sentence = (
                f"The new revision has {now} of the {known} documents of this source that are served now, so the old "
                f"one stays: mend the source, or confirm with --confirm-deletion {name}."
            )
            losses.append((name, sentence))
    return losses


async def _count_indexed(store: Store, documents: str, source: str) -> int:
    count = 0
    async for page in store.read_documents(documents, source):
        count += sum(record.state is DocumentState.INDEXED for record in page)
    return count


def _has_succeeded(run: RunRecord | None) -> bool:
    return run is not None and run.outcome == "Succeeded"
