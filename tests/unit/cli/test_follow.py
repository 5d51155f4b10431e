import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lorekeeper_cli.follow import follow_schedule
from lorekeeper_cli.schedule import Schedule
from lorekeeper_runtime.errors import StoreError


class FakeSyncer:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.synced: asyncio.Queue[frozenset[str] | None] = asyncio.Queue()

    async def sync(self, *, sources: frozenset[str] | None = None) -> list[dict[str, Any]]:
        self.synced.put_nowait(sources)
        if self.error is not None:
            raise self.error
        return []


def due(seconds: float) -> Schedule:
    when = datetime.now(UTC) + timedelta(seconds=seconds)
    return Schedule({"a": ("* * * * *", ZoneInfo("UTC"))}, {"a": when})


async def test_what_is_due_is_synced() -> None:
    syncer = FakeSyncer()
    task = asyncio.create_task(follow_schedule(syncer, due(0.05)))  # type: ignore[arg-type] # it only syncs

    assert await asyncio.wait_for(syncer.synced.get(), 10) == {"a"}

    task.cancel()


async def test_a_failed_sync_is_told_and_the_next_one_comes(capsys: pytest.CaptureFixture[str]) -> None:
    syncer, schedule = FakeSyncer(StoreError("The store is away.")), due(-1)
    task = asyncio.create_task(follow_schedule(syncer, schedule))  # type: ignore[arg-type] # it only syncs
    await asyncio.wait_for(syncer.synced.get(), 10)
    await asyncio.sleep(0)

    assert not task.done()
    assert schedule.due["a"] > datetime.now(UTC)
    assert "The store is away." in capsys.readouterr().err
    task.cancel()


async def test_nothing_scheduled_is_nothing_to_do() -> None:
    await asyncio.wait_for(follow_schedule(FakeSyncer(), Schedule({}, {})), 10)  # type: ignore[arg-type] # not used
