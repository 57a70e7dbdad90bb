"""The body of a push: a message as Pub/Sub wraps it. The embedded queue writes it and the worker reads it.

https://cloud.google.com/pubsub/docs/payload-unwrapping#wrapped_message_example
"""

import base64
from datetime import UTC, datetime
from typing import Annotated

import orjson
from pydantic import AfterValidator, AliasPath, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from runtime.clock import utc_text

PROBE = "probe"  # the attribute of a message that only tries whether the queue stores

_EPOCH = datetime.fromtimestamp(0, UTC)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
_LARGEST_COUNT = 2**63 - 1  # the ledger holds 64 bits


class UnreadableEnvelope(ValueError):
    """The body is not a wrapped message. The text names the wrong part and repeats none of its values."""


class PushEnvelope(BaseModel):
    """One delivery of one message. `publish_time` is aware; `delivery_attempt` counts from 1.

    Pub/Sub leaves the attempt out where the subscription has no dead-letter policy. Other fields are ignored.
    """

    model_config = ConfigDict(strict=True, frozen=True, validate_by_name=True, val_json_bytes="base64")

    data: bytes = Field(b"", validation_alias=AliasPath("message", "data"), repr=False)
    attributes: dict[str, str] = Field(default={}, validation_alias=AliasPath("message", "attributes"))
    message_id: str = Field(min_length=1, validation_alias=AliasPath("message", "messageId"))
    publish_time: AwareDatetime = Field(
        ge=_EPOCH, le=_LAST_MOMENT, validation_alias=AliasPath("message", "publishTime")
    )
    subscription: str = Field(min_length=1)
    delivery_attempt: Annotated[int, AfterValidator(lambda count: min(count, _LARGEST_COUNT))] = Field(
        1, ge=1, validation_alias="deliveryAttempt"
    )

    @classmethod
    def from_json(cls, body: bytes) -> "PushEnvelope":
        """Read the body of a push. Raises UnreadableEnvelope."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
        part = ".".join(map(str, first["loc"][:2])) or "the body"  # deeper names come from the sender
        what, _, _ = first["msg"].partition(":")  # the rest may repeat a character of the body
        raise UnreadableEnvelope(f"{part} is not valid ({what})")

    def to_json(self) -> bytes:
        """Return the body of the push."""
        return orjson.dumps(
            {
                "message": {
                    "data": base64.b64encode(self.data).decode("ascii"),
                    "attributes": self.attributes,
                    "messageId": self.message_id,
                    "publishTime": utc_text(self.publish_time),
                },
                "subscription": self.subscription,
                "deliveryAttempt": self.delivery_attempt,
            }
        )
