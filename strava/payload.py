"""Strava's activities as they come over the wire: kept word for word, with only as much read as storing them needs."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import orjson

from strava.json_repair import replace_lone_surrogates

SUMMARY, DETAILED = 2, 3
_RESOURCE_STATES = (1, SUMMARY, DETAILED)
_INT64_MAX = 2**63 - 1

# What both a summary and a detail carry and an athlete's statistics rest on. Not here: counters that others move
# (kudos, comments, photos), and what Strava rounds or simplifies differently in the two (average_speed, the polyline).
_SHARED = (
    "name",
    "type",
    "sport_type",
    "workout_type",
    "start_date",
    "start_date_local",
    "timezone",
    "distance",
    "moving_time",
    "elapsed_time",
    "total_elevation_gain",
    "gear_id",
    "private",
    "visibility",
    "commute",
    "trainer",
    "manual",
    "flagged",
    "has_heartrate",
    "suffer_score",
    "pr_count",
)
# What only a detail carries and an athlete can edit, without any event and without a trace in the list.
_DETAIL_ONLY = ("description", "perceived_exertion", "private_note")
# Whose old and new values do not tell what an edit changed: what Strava works out, and a note that is nobody else's.
_UNTOLD = {"type", "has_heartrate", "pr_count", "suffer_score", "flagged", "private_note"}
_TOLD = tuple(name for name in _SHARED + _DETAIL_ONLY if name not in _UNTOLD)
_ROUNDING = 0.05  # Strava gives one decimal


class UnreadablePayload(ValueError):
    """Not an activity or athlete that can be stored; the text names the faulty field and repeats none of its values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityPayload:
    """One activity as Strava sent it. Only `id` and `athlete.id` must be there; anything else may be missing or odd.

    `resource_state` is 3 for a detail; where Strava does not say, 3 for the body of an answer about one activity and 2
    for an item of a list: a summary never overwrites a detail.
    `start_date` is the true start in UTC, or None. `text` is Strava's, word for word, except lone surrogates.
    `payload_hash` does not depend on spacing or the order of keys.
    """

    activity_id: int
    athlete_id: int
    resource_state: int
    start_date: datetime | None
    text: str = field(repr=False)
    payload_hash: str

    @property
    def is_detailed(self) -> bool:
        """Whether all of the activity is here, not just its line in a list."""
        return self.resource_state == DETAILED

    @classmethod
    def from_http(cls, text: bytes | str) -> Self:
        """Read the body of an answer about one activity. Raises UnreadablePayload."""
        try:
            whole = text if isinstance(text, str) else text.decode()
            return cls._read(orjson.loads(whole), whole, unless_said=DETAILED)
        except orjson.JSONDecodeError:
            pass  # its own error would carry the whole text
        except UnicodeDecodeError:
            raise UnreadablePayload("the activity is not UTF-8") from None
        return cls._mended(whole)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Read an activity from parsed JSON, such as one item of a list. Raises UnreadablePayload."""
        return cls._read(fields, None, unless_said=SUMMARY)

    @classmethod
    def _mended(cls, text: str) -> Self:
        try:
            repaired = replace_lone_surrogates(text)
        except ValueError as error:
            raise UnreadablePayload("the activity is not JSON") from error
        return cls._read(orjson.loads(repaired), repaired.decode(), unless_said=DETAILED)

    @classmethod
    def _read(cls, fields: Any, text: str | None, *, unless_said: int) -> Self:
        if not isinstance(fields, Mapping):
            raise UnreadablePayload("the activity is not a JSON object")
        athlete = fields.get("athlete")
        return cls(
            activity_id=_identifier(fields, "id", "the activity's id"),
            athlete_id=_identifier(athlete, "id", "the athlete's id"),
            resource_state=_resource_state(fields, unless_said),
            start_date=_moment(fields.get("start_date")),
            text=_dumped(fields) if text is None else text,
            payload_hash=hashlib.sha256(_dumped(fields, is_sorted=True).encode()).hexdigest(),
        )


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """One page of the athlete's list: the activities, newest first, and how many items could not be read."""

    activities: list[ActivityPayload]
    unreadable: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AthletePayload:
    """The athlete whose token was used. `fields` is all that Strava sent, personal data included."""

    athlete_id: int
    fields: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, fields: Any) -> Self:
        """Read an athlete from parsed JSON. Raises UnreadablePayload."""
        return cls(athlete_id=_identifier(fields, "id", "the athlete's id"), fields=fields)


def disagrees(*, summary: Mapping[str, Any], detail: Mapping[str, Any]) -> bool:
    """Tell whether a summary shows that a stored detail is out of date.

    Only fields that both carry count, and of those only what an athlete's statistics rest on.
    """
    return _differ(_SHARED, summary, detail)


def is_edited(*, stored: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    """Tell whether two payloads of one activity differ in what an athlete edits or statistics rest on."""
    return _differ(_SHARED + _DETAIL_ONLY, stored, shown)


def changed_fields(*, stored: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what differs in two payloads of one activity that both have, by field: the value before and after."""
    both = (name for name in _TOLD if name in stored and name in shown)
    return {name: (stored[name], shown[name]) for name in both if not _same(stored[name], shown[name])}


def _differ(names: tuple[str, ...], one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return any(name in one and name in other and not _same(one[name], other[name]) for name in names)


def _same(one: Any, other: Any) -> bool:
    if _is_number(one) and _is_number(other):
        return math.isclose(one, other, rel_tol=0, abs_tol=_ROUNDING)
    return bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _dumped(fields: Mapping[str, Any], *, is_sorted: bool = False) -> str:
    try:
        return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS if is_sorted else None).decode()
    except TypeError:
        pass  # a number beyond 64 bits, half an emoji, or no JSON at all
    try:
        return replace_lone_surrogates(json.dumps(fields, sort_keys=is_sorted)).decode()
    except (TypeError, ValueError, RecursionError):
        raise UnreadablePayload("the activity holds what JSON cannot") from None


def _identifier(fields: Any, name: str, called: str) -> int:
    value = fields.get(name) if isinstance(fields, Mapping) else None
    if type(value) is not int or not 0 < value <= _INT64_MAX:  # a bool is an int to isinstance
        raise UnreadablePayload(f"{called} is missing or not a positive whole number")
    return value


def _resource_state(fields: Mapping[str, Any], unless_said: int) -> int:
    value = fields.get("resource_state")
    return value if type(value) is int and value in _RESOURCE_STATES else unless_said


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
