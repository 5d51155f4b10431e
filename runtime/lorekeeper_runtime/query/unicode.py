"""Text that cannot be written as UTF-8: half a surrogate pair, or bytes of another encoding. It is refused by name."""

import json

from lorekeeper_runtime.query.errors import QueryError, invalid_request
from lorekeeper_runtime.query.problems import name_field

__all__ = ["check_text", "explain_refusal"]

_PARAM_CHARACTERS = 64


def explain_refusal(body: bytes) -> QueryError:
    """Return what is wrong with a body that the strict parser refused: its JSON, or the characters of a field."""
    try:
        # Lenient where the strict parser is not: whatever is no UTF-8 becomes a lone surrogate, which is then found.
        value = json.loads(body.decode("utf-8", "surrogateescape"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return invalid_request("The body is not valid JSON; correct it and send it again.")
    place = _find(value)
    if place is None:
        return invalid_request("The body is not valid JSON; correct it and send it again.")
    return _not_unicode(name_field(place))


def check_text(text: str, *, param: str) -> None:
    """Refuse a text that cannot be written as UTF-8; for callers that do not come through a body.

    Raises:
        QueryError: InvalidRequest, naming the field.
    """
    if _is_broken(text):
        raise _not_unicode(param)


def _not_unicode(field: str) -> QueryError:
    what = f"The field '{field[:_PARAM_CHARACTERS]}'" if field else "A field's name"
    return invalid_request(
        f"{what} holds characters that are not valid Unicode; send it as UTF-8, without half surrogate pairs.",
        param=field[:_PARAM_CHARACTERS] or None,
    )


def _find(value: object) -> tuple[int | str, ...] | None:
    """Return where the first broken text stands; that of a broken name is the object which has it."""
    pending: list[tuple[tuple[int | str, ...], object]] = [((), value)]
    while pending:
        place, value = pending.pop()
        if isinstance(value, str) and _is_broken(value):
            return place
        if isinstance(value, dict):
            if any(_is_broken(key) for key in value):
                return place
            pending.extend(((*place, key), part) for key, part in reversed(value.items()))
        elif isinstance(value, list):
            pending.extend(((*place, number), value[number]) for number in reversed(range(len(value))))
    return None


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")
