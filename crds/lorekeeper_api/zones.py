"""Whether a time zone exists."""

import zoneinfo

__all__ = ["is_time_zone"]


def is_time_zone(name: str) -> bool:
    """Return whether the machine's time zone database knows the name; True where the machine has no database."""
    if name in ("UTC", "Etc/UTC"):
        return True
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return not zoneinfo.available_timezones()
    return True
