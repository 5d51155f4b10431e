import zoneinfo
from datetime import UTC, datetime

import pytest
from cronsim import CronSim

from lorekeeper_api.cron import is_cron, is_possible_cron
from lorekeeper_api.zones import is_time_zone

POSSIBLE = [
    *("* * * * *", "*/30 * * * *", "0 3 * * *", "0,30 9-17 * * 1-5", "5/10 * * * *", "0 3 * * MON", "0 3 1 jan,Jul *"),
    *("0 0 29 2 *", "0 0 31 1-12/2 *", "0 0 30 2,3 *", "0 0 30 2 1", "59 23 31 12 7", "*/5,7 * * * *", "0 0 1-7 * SUN"),
    *("0  3  *  *  *", "00 03 01 01 *", "1-10/3 * * * *", "0 0 31 */3 *", "0 0 31 1/5 *"),
]
IMPOSSIBLE = ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 feb *", "30-10 * * * *", "0 0 * 12-1 *", "0 0 * * 5-1"]
NONSENSE = [
    *("", "*", "* * * *", "* * * * * *", "@daily", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *"),
    *(
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "a * * * *",
        "1,,2 * * * *",
        "1- * * * *",
        "* * * * MONDAY",
        "1.5 * * * *",
    ),
    *(" * * * * *", "* * * * * ", "* * * * *\n", "-1 * * * *", "*-5 * * * *", "\u0661 * * * *"),
]


@pytest.mark.parametrize("text", POSSIBLE)
def test_possible(text: str) -> None:
    assert is_cron(text)
    assert is_possible_cron(text)
    # The library that computes the next run must take what the API takes.
    next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_never(text: str) -> None:
    assert is_cron(text)
    assert not is_possible_cron(text)


@pytest.mark.parametrize("text", NONSENSE)
def test_nonsense(text: str) -> None:
    assert not is_cron(text)


@pytest.mark.parametrize(
    ("name", "known"),
    [("UTC", True), ("Etc/UTC", True), ("Europe/Berlin", True), ("Europe/Berln", False), ("../etc/passwd", False)],
)
def test_time_zones(name: str, known: bool) -> None:
    assert is_time_zone(name) is known


def test_any_time_zone_is_taken_where_there_is_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    assert is_time_zone("Europe/Nowhere")
