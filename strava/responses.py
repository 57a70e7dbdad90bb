"""What an answer of Strava's means: which error it is, or its JSON. Decided by bytes and headers alone.

Error bodies are matched loosely, for their forms differ from year to year and from endpoint to endpoint. But a refusal
counts as Strava's only if it has Strava's form: a proxy's page, or a wrong address, says nothing about an activity or
a token.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
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
from strava.json_repair import parse
from strava.rate_limits import RateUsage, wait_for_next_day, wait_for_next_window

_SECRET_LIKE = re.compile(r"\w{24,}")  # Strava's tokens are 40 hexadecimal digits, its words are shorter
_LONGEST_REASON = 200
_PASSING = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY})
_RIGHTS = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})
_ABSENCE = frozenset({httpx.codes.NOT_FOUND, httpx.codes.GONE})
_NOT_FOUND = re.compile("(record|resource) not found", re.IGNORECASE)
_WRONG_PATH = "/path/"  # the field that Strava names when it has no such endpoint

# Part of a reason, in lower case -> what the reader can do about it.
_ADVICE = (
    ("already exists", "Strava allows one per app: `athlete subscription show` tells of it, `… delete` ends it."),
    ("not return 200", "It must do so from the internet within 2 seconds, without a login or a redirect on the way."),
    ("too long", "Strava takes addresses of at most 255 characters: shorten PUBLIC_URL or WEBHOOK_PATH_SECRET."),
    ("callback", "The callback URL must answer Strava's challenge from the internet within 2 seconds."),
    ("requesttoken", "The authorisation code is used or expired: connect again."),
)


def raise_for_error(answer: httpx.Response, *, asked: str, now: datetime, by_app: bool = False) -> None:
    """Raise the StravaError that the answer stands for; return when it is a success.

    `asked` names what was asked for. `by_app`: the app's own credentials were sent, not an athlete's token.
    """
    error = error_for(answer, asked=asked, now=now, by_app=by_app)
    if error is not None:
        raise error


def error_for(answer: httpx.Response, *, asked: str, now: datetime, by_app: bool = False) -> StravaError | None:
    """Return the error that the answer stands for, or None when it is a success."""
    if answer.is_success:
        return None
    if answer.is_server_error:
        return ServerFailed(answer.status_code)
    if not answer.is_client_error:
        return UnreadableAnswer(asked, f"status {answer.status_code}, as if the API had moved")
    return _refusal(answer, asked, now, by_app=by_app)


def is_accepted(error: StravaError | None) -> bool:
    """Whether an answer accepts app and athlete: it is no error, or one about what was asked for alone."""
    return error is None or isinstance(error, ScopeMissing | NotFound)


def json_body(answer: httpx.Response, *, asked: str) -> Any:
    """Return the answer's JSON. Raises UnreadableAnswer."""
    try:
        return parse(answer.content)
    except ValueError as error:
        raise UnreadableAnswer(asked, "it is not JSON") from error


def _refusal(answer: httpx.Response, asked: str, now: datetime, *, by_app: bool) -> StravaError:
    status, fields = answer.status_code, _fields(answer)
    reasons = _reasons(fields)
    said = " ".join(reasons).lower()
    if status == httpx.codes.TOO_MANY_REQUESTS or "rate limit" in said:
        return _rate_limited(answer, now)
    if "application" in said and "inactive" in said:
        return AppInactive()
    if not _is_stravas(answer, fields, reasons):
        return TurnedAway(status)
    if (error := _rights_problem(status, reasons, said, by_app=by_app)) is not None:
        return error
    if status in _ABSENCE:
        return NotFound(asked)
    return BadRequest(status, reasons, next((advice for part, advice in _ADVICE if part in said), ""))


def _is_stravas(answer: httpx.Response, fields: Mapping[str, Any], reasons: tuple[str, ...]) -> bool:
    """Whether the refusal is Strava's own word, and not that of a proxy or of a wrong address.

    Strava's JSON has entries of `errors`, each an object; that of a gateway has a message at most.
    """
    status = answer.status_code
    if status in _PASSING:
        return False
    has_limits = RateUsage.from_headers(answer.headers) is not None
    has_form = has_limits or _has_entries(fields)
    if status in _ABSENCE:
        return _says_not_found(answer, fields, reasons, has_limits=has_limits, has_form=has_form)
    if status in _RIGHTS:
        return has_form and bool(reasons)
    return has_form


def _has_entries(fields: Mapping[str, Any]) -> bool:
    errors = fields.get("errors")
    entries = errors if isinstance(errors, list) else []
    return any(isinstance(entry, Mapping) and {"resource", "code"} & entry.keys() for entry in entries)


def _says_not_found(
    answer: httpx.Response,
    fields: Mapping[str, Any],
    reasons: tuple[str, ...],
    *,
    has_limits: bool,
    has_form: bool,
) -> bool:
    if not answer.content.strip():
        return has_limits or _is_recorded_form(answer)
    if any(_WRONG_PATH in reason for reason in reasons):
        return False
    message = _text(fields.get("message"))
    if message == "Record Not Found":
        return True
    return has_form and _NOT_FOUND.search(" ".join((message, *reasons))) is not None


def _is_recorded_form(answer: httpx.Response) -> bool:
    """Whether an empty 404 has the headers of the one that was recorded, which had no limits."""
    status, kind = (str(answer.headers.get(name, "")) for name in ("status", "content-type"))
    return status.startswith("404") and kind.startswith("application/json")


def _rights_problem(status: int, reasons: tuple[str, ...], said: str, *, by_app: bool) -> StravaError | None:
    is_unauthorized = status == httpx.codes.UNAUTHORIZED
    if (needed := _missing_scope(reasons)) is not None:
        return ScopeMissing(needed)
    if "refreshtoken" in said or "refresh_token" in said or (is_unauthorized and not by_app):
        return TokenRejected()
    if by_app and (is_unauthorized or "application/client" in said):
        return AppRejected()
    return None


def _rate_limited(answer: httpx.Response, now: datetime) -> RateLimited:
    limits = RateUsage.from_headers(answer.headers)
    stated = _seconds(answer.headers.get("retry-after", ""))
    if stated is not None:
        return RateLimited(stated, limits)
    wait = wait_for_next_day if limits is not None and limits.is_day_spent else wait_for_next_window
    return RateLimited(wait(answered_at(answer) or now), limits)


def answered_at(answer: httpx.Response) -> datetime | None:
    """Read when Strava answered, by the clock that resets the limits."""
    try:
        moment: datetime = parsedate_to_datetime(answer.headers.get("date", ""))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


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


def _fields(answer: httpx.Response) -> Mapping[str, Any]:
    """Return the body's JSON object; an empty one where it has none."""
    try:
        fields = parse(answer.content)
    except ValueError:
        return {}
    return fields if isinstance(fields, Mapping) else {}


def _reasons(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return each entry of `errors` as `resource/field/code`; where there is none, the message."""
    errors = fields.get("errors")
    found = [_reason(error) for error in errors] if isinstance(errors, list) else [_text(errors)]
    return tuple(reason for reason in found if reason) or tuple(filter(None, [_text(fields.get("message"))]))


def _reason(error: Any) -> str:
    if not isinstance(error, Mapping):
        return _text(error)
    return "/".join(_text(error.get(part)) for part in ("resource", "field", "code"))


def _text(value: Any) -> str:
    return _SECRET_LIKE.sub("[hidden]", value)[:_LONGEST_REASON] if isinstance(value, str) else ""
