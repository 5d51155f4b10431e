"""Kinds of value that several fields share, each with its bounds: every string, list and number has an end."""

from typing import Annotated

from pydantic import Field

__all__ = ["Cron", "Glob", "Globs", "Name", "Path", "Quantity", "Text", "TimeZone", "Url"]

Name = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
"""Name of a Kubernetes object."""

Url = Annotated[str, Field(min_length=1, max_length=2048, pattern=r"^(https?|file)://[^\s]+$")]
"""Absolute address."""

Path = Annotated[str, Field(min_length=1, max_length=1024)]
"""Relative path with forward slashes."""

Glob = Annotated[str, Field(min_length=1, max_length=256)]
"""Glob over paths: `*` within a folder, `**` over folders."""

Globs = Annotated[list[Glob], Field(min_length=1, max_length=64)]
"""Several globs."""

Cron = Annotated[str, Field(min_length=9, max_length=128)]
"""Cron expression of five fields."""

TimeZone = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+\-/]+$")]
"""IANA name of a time zone."""

Quantity = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[0-9]+(Ki|Mi|Gi|Ti|k|M|G|T)?$")]
"""Whole number of bytes with an optional unit."""

Text = Annotated[str, Field(min_length=1, max_length=8192)]
"""Text a person wrote."""
