"""Kinds of value that several fields share, each with its bounds: every string, list and number has an end."""

from typing import Annotated

from pydantic import Field

from lorekeeper_api.cron import CRON_EXPRESSION, is_cron, is_possible_cron
from lorekeeper_api.expressions import compile_expression
from lorekeeper_api.rules import Rule
from lorekeeper_api.zones import is_time_zone

__all__ = [
    "PATTERN_MEANINGS",
    "Cron",
    "DateTime",
    "Folder",
    "GitReference",
    "GitUrl",
    "Glob",
    "Globs",
    "Link",
    "ModelName",
    "Name",
    "Path",
    "Quantity",
    "SecretKey",
    "SourceName",
    "Text",
    "TimeZone",
    "Url",
]

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = rf"^{_LABEL}(\.{_LABEL})*$"
_KEY = r"^[-._a-zA-Z0-9]+$"
_MODEL = r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$"
# What stands inside a class: white space with control characters, and all that Git allows in no branch and no tag.
_SPACE = r"\x00-\x20\x7f"
_NOT_IN_REFERENCES = rf"{_SPACE}~^:?*\[\\"
_TIME_ZONE = r"^[A-Za-z][A-Za-z0-9_+/-]*$"

PATTERN_MEANINGS = {
    _NAME: "must be the name of a Kubernetes object: lower-case letters, digits, `-` and `.`, with a letter or digit "
    "at both ends",
    _KEY: "must be a key of a Secret: letters, digits, `-`, `_` and `.`",
    _MODEL: "must be a model's name as its provider spells it, for example `gemma3:1b`: letters, digits and `._:/@+-`",
    _TIME_ZONE: "must be the IANA name of a time zone, for example `Europe/Berlin`",
}
"""What each pattern wants, for people; the API server shows the pattern itself."""


def _matches(expression: str, message: str) -> Rule:
    """A rule that the value matches an expression which CEL (RE2) and Python read alike."""
    compiled = compile_expression(expression)
    return Rule(f"self.matches(r'{expression}')", message, lambda value: compiled.search(value) is not None)


def _lacks(expression: str, message: str) -> Rule:
    """A rule that the value matches an expression nowhere."""
    compiled = compile_expression(expression)
    return Rule(f"!self.matches(r'{expression}')", message, lambda value: compiled.search(value) is None)


_NO_USER = _lacks(
    r"^[a-z]+://[^/?#]*@",
    "must not hold a user name or password: put them into a Secret and name it under `credentials`",
)

Name = Annotated[str, Field(min_length=1, max_length=253, pattern=_NAME)]
"""Name of a Kubernetes object."""

SourceName = Annotated[str, Field(min_length=1, max_length=63, pattern=_NAME)]
"""Name of a KnowledgeSource."""

SecretKey = Annotated[str, Field(min_length=1, max_length=253, pattern=_KEY)]
"""Key inside a Secret."""

ModelName = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=_MODEL),
    _lacks(r"[.][.]", "must not contain `..`"),
]
"""Name of a model as its provider spells it."""

Url = Annotated[
    str,
    Field(min_length=1, max_length=2048),
    _matches(
        rf"^https?://[^{_SPACE}/?#]+([/?#][^{_SPACE}]*)?$",
        "must be a whole address that begins with https:// or http://",
    ),
    _NO_USER,
]
"""Address of a server."""

Link = Annotated[
    str,
    Field(min_length=1, max_length=2048),
    _matches(
        rf"^https?://[^{_SPACE}/?#@]+([/?#][^{_SPACE}]*)?$",
        "must be a whole address that a reader can open, beginning with https:// or http://",
    ),
]
"""Address that a citation points to."""

GitUrl = Annotated[
    str,
    Field(min_length=1, max_length=2048),
    _matches(
        rf"^(https?://[^{_SPACE}/?#]+/[^{_SPACE}]+|file:///[^{_SPACE}]+)$",
        "must begin with https://, http:// or file:///; a private repository is read by https, with a Secret named "
        "under `credentials`",
    ),
    _NO_USER,
]
"""Address of a Git repository."""

GitReference = Annotated[
    str,
    Field(min_length=1, max_length=255),
    _matches(rf"^[^-{_NOT_IN_REFERENCES}][^{_NOT_IN_REFERENCES}]*$", "must be a branch, a tag or a full commit id"),
    _lacks(r"[.][.]|@[{]", "must name one commit: write a branch, a tag or a full commit id, not a range"),
]
"""Branch, tag or commit."""

_RELATIVE = r"^/|/$|//|\\|[\x00-\x1f]|(^|/)[.][.]?(/|$)"

Path = Annotated[
    str,
    Field(min_length=1, max_length=1024),
    _lacks(_RELATIVE, "must be a relative path such as `guides/start.md`, without `..`, `.`, `//` or `\\`"),
]
"""Relative path of a document, with forward slashes."""

Folder = Annotated[
    str,
    Field(min_length=1, max_length=1024),
    _lacks(
        _RELATIVE,
        "must be a relative path such as `docs/guides`, without `..`, `.` or a slash at an end; leave it out to take "
        "everything",
    ),
]
"""Relative path of a folder, with forward slashes."""

Glob = Annotated[
    str,
    Field(min_length=1, max_length=256),
    _lacks(
        r"//|\\|(^|/)[.][.](/|$)",
        "must be relative to the source's folder, with forward slashes and without `..`: write `docs/**` for all that "
        "is below a folder",
    ),
    _lacks(r"^!", "must not begin with `!`: list what is to be left out under `exclude`"),
]
"""Glob over paths: `*` within a folder, `**` over folders, `{a,b}` for a choice; `docs/` is `docs/**`."""

Globs = Annotated[list[Glob], Field(min_length=1, max_length=64)]
"""Several globs."""

Cron = Annotated[
    str,
    Field(min_length=1, max_length=128),
    Rule(
        f"self.matches(r'{CRON_EXPRESSION}')",
        "must be a cron expression of five fields (minute, hour, day of month, month, day of week), for example "
        "`*/30 * * * *`",
        is_cron,
    ),
    # A regular expression cannot compare numbers; the server lets these pass, the operator and `check` do not.
    Rule(
        "",
        "must come true one day: a range runs from low to high, and the day exists in one of the months",
        lambda value: not is_cron(value) or is_possible_cron(value),
    ),
]
"""Cron expression of five fields."""

TimeZone = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=_TIME_ZONE),
    Rule("", "is not a known time zone: use an IANA name, for example `Europe/Berlin`", is_time_zone),
]
"""IANA name of a time zone."""

Quantity = Annotated[
    str,
    Field(min_length=1, max_length=20),
    _matches(
        r"^[1-9][0-9]{0,14}(Ki|Mi|Gi|Ti|k|M|G|T)?$",
        "must be a whole number of bytes with an optional unit (Ki, Mi, Gi, Ti, k, M, G, T), for example `50Mi`",
    ),
]
"""Whole number of bytes with an optional unit."""

DateTime = Annotated[str, Field(max_length=64, json_schema_extra={"format": "date-time"})]
"""Moment in UTC, RFC 3339."""

Text = Annotated[str, Field(min_length=1, max_length=8192)]
"""Text a person wrote."""
