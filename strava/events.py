"""Strava's webhook events, and the message an event becomes on its way from the service to the worker.

The field names are Strava's: https://developers.strava.com/docs/webhooks/. The webhook's hot path, hence plain checks.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import orjson

from strava.json_repair import parse

_KNOWN = frozenset(
    {
        "object_type",
        "aspect_type",
        "object_id",
        "owner_id",
        "subscription_id",
        "event_time",
        "updates",
    }
)
_OURS = frozenset({"received_at", "event_id"})
_NOT_EXTRA = _KNOWN | _OURS

_INT64_MAX = 2**63 - 1
_LAST_SECOND = 253_402_214_399  # 9999-12-30T23:59:59Z: a day before the last that datetime can hold
_LONGEST_WORD = 64


class UnreadableEvent(ValueError):
    """The bytes are not one of Strava's events; the text says which part is wrong and repeats none of its values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StravaEvent:
    """One webhook event. `updates` and `extra` may hold a title, so they stay out of `repr`.

    `object_type` and `aspect_type` are open sets. `extra` keeps the fields that Strava may add; the names
    `received_at` and `event_id` are ours and are never taken from Strava.
    """

    object_type: str
    aspect_type: str
    object_id: int
    owner_id: int
    subscription_id: int
    event_time: datetime
    updates: Mapping[str, object] = field(repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)

    @classmethod
    def from_http(cls, body: bytes) -> Self:
        """Read the body of a webhook POST. Raises UnreadableEvent."""
        return cls.from_json(_object(body))

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Read an event from parsed JSON. Raises UnreadableEvent."""
        documented = _documented(fields)
        seconds = documented.pop("event_time")
        extra = {name: value for name, value in fields.items() if name not in _NOT_EXTRA}
        return cls(**documented, event_time=datetime.fromtimestamp(seconds, UTC), extra=extra)

    @property
    def event_id(self) -> str:
        """Name the event by what it says: 32 hex digits, the same for every delivery of the same event.

        Only documented fields count, so a field that Strava adds per delivery would not split one event in two.
        """
        return _event_id(self.documented())

    @property
    def is_deauthorization(self) -> bool:
        """Whether the athlete has taken back the app's access. Strava sends the word "false", not the boolean."""
        return (
            self.object_type == "athlete"
            and self.aspect_type == "update"
            and str(self.updates.get("authorized")).lower() == "false"
        )

    @property
    def is_activity(self) -> bool:
        """Whether the event is about an activity."""
        return self.object_type == "activity"

    def to_json(self) -> dict[str, Any]:
        """Return the fields as Strava sent them, extra ones included."""
        return {**self.extra, **self.documented()}

    def documented(self) -> dict[str, Any]:
        """Return the fields that Strava documents, in order of name."""
        return {
            "aspect_type": self.aspect_type,
            "event_time": int(self.event_time.timestamp()),
            "object_id": self.object_id,
            "object_type": self.object_type,
            "owner_id": self.owner_id,
            "subscription_id": self.subscription_id,
            "updates": self.updates,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedEvent:
    """An event and when the service heard it: what passes from service to worker."""

    event: StravaEvent
    received_at: datetime
    event_id: str

    @classmethod
    def of(cls, event: StravaEvent, received_at: datetime) -> Self:
        """Stamp an event with an aware time of arrival."""
        return cls(event=event, received_at=received_at.astimezone(UTC), event_id=event.event_id)

    @classmethod
    def from_push(cls, data: bytes) -> Self:
        """Read what `to_message` wrote. Raises UnreadableEvent."""
        fields = _object(data)
        return cls(
            event=StravaEvent.from_json(fields),
            received_at=_moment(fields, "received_at"),
            event_id=_word(fields, "event_id"),
        )

    def to_message(self) -> bytes:
        """Return Strava's fields plus `received_at` (ISO 8601 in UTC, to the microsecond) and `event_id`, as JSON."""
        return _message(self.event.to_json(), self.event.updates, self.received_at, self.event_id)

    def attributes(self) -> dict[str, str]:
        """Return what a queue may filter by, as text."""
        return _attributes(self.event.documented(), self.event_id)


def message_from_http(body: bytes, received_at: datetime) -> tuple[bytes, dict[str, str]]:
    """Return the message and the attributes of a webhook POST that was heard at an aware time. Raises UnreadableEvent.

    They are those of the `ReceivedEvent`, which is not made: the webhook's rate hangs on this step.
    """
    fields = _object(body)
    documented = _documented(fields)
    event_id = _event_id(documented)
    message = _message(fields, documented["updates"], received_at, event_id)
    return message, _attributes(documented, event_id)


def _message(fields: dict[str, Any], updates: Mapping[str, object], received_at: datetime, event_id: str) -> bytes:
    fields |= {"updates": updates, "received_at": received_at.astimezone(UTC), "event_id": event_id}
    return _dumped(fields, orjson.OPT_UTC_Z)


def _attributes(documented: Mapping[str, Any], event_id: str) -> dict[str, str]:
    return {
        "object_type": documented["object_type"],
        "aspect_type": documented["aspect_type"],
        "object_id": str(documented["object_id"]),
        "owner_id": str(documented["owner_id"]),
        "event_time": str(documented["event_time"]),
        "event_id": event_id,
    }


def _documented(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Check the fields that Strava documents and leave out all others, in order of name. Raises UnreadableEvent."""
    return {
        "aspect_type": _word(fields, "aspect_type"),
        "event_time": _integer(fields, "event_time", _LAST_SECOND),
        "object_id": _integer(fields, "object_id"),
        "object_type": _word(fields, "object_type"),
        "owner_id": _integer(fields, "owner_id"),
        "subscription_id": _integer(fields, "subscription_id"),
        "updates": _updates(fields),
    }


def _event_id(documented: Mapping[str, object]) -> str:
    # The names are in order already; only those inside `updates` may not be, and it is mostly empty.
    option = orjson.OPT_SORT_KEYS if documented["updates"] else None
    return hashlib.sha256(_dumped(documented, option)).hexdigest()[:32]


def _dumped(fields: Mapping[str, object], option: int | None) -> bytes:
    try:
        return orjson.dumps(fields, option=option)
    except orjson.JSONEncodeError:  # it writes fewer levels than it reads
        raise UnreadableEvent("the event is nested too deeply") from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = parse(body)
    except ValueError as error:
        raise UnreadableEvent("the body is not JSON") from error
    if not isinstance(fields, dict):
        raise UnreadableEvent("the body is not a JSON object")
    return fields


def _word(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_WORD:
        raise UnreadableEvent(f"{name} is missing or not a short text")
    return value


def _integer(fields: Mapping[str, Any], name: str, most: int = _INT64_MAX) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value <= most:  # a bool is an int to isinstance
        raise UnreadableEvent(f"{name} is missing or not a whole number from 0 to {most}")
    return value


def _updates(fields: Mapping[str, Any]) -> dict[str, object]:
    value = fields.get("updates")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableEvent("updates is not a JSON object")
    return value


def _moment(fields: Mapping[str, Any], name: str) -> datetime:
    value = fields.get(name)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise UnreadableEvent(f"{name} is missing or not a time with its offset")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableEvent(f"{name} is not a time") from error
