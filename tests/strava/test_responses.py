"""Which error an answer is, and that every error text helps and tells no secret."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strava import errors
from strava.errors import (
    AppInactive,
    AppRejected,
    BadRequest,
    NotFound,
    RateLimited,
    Refused,
    Retryable,
    ScopeMissing,
    ServerFailed,
    StravaError,
    TokenRejected,
    TurnedAway,
    UnreadableAnswer,
)
from strava.responses import error_for, json_body, raise_for_error

Recorded = Callable[[str], httpx.Response]


def refusal(resource: str, field: str, code: str, message: str = "Bad Request") -> dict[str, Any]:
    """Write an error body in Strava's newer form."""
    return {"message": message, "errors": [{"resource": resource, "field": field, "code": code}]}


LIMITS = {"X-RateLimit-Limit": "200,2000", "X-RateLimit-Usage": "3,40"}


def error_of(
    status: int, body: Any, now: datetime, *, by_app: bool = False, headers: dict[str, str] | None = None
) -> StravaError | None:
    """Judge an answer with this body, asked of activity 7."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = httpx.Response(status, content=content, headers=headers)
    return error_for(answer, asked="activities/7", now=now, by_app=by_app)


@pytest.mark.parametrize(
    "name",
    [
        "activity_run_marathon",
        "activity_ride_indoor",
        "activity_streams",
        "gear",
        "token_refresh",
        "subscription_create",
    ],
)
def test_recorded_successes_are_no_error(name: str, recorded: Recorded, noon: datetime) -> None:
    """A 200 or 201 passes."""
    raise_for_error(recorded(name), asked=name, now=noon)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("error_401", TokenRejected),
        ("error_404", NotFound),
        ("error_429", RateLimited),
        ("token_invalid_code", BadRequest),
    ],
)
def test_recorded_refusals_are_known(
    name: str, expected: type[StravaError], recorded: Recorded, noon: datetime
) -> None:
    """Each recorded refusal is raised as its own error."""
    with pytest.raises(expected) as caught:
        raise_for_error(recorded(name), asked=name, now=noon)
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, refusal("Application", "rate limit", "exceeded", "Rate Limit Exceeded"), RateLimited),
        (429, b"", RateLimited),
        (403, refusal("Application", "rate limit", "exceeded"), RateLimited),
        (403, refusal("Application", "Status", "Inactive", "Forbidden"), AppInactive),
        (402, {"message": "Application is inactive"}, AppInactive),
        (401, refusal("Athlete", "access_token", "invalid", "Authorization Error"), TokenRejected),
        (401, refusal("AccessToken", "activity:read_permission", "missing"), ScopeMissing),
        (403, refusal("AccessToken", "profile:read_all", "missing"), ScopeMissing),
        (403, refusal("Activity", "", "forbidden"), BadRequest),
        (408, b"", TurnedAway),
        (408, {"message": "Request Timeout"}, TurnedAway),
        (425, b"", TurnedAway),
        (404, refusal("Activity", "id", "invalid", "Record Not Found"), NotFound),
        (404, {"message": "Record Not Found"}, NotFound),
        (410, refusal("Activity", "id", "invalid", "Resource Not Found"), NotFound),
        (400, refusal("RefreshToken", "refresh_token", "invalid"), TokenRejected),
        (500, b"oops", ServerFailed),
        (503, refusal("Application", "rate limit", "exceeded"), ServerFailed),
        (302, b"", UnreadableAnswer),
    ],
)
def test_refusals_are_matched_loosely(status: int, body: Any, expected: type[StravaError], noon: datetime) -> None:
    """Old, new, empty and foreign bodies lead to the right error."""
    assert type(error_of(status, body, noon)) is expected


@pytest.mark.parametrize("by_app", [False, True])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b""),
        (401, b"<html>Sign in</html>"),
        (401, {"message": "Unauthorized"}),
        (403, b""),
        (403, b"<html>Access denied</html>"),
        (403, {"message": "Forbidden"}),
        (404, b""),
        (404, b"<html>Not Found</html>"),
        (404, {"message": "no Route matched with those values"}),
        (404, {"statusCode": 404, "message": "Resource not found"}),
        (404, {"message": "Resource Not Found", "errors": []}),
        (404, {"message": "Resource Not Found", "errors": ["path"]}),
        (403, {"errors": ["blocked by policy"]}),
        (401, {"error": "unauthorized", "errors": "no key"}),
        (400, {"message": "Bad Request"}),
        (400, {"error": "gateway"}),
        (405, {"message": "no"}),
        (404, refusal("resource", "path", "invalid", "Record Not Found")),
        (410, b"<html>Gone</html>"),
        (400, b"\xff"),
        (405, b"<html>"),
        (422, [1, 2]),
    ],
)
def test_a_refusal_that_is_not_stravas_says_nothing(status: int, body: Any, noon: datetime, *, by_app: bool) -> None:
    """A proxy's page, a gateway's JSON or a wrong path is tried again: it tells of no activity, token or app."""
    assert type(error_of(status, body, noon, by_app=by_app)) is TurnedAway


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (404, LIMITS, NotFound),
        (404, {"Status": "404 Not Found", "Content-Type": "application/json; charset=utf-8"}, NotFound),
        (404, {"Status": "404 Not Found", "Content-Type": "text/html"}, TurnedAway),
        (404, {"Content-Type": "application/json"}, TurnedAway),
        (401, LIMITS, TurnedAway),
        (403, LIMITS, TurnedAway),
        (400, LIMITS, BadRequest),
    ],
)
def test_an_empty_refusal_is_stravas_by_its_headers(
    status: int, headers: dict[str, str], expected: type[StravaError], noon: datetime
) -> None:
    """An empty 404 with Strava's own headers means not found; rights are never judged without a reason."""
    assert type(error_of(status, b"", noon, headers=headers)) is expected


def test_a_missing_permission_is_named_without_a_colon(noon: datetime) -> None:
    """Older answers name a permission such as `write_permission`; any other missing field is no permission."""
    error = error_of(401, refusal("AccessToken", "write_permission", "missing"), noon)

    assert isinstance(error, ScopeMissing)
    assert error.needed == "write"
    assert type(error_of(400, refusal("Activity", "name", "missing"), noon)) is BadRequest


def test_an_athletes_call_is_never_about_the_apps_own_credentials(noon: datetime) -> None:
    """Only where the app's id and secret were sent can they be wrong."""
    body = refusal("Application", "client_id", "invalid")

    assert type(error_of(400, body, noon)) is BadRequest
    assert type(error_of(400, body, noon, by_app=True)) is AppRejected


def test_rights_with_a_message_alone_need_the_limits_beside_it(noon: datetime) -> None:
    """A message without entries is Strava's where its rate headers stand beside it."""
    said = {"message": "Authorization Error"}

    assert type(error_of(401, said, noon, headers=LIMITS)) is TokenRejected
    assert type(error_of(401, said, noon)) is TurnedAway


@pytest.mark.parametrize(
    "body",
    [
        {"message": "Resource Not Found", "errors": [{}]},
        {"message": "Resource Not Found", "errors": [{"detail": "none"}]},
        {"message": "Resource Not Found", "errors": ["resource", "code"]},
        {"message": "Bad Gateway", "errors": [{"resource": "Upstream", "code": "timed out"}]},
    ],
)
def test_a_404_that_looks_like_stravas_form_but_is_not_proves_nothing(body: Any, noon: datetime) -> None:
    """An entry needs one of Strava's own fields, and some word must say that the thing was not found."""
    assert type(error_of(404, body, noon)) is TurnedAway


@pytest.mark.parametrize("entry", [{"resource": "Activity"}, {"code": "not found"}])
def test_one_of_stravas_fields_makes_an_entry(entry: dict[str, str], noon: datetime) -> None:
    """Strava's entries have a resource or a code; either tells its form."""
    assert type(error_of(404, {"message": "Resource Not Found", "errors": [entry]}, noon)) is NotFound


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, refusal("Application", "", "invalid", "Authorization Error"), AppRejected),
        (400, refusal("Application", "client_id", "invalid"), AppRejected),
        (400, refusal("RefreshToken", "refresh_token", "invalid"), TokenRejected),
        (403, refusal("Application", "Status", "Inactive"), AppInactive),
    ],
)
def test_the_apps_own_calls_tell_app_from_athlete(
    status: int, body: Any, expected: type[StravaError], noon: datetime
) -> None:
    """Where no athlete's token was sent, a 401 is about client id and secret."""
    assert type(error_of(status, body, noon, by_app=True)) is expected


@given(status=st.integers(min_value=300, max_value=599), body=st.binary())
def test_every_failure_is_some_error(status: int, body: bytes) -> None:
    """No answer but a 2xx passes for a success, with any body."""
    now = datetime.fromisoformat("2026-03-01T11:58:20Z")

    assert isinstance(error_of(status, body, now), StravaError)


def test_a_429_waits_for_the_next_quarter(noon: datetime) -> None:
    """Without headers the wait ends with the quarter hour, and five seconds of leeway."""
    error = error_of(429, b"", noon)

    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.limits) == (105, None)


def test_a_spent_quarter_does_not_cost_the_day(noon: datetime) -> None:
    """300 of 200 in the quarter hour and 300 of 2,000 in the day: the wait ends with the quarter hour."""
    spent = {"X-RateLimit-Limit": "200,2000", "X-RateLimit-Usage": "300,300"}
    error = error_of(429, b"", noon, headers=spent)

    assert isinstance(error, RateLimited)
    assert error.retry_after == 105


@pytest.mark.parametrize(
    ("date", "wait"),
    [
        ("Sun, 01 Mar 2026 11:59:20 GMT", 45),
        ("Sun, 01 Mar 2026 12:59:20 +0100", 45),
        ("yesterday", 105),
        ("", 105),
    ],
)
def test_the_wait_is_counted_by_stravas_clock(date: str, wait: float, noon: datetime) -> None:
    """Where the answer is dated, its own clock says how far the reset is."""
    error = error_of(429, b"", noon, headers={"Date": date})

    assert isinstance(error, RateLimited)
    assert error.retry_after == wait


def test_a_429_on_a_spent_day_waits_for_midnight(recorded: Recorded, noon: datetime) -> None:
    """The recorded 429 has spent 30,000 of 30,000: calls come back at midnight UTC."""
    error = error_for(recorded("error_429"), asked="activities/7", now=noon)

    assert isinstance(error, RateLimited)
    assert error.retry_after == 43_305
    assert "in 722 min" in str(error)
    assert error.limits is not None
    assert error.limits.is_day_spent


@pytest.mark.parametrize(
    ("header", "wait"), [("17", 17), ("0", 0), ("nan", 105), ("inf", 105), ("-3", 105), ("soon", 105)]
)
def test_a_stated_wait_is_believed(header: str, wait: float, noon: datetime) -> None:
    """Should Strava send a Retry-After in seconds, it counts; anything else does not."""
    error = error_for(httpx.Response(429, headers={"Retry-After": header}), asked="", now=noon)

    assert isinstance(error, RateLimited)
    assert error.retry_after == wait


def test_errors_carry_what_their_catcher_needs(noon: datetime) -> None:
    """Status, reasons and the missing scope are fields, not only words."""
    scope = error_of(401, refusal("AccessToken", "activity:read_permission", "missing"), noon)
    taken = error_of(400, refusal("PushSubscription", "callback url", "already exists"), noon)
    failed = error_of(502, b"", noon)

    assert isinstance(scope, ScopeMissing)
    assert scope.needed == "activity:read"
    assert isinstance(taken, BadRequest)
    assert (taken.status, taken.reasons) == (400, ("PushSubscription/callback url/already exists",))
    assert isinstance(failed, ServerFailed)
    assert failed.status == 502


@pytest.mark.parametrize(
    ("status", "body", "advice"),
    [
        (401, refusal("Athlete", "access_token", "invalid"), "athlete connect"),
        (403, refusal("Application", "Status", "Inactive"), "strava.com/account"),
        (401, refusal("AccessToken", "activity:read_permission", "missing"), "leave every box ticked"),
        (404, {"message": "Record Not Found"}, "activities/7"),
        (404, b"<html>", "check the proxy"),
        (429, b"", "in 105 s"),
        (500, b"", "wait"),
        (400, refusal("PushSubscription", "callback url", "already exists"), "athlete subscription show"),
        (400, refusal("PushSubscription", "callback url", "GET to callback URL does not return 200"), "2 seconds"),
        (400, refusal("RequestToken", "code", "invalid"), "connect again"),
        (302, b"", "STRAVA_API_URL"),
        (403, b"<html>", "check the proxy"),
    ],
)
def test_every_error_says_what_to_do(status: int, body: Any, advice: str, noon: datetime) -> None:
    """A reader of the one sentence knows the next step."""
    assert advice in str(error_of(status, body, noon))


def test_an_error_never_repeats_a_token(noon: datetime) -> None:
    """Should Strava echo a token, the error hides it."""
    token = "0123456789abcdef" * 3

    error = error_of(400, refusal("Athlete", f"access_token {token}", f"{token} is invalid"), noon)

    assert token not in str(error)
    assert token not in repr(error)
    assert "[hidden]" in str(error)


def test_an_answer_that_is_no_json_is_unreadable() -> None:
    """A page of HTML with status 200 is an error that repeats nothing of the page."""
    with pytest.raises(UnreadableAnswer, match="activities/7") as caught:
        json_body(httpx.Response(200, text="<html>secret</html>"), asked="activities/7")
    assert "secret" not in str(caught.value)


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    """The picture atop `errors.py` holds every error, as deep as it is, under its own parent."""
    lines = [line for line in (errors.__doc__ or "").splitlines() if "── " in line]
    names = [re.search(r"\w+", line) for line in lines]
    drawn = [(name[0], name.start() // 4 - 1) for name in names if name]
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, StravaError)]

    assert drawn == [(kind.__name__, len(kind.__mro__) - len(StravaError.__mro__)) for kind in kinds[1:]]
    assert issubclass(RateLimited, Retryable)
    assert issubclass(NotFound, Refused)
