"""What an answer of Strava's means: which error it is, or its JSON. Decided by bytes and headers alone.

Error bodies are matched loosely, for their forms differ from year to year and from endpoint to endpoint.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from strava.errors import (
    AppInactive,
    AppRejected,
    BadRequest,
    NotFound,
    RateLimited,
    ScopeMissing,
    ServerFailed,
    StravaError,
    TokenRejected,
    TurnedAway,
    UnreadableAnswer,
)
from strava.rates import RateUsage, seconds_to_next_day, seconds_to_next_window
from strava.wire import parse

_SECRET_LIKE = re.compile(r"\w{24,}")  # Strava's tokens are 40 hexadecimal digits, its words are shorter
_LONGEST_REASON = 200
_PASSING = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY})

# Part of a reason, in lower case -> what whoever reads the error can do about it.
_ADVICE = (
    ("already exists", "The app has a subscription already: list it, then keep it or delete it."),
    ("callback", "The callback URL must answer Strava's challenge from the internet within 2 seconds."),
    ("requesttoken", "The authorisation code is used or expired: connect again."),
)


def check(answer: httpx.Response, *, asked: str, now: datetime, by_app: bool = False) -> None:
    """Raise the StravaError that the answer stands for; return when it is a success.

    `asked` names what was asked for. `by_app`: the app's own credentials were sent, not an athlete's token.
    """
    error = problem(answer, asked=asked, now=now, by_app=by_app)
    if error is not None:
        raise error


def problem(answer: httpx.Response, *, asked: str, now: datetime, by_app: bool = False) -> StravaError | None:
    """Return the error that the answer stands for, or None when it is a success."""
    if answer.is_success:
        return None
    if answer.is_server_error:
        return ServerFailed(answer.status_code)
    if not answer.is_client_error:
        return UnreadableAnswer(asked, f"status {answer.status_code}, as if the API had moved")
    return _refusal(answer, asked, now, by_app=by_app)


def read(answer: httpx.Response, *, asked: str) -> Any:
    """Return the answer's JSON. Raises UnreadableAnswer."""
    try:
        return parse(answer.content)
    except ValueError as error:
        raise UnreadableAnswer(asked, "it is not JSON") from error


def _refusal(answer: httpx.Response, asked: str, now: datetime, *, by_app: bool) -> StravaError:
    status, reasons = answer.status_code, _reasons(answer)
    said = " ".join(reasons).lower()
    if status == httpx.codes.TOO_MANY_REQUESTS or "rate limit" in said:
        return _rate_limited(answer, now)
    if (error := _rights_problem(status, reasons, said, by_app=by_app)) is not None:
        return error
    if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
        return NotFound(asked)
    if status in _PASSING or (status == httpx.codes.FORBIDDEN and not reasons):  # Strava's API always gives a reason
        return TurnedAway(status)
    return BadRequest(status, reasons, next((advice for part, advice in _ADVICE if part in said), ""))


def _rights_problem(status: int, reasons: tuple[str, ...], said: str, *, by_app: bool) -> StravaError | None:
    is_unauthorized = status == httpx.codes.UNAUTHORIZED
    if "inactive" in said:
        return AppInactive()
    if (needed := _missing_scope(reasons)) is not None:
        return ScopeMissing(needed)
    if "refreshtoken" in said or "refresh_token" in said or (is_unauthorized and not by_app):
        return TokenRejected()
    if by_app and (is_unauthorized or "application/client" in said):
        return AppRejected()
    return None


def _rate_limited(answer: httpx.Response, now: datetime) -> RateLimited:
    limits = RateUsage.from_headers(answer.headers)
    computed = seconds_to_next_day if limits is not None and limits.is_day_spent else seconds_to_next_window
    stated = _seconds(answer.headers.get("retry-after", ""))
    return RateLimited(computed(now) if stated is None else stated, limits)


def _seconds(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _missing_scope(reasons: tuple[str, ...]) -> str | None:
    """Find `activity:read` in a reason like `AccessToken/activity:read_permission/missing`."""
    for reason in reasons:
        _, _, rest = reason.partition("/")
        field, _, code = rest.rpartition("/")
        if code == "missing" and (":" in field or "permission" in field):
            return field.removesuffix("_permission")
    return None


def _reasons(answer: httpx.Response) -> tuple[str, ...]:
    """Return each entry of `errors` as `resource/field/code`; where there is none, the message."""
    try:
        fields = parse(answer.content)
    except ValueError:
        return ()
    if not isinstance(fields, Mapping):
        return ()
    errors = fields.get("errors")
    found = [_reason(error) for error in errors] if isinstance(errors, list) else [_text(errors)]
    return tuple(reason for reason in found if reason) or tuple(filter(None, [_text(fields.get("message"))]))


def _reason(error: Any) -> str:
    if not isinstance(error, Mapping):
        return _text(error)
    return "/".join(_text(error.get(part)) for part in ("resource", "field", "code"))


def _text(value: Any) -> str:
    return _SECRET_LIKE.sub("[hidden]", value)[:_LONGEST_REASON] if isinstance(value, str) else ""
