"""Globs over paths: `*` and `?` within a folder, `**` over folders, `[...]` a character, `{a,b}` a choice.

An ending that a glob writes out, as in `*.md`, is matched without regard to case, as are the endings that are taken by
default: `NOTES.MD` is Markdown too. All else is matched as it is written.

A glob is one regular expression whose wildcards never give back what they took, so that no glob and no path can make it
slow: between two wildcards the first match is as good as any other.
"""

import re
from collections.abc import Iterable, Sequence

from lorekeeper_runtime.errors import SourceError

__all__ = ["SUPPORTED_ENDINGS", "PathFilter", "compile_globs"]

SUPPORTED_ENDINGS = frozenset(
    {
        "md",
        "markdown",
        "mdown",
        "mkd",
        "mdx",
        "html",
        "htm",
        "xhtml",
        "txt",
        "text",
        "rst",
        "adoc",
        "asciidoc",
        "pdf",
        "docx",
    }
)
"""Endings of the names that are taken when a source includes nothing by name; those that the parsers know."""

_MAX_CHOICES = 1024


class PathFilter:
    """Says which paths of a source are documents.

    Hidden files and folders, whose names begin with a dot, are left out unless a glob names the dot.

    Args:
        include: Globs of paths to take; every supported format when None.
        exclude: Globs of paths to leave out; exclusion wins.

    Raises:
        SourceError: A glob is not valid (code InvalidSource).
    """

    def __init__(self, include: Sequence[str] | None, exclude: Sequence[str] | None) -> None:
        self._include = compile_globs(include, hidden=False) if include else None
        self._exclude = compile_globs(exclude, hidden=True) if exclude else None
        closed = [glob[:-3] for glob in _expand_all(exclude or ()) if glob.endswith("/**")]
        self._closed = compile_globs(closed, hidden=True) if closed else None
        parts = {part for glob in _expand_all(include or ()) for part in glob.split("/")}
        self._hidden = sorted(part for part in parts if part.startswith("."))
        self._opened = compile_globs(self._hidden, hidden=False) if self._hidden else None

    def takes(self, path: str) -> bool:
        """Say whether a file is a document. The path has forward slashes."""
        if self._include is None:
            stem, _, ending = path.rpartition(".")
            if not stem or ending.lower() not in SUPPORTED_ENDINGS or path[0] == "." or "/." in path:
                return False
        elif not self._include.match(path):
            return False
        return self._exclude is None or not self._exclude.match(path)

    def enters(self, path: str) -> bool:
        """Say whether a folder can hold documents; one that cannot need not be read."""
        name = path.rpartition("/")[2]
        if name.startswith(".") and not (self._opened and self._opened.match(name)):
            return False
        return self._closed is None or not self._closed.match(path)


def compile_globs(globs: Iterable[str], *, hidden: bool) -> re.Pattern[str]:
    """Compile globs into one pattern that matches whole paths.

    Args:
        globs: The globs; one that ends with a slash means everything below.
        hidden: Whether a wildcard matches names that begin with a dot.

    Raises:
        SourceError: A glob has too many choices (code InvalidSource).
    """
    choices = [_translate(glob, hidden=hidden) for glob in _expand_all(globs)]
    return re.compile(f"(?:{'|'.join(dict.fromkeys(choices))})\\Z", re.DOTALL)


def _expand_all(globs: Iterable[str]) -> list[str]:
    expanded: list[str] = []
    for glob in globs:
        expanded += _expand(glob.removeprefix("./").removeprefix("/") + ("**" if glob.endswith("/") else ""))
    return expanded


def _expand(glob: str) -> list[str]:
    """Write out the choices in braces, innermost first."""
    done: list[str] = []
    waiting = [glob]
    while waiting:
        choice = waiting.pop()
        braces = _INNERMOST.search(choice)
        if braces is None:
            done.append(choice)
        else:
            before, after = choice[: braces.start()], choice[braces.end() :]
            waiting += [f"{before}{option}{after}" for option in reversed(braces[1].split(","))]
        if len(done) + len(waiting) > _MAX_CHOICES:
            raise SourceError(
                f"The glob {glob!r} stands for more than {_MAX_CHOICES} globs: write fewer choices in braces.",
                code="InvalidSource",
            )
    return done


_ENDING = re.compile(r"(?<=.)\.([A-Za-z0-9]+)\Z")
"""The ending that the last name of a glob writes out; a name that begins with its only dot has none."""

_INNERMOST = re.compile(r"\{([^{}]*,[^{}]*)\}")


def _translate(glob: str, *, hidden: bool) -> str:
    """Write a glob without braces as a regular expression.

    Runs of folders between two `**` are matched as a whole at the first place that fits: `(?>...)` tries no other.
    """
    visible = "" if hidden else r"(?!\.)"
    folder = rf"{visible}[^/]+/"
    runs: list[list[str]] = [[]]
    *folders, name = glob.split("/")
    ending = _ENDING.search(name)
    for part in [*folders, name[: ending.start()] if ending else name]:
        if part != "**":
            runs[-1].append(_translate_part(part, visible))
        elif len(runs) == 1 or runs[-1]:
            runs.append([])
    if ending:
        runs[-1][-1] += rf"\.(?i:{ending[1]})"
    first, *others = runs
    pattern = (
        "".join([f"{part}/" for part in first[:-1]] + first[-1:]) if not others else "".join(f"{p}/" for p in first)
    )
    for run in others[:-1]:
        pattern += f"(?>(?:{folder})*?{''.join(f'{part}/' for part in run)})"
    if others:
        last = others[-1]
        pattern += f"(?:{folder})*"
        pattern += "/".join(last) if last else rf"{visible}[^/]+"
    return pattern


def _translate_part(part: str, visible: str) -> str:
    """Write the glob of one name as a regular expression."""
    pieces: list[str] = [""]
    at = 0
    while at < len(part):
        character = part[at]
        at += 1
        if character == "*":
            if len(pieces) == 1 or pieces[-1]:
                pieces.append("")
        elif character == "?":
            pieces[-1] += "[^/]"
        elif character == "[" and (end := _end_of_set(part, at)) > 0:
            pieces[-1] += _translate_set(part[at:end])
            at = end + 1
        else:
            pieces[-1] += re.escape(character)
    dotted = part[:1] not in {"*", "?", "["}
    first, *others = pieces
    pattern = ("" if dotted else visible) + first
    for piece in others[:-1]:
        pattern += f"(?>[^/]*?{piece})"
    if others:
        pattern += f"[^/]*{others[-1]}"
    return pattern


def _end_of_set(part: str, begin: int) -> int:
    """Where the bracket closes that was opened before `begin`; -1 when it does not and stands for itself."""
    first = begin + 1 if part[begin : begin + 1] in {"!", "^"} else begin
    return part.find("]", first + 1)


def _translate_set(inside: str) -> str:
    negated = inside[0] in "!^"
    characters = inside[1:] if negated else inside
    kept: list[str] = []
    at = 0
    while at < len(characters):
        if characters[at + 1 : at + 2] == "-" and at + 2 < len(characters):
            low, high = characters[at], characters[at + 2]
            if low <= high:  # an empty range matches nothing
                kept.append(f"{re.escape(low)}-{re.escape(high)}")
            at += 3
        else:
            kept.append(re.escape(characters[at]))
            at += 1
    if negated:
        return f"[^/{''.join(kept)}]"
    return rf"(?!/)[{''.join(kept)}]" if kept else r"(?!)"
