from datetime import UTC, datetime, timedelta, timezone

import pytest

from lorekeeper_api.names import Kind
from lorekeeper_api.requests import (
    LastRequest,
    Request,
    RequestFormatError,
    RequestVerb,
    format_request,
    is_expired,
    new_token,
    parse_request,
    token_time,
    verbs_of,
)

TOKEN = "20260314T150926Z-k3v9x2"
ASKED = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        (f"sync@{TOKEN}", Request(RequestVerb.SYNC, TOKEN)),
        (f"sync/support@{TOKEN}", Request(RequestVerb.SYNC, TOKEN, "support")),
        (f"confirm-deletion/a.b-c@{TOKEN}", Request(RequestVerb.CONFIRM_DELETION, TOKEN, "a.b-c")),
        (f"promote/8c1f02ab@{TOKEN}", Request(RequestVerb.PROMOTE, TOKEN, "8c1f02ab")),
        (f"rollback@{TOKEN}", Request(RequestVerb.ROLLBACK, TOKEN)),
        (f"restore-test@{TOKEN}", Request(RequestVerb.RESTORE_TEST, TOKEN)),
        (f"forget/person-17@{TOKEN}", Request(RequestVerb.FORGET, TOKEN, "person-17")),
    ],
)
def test_reads_what_it_writes(text: str, request_: Request) -> None:
    assert parse_request(text) == request_
    assert format_request(request_) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "VERB"),
        ("sync", "VERB"),
        ("sync@", "VERB"),
        ("sync@now", "VERB"),
        (f"@{TOKEN}", "VERB"),
        (f"sync/@{TOKEN}", "VERB"),
        (f"sync/a/b@{TOKEN}", "VERB"),
        (f"sync/Jane Doe@{TOKEN}", "VERB"),
        (f"sync/{'a' * 254}@{TOKEN}", "VERB"),
        (f"sync@{TOKEN}\n", "VERB"),
        (f"sync@{TOKEN}-{'x' * 40}", "VERB"),
        (f"explode@{TOKEN}", "one of sync, retry"),
        (f"promote@{TOKEN}", "needs an argument"),
        (f"forget@{TOKEN}", "needs an argument"),
        (f"restore-test/x@{TOKEN}", "takes no argument"),
        ("sync@20261399T000000Z-k3v9x2", "begins with a time"),
    ],
)
def test_refuses_what_it_cannot_read(text: str, says: str) -> None:
    with pytest.raises(RequestFormatError, match=says):
        parse_request(text)


def test_a_token_tells_when_it_was_made() -> None:
    berlin = timezone(timedelta(hours=1))
    assert new_token(ASKED.astimezone(berlin), "k3v9x2") == TOKEN
    assert token_time(TOKEN) == ASKED


@pytest.mark.parametrize(
    ("now", "created", "expired"),
    [
        (timedelta(0), timedelta(0), False),
        (timedelta(minutes=60), timedelta(days=-9), False),
        (timedelta(minutes=60, seconds=1), timedelta(days=-9), True),
        (timedelta(minutes=1), timedelta(seconds=1), True),
        (timedelta(minutes=-5), timedelta(days=-9), False),
        (timedelta(minutes=-6), timedelta(days=-9), True),
    ],
)
def test_old_requests_are_never_done(now: timedelta, created: timedelta, expired: bool) -> None:
    request = parse_request(f"confirm-deletion@{TOKEN}")
    assert is_expired(request, now=ASKED + now, created=ASKED + created) is expired


def test_each_kind_has_its_verbs() -> None:
    assert verbs_of(Kind.PIPELINE) == set(RequestVerb)
    assert verbs_of(Kind.SOURCE) == {"sync", "retry", "confirm-deletion", "forget"}


def test_the_longest_token_fits_the_answer() -> None:
    token = new_token(ASKED, "x" * 32)
    parse_request(f"sync@{token}")
    LastRequest.model_validate({"token": token, "verb": "sync", "result": "Done", "time": "2026-03-14T15:09:26Z"})
