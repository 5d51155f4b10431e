"""When each source is due, by its `schedule` and `timeZone`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_cli.failure import CommandError

__all__ = ["Schedule", "make_schedule"]


@dataclass(slots=True)
class Schedule:
    """The next time of each scheduled source."""

    zones: dict[str, tuple[str, ZoneInfo]]
    """Expression and time zone by source."""
    due: dict[str, datetime]
    """Next time by source, UTC."""

    def next_time(self) -> datetime | None:
        """The earliest next time; None when nothing is scheduled."""
        return min(self.due.values(), default=None)

    def take_due(self, now: datetime) -> frozenset[str]:
        """Return the sources that are due and set their next times: a time that was slept through counts once."""
        names = frozenset(name for name, when in self.due.items() if when <= now)
        for name in names:
            self.due[name] = _next_time(*self.zones[name], now)
        return names


def make_schedule(sources: Iterable[SourceConfig], now: datetime) -> Schedule:
    """Return the schedule of the sources that have one and are not suspended.

    Raises:
        CommandError: An expression or a time zone cannot be understood.
    """
    schedule = Schedule({}, {})
    for source in sources:
        spec = source.spec
        if spec.schedule is None or spec.suspend:
            continue
        try:
            zone = ZoneInfo(spec.time_zone)
            schedule.due[source.name] = _next_time(spec.schedule, zone, now)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise CommandError(f"{source.name}: the time zone {spec.time_zone} is not known here.") from error
        except (CronSimError, StopIteration) as error:
            raise CommandError(f"{source.name}: the schedule {spec.schedule} never comes.") from error
        schedule.zones[source.name] = (spec.schedule, zone)
    return schedule


def _next_time(expression: str, zone: ZoneInfo, now: datetime) -> datetime:
    return next(CronSim(expression, now.astimezone(zone))).astimezone(UTC)
