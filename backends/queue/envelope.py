"""The body of a push, as Pub/Sub wraps a message: the embedded queue writes it and the worker reads it.

https://cloud.google.com/pubsub/docs/payload-unwrapping#wrapped_message_example
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from runtime.clock import utc_text


class UnreadableEnvelope(ValueError):
    """The body is not a wrapped message; the sentence says what was wrong with it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PushEnvelope:
    """One delivery of one message. `publish_time` is aware UTC; `delivery_attempt` counts from 1."""

    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    message_id: str
    publish_time: datetime
    subscription: str
    delivery_attempt: int = 1  # Pub/Sub leaves it out of subscriptions that have no dead-letter policy

    def to_json(self) -> bytes:
        """Return the body of the push."""
        return orjson.dumps(
            {
                "message": {
                    "data": base64.b64encode(self.data).decode("ascii"),
                    "attributes": dict(self.attributes),
                    "messageId": self.message_id,
                    "publishTime": utc_text(self.publish_time),
                },
                "subscription": self.subscription,
                "deliveryAttempt": self.delivery_attempt,
            }
        )

    @classmethod
    def from_json(cls, body: bytes) -> "PushEnvelope":
        """Read the body of a push, whatever else it holds besides. Raises UnreadableEnvelope."""
        envelope = _object(_parse(body), "the envelope")
        message = _object(envelope.get("message"), "message")
        return cls(
            data=_data(message.get("data", "")),
            attributes=_attributes(message.get("attributes", {})),
            message_id=_text(message.get("messageId"), "messageId"),
            publish_time=_moment(message.get("publishTime")),
            subscription=_text(envelope.get("subscription"), "subscription"),
            delivery_attempt=_count(envelope.get("deliveryAttempt", 1)),
        )


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableEnvelope("the body is not JSON") from error


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableEnvelope(f"{name} is not an object")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise UnreadableEnvelope(f"{name} is not a text")
    return value


def _data(value: Any) -> bytes:
    if not isinstance(value, str):
        raise UnreadableEnvelope("data is not a text")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableEnvelope("data is not base64") from error


def _attributes(value: Any) -> dict[str, str]:
    attributes = _object(value, "attributes")
    if not all(isinstance(each, str) for each in attributes.values()):
        raise UnreadableEnvelope("attributes are not all texts")
    return attributes


def _moment(value: Any) -> datetime:
    text = _text(value, "publishTime")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableEnvelope("publishTime is not a time") from error
    raise UnreadableEnvelope("publishTime has no offset from UTC")


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UnreadableEnvelope("deliveryAttempt is not a count from 1")
    return min(value, 2**63 - 1)  # the most that a ledger of 64 bits holds
