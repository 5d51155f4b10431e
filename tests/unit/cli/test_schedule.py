from datetime import UTC, datetime
from typing import Any

import pytest

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_api.source import KnowledgeSourceSpec
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.schedule import make_schedule

NOW = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)


def source(name: str, **spec: Any) -> SourceConfig:
    body = {"inline": {"documents": [{"path": "a.md", "text": "x"}]}} | spec
    return SourceConfig(name=name, spec=KnowledgeSourceSpec.model_validate(body))


def test_a_source_is_due_in_its_own_time_zone() -> None:
    schedule = make_schedule([source("a", schedule="30 3 * * *", timeZone="Europe/Berlin")], NOW)

    # The night of the change to summer time: 03:30 is one hour earlier in UTC than the night before.
    assert schedule.next_time() == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_suspended_and_unscheduled_sources_are_never_due() -> None:
    schedule = make_schedule([source("a"), source("b", schedule="* * * * *", suspend=True)], NOW)

    assert schedule.next_time() is None


def test_a_time_that_was_slept_through_counts_once() -> None:
    schedule = make_schedule([source("a", schedule="*/5 * * * *"), source("b", schedule="0 0 1 1 *")], NOW)

    assert schedule.take_due(NOW) == frozenset()
    later = NOW.replace(hour=23, minute=1)
    assert schedule.take_due(later) == {"a"}
    assert schedule.take_due(later) == frozenset()
    assert schedule.next_time() == later.replace(minute=5)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"schedule": "0 0 * * *", "timeZone": "Mars/Olympus"}, "time zone Mars/Olympus is not known"),
        ({"schedule": "0 0 30 2 *"}, "never comes"),
        ({"schedule": "99 * * * *"}, "never comes"),
    ],
)
def test_what_cannot_be_followed_is_said(spec: dict[str, str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        make_schedule([source("a", **spec)], NOW)
