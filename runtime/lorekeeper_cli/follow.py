"""What goes on while a server runs: syncs by schedule, and by changes of what is watched."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from lorekeeper_cli.check import find_mistakes
from lorekeeper_cli.given import parse_given
from lorekeeper_cli.manifests import Manifests, load_manifests
from lorekeeper_cli.opening import Opened
from lorekeeper_cli.options import Options
from lorekeeper_cli.output import note
from lorekeeper_cli.places import write_config_map
from lorekeeper_cli.report import render_reports
from lorekeeper_cli.schedule import Schedule
from lorekeeper_cli.sync import Syncer
from lorekeeper_cli.watch import find_watched, watch_places
from lorekeeper_runtime.errors import LorekeeperError

__all__ = ["follow_changes", "follow_schedule"]

LONGEST_SLEEP_SECONDS = 30.0
"""The clock is looked at this often: a laptop that slept, or whose clock was set, is not hours late."""


async def follow_schedule(syncer: Syncer, schedule: Schedule) -> None:
    """Sync each source when it is due, for ever."""
    while (when := schedule.next_time()) is not None:
        left = (when - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(0.0, min(left, LONGEST_SLEEP_SECONDS)))
        due = schedule.take_due(datetime.now(UTC))
        if due:
            await _sync(syncer, due)


async def follow_changes(syncer: Syncer, opened: Opened, options: Options) -> None:
    """Sync what changed on this machine, for ever."""
    sources = [source for parts in opened.pipelines for source in parts.config.sources]
    places = find_watched(sources, opened.manifests.files)
    note(f"Watching {', '.join(str(place.path) for place in places) or 'nothing: no source lies on this machine'}")
    manifests = opened.manifests
    async for touched in watch_places(places):
        changed = {place.source for place in touched if place.source is not None}
        if any(place.source is None for place in touched):
            renewed = _reload(options)
            if renewed is not None:
                changed |= _take_up(opened, manifests, renewed)
                manifests = renewed
        if changed:
            await _sync(syncer, frozenset(changed))


async def _sync(syncer: Syncer, sources: frozenset[str]) -> None:
    try:
        reports = await syncer.sync(sources=sources)
    except (LorekeeperError, OSError) as error:
        note(f"The sync of {', '.join(sorted(sources))} failed and is tried again at the next occasion: {error}")
        return
    for line in render_reports(reports, quiet=True):
        note(line)


def _reload(options: Options) -> Manifests | None:
    manifests = load_manifests(options.files)
    mistakes = find_mistakes(manifests, parse_given(options.secrets, options.volumes), embedded=options.embedded)
    if mistakes:
        note(f"The manifests changed and now hold mistakes; what was served stays. {mistakes[0].text()}")
        return None
    return manifests


def _take_up(opened: Opened, old: Manifests, new: Manifests) -> set[str]:
    """Bring ConfigMaps up to date, and return the sources that they feed. Anything else needs a new start."""
    before = {item.key: item.body for item in old.items}
    changed = {item.key for item in new.items if before.get(item.key) != item.body}
    gone = before.keys() - {item.key for item in new.items}
    if any(kind != "ConfigMap" for _, kind, _ in changed | gone):
        note("The manifests changed in more than ConfigMaps: stop and start again to take that up.")
    sources = set()
    for parts in opened.pipelines:
        for source in parts.config.sources:
            config_map = source.spec.config_map
            if config_map is None or source.mount is None:
                continue
            manifest = new.find("ConfigMap", parts.config.namespace, config_map.name)
            if manifest is not None and write_config_map(manifest, Path(source.mount)):
                sources.add(source.name)
    return sources
