"""The push envelope is written and read without loss, and a wrong one is refused."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.queue.envelope import PushEnvelope, UnreadableEnvelope

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ENVELOPES = st.builds(
    PushEnvelope,
    data=st.binary(),
    attributes=st.dictionaries(TEXTS, TEXTS),
    message_id=st.from_regex(r"[0-9]{1,20}", fullmatch=True),
    publish_time=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    subscription=TEXTS.filter(bool),
    delivery_attempt=st.integers(min_value=1, max_value=2**53),
)
PUSHED: dict[str, Any] = {
    "deliveryAttempt": 5,
    "message": {
        "attributes": {"object_type": "activity"},
        "data": "aGVsbG8=",
        "messageId": "2070443601311540",
        "message_id": "2070443601311540",
        "publishTime": "2021-02-26T19:13:55.749123456Z",
        "publish_time": "2021-02-26T19:13:55.749123456Z",
    },
    "subscription": "projects/p/subscriptions/s",
}


@pytest.mark.slow
@given(ENVELOPES)
def test_round_trip(envelope: PushEnvelope) -> None:
    """Reading returns what was written: any bytes, any attributes, microseconds included."""
    assert PushEnvelope.from_json(envelope.to_json()) == envelope


@given(ENVELOPES)
def test_field_names_are_pubsubs(envelope: PushEnvelope) -> None:
    """The JSON has exactly the fields of Pub/Sub's wrapped message."""
    written = orjson.loads(envelope.to_json())
    assert written.keys() == {"message", "subscription", "deliveryAttempt"}
    assert written["message"].keys() == {"data", "attributes", "messageId", "publishTime"}


def test_pubsubs_own_push_is_read() -> None:
    """A push as Google documents it is read, with its doubled names and its nanoseconds."""
    assert PushEnvelope.from_json(orjson.dumps(PUSHED)) == PushEnvelope(
        data=b"hello",
        attributes={"object_type": "activity"},
        message_id="2070443601311540",
        publish_time=datetime(2021, 2, 26, 19, 13, 55, 749123, UTC),
        subscription="projects/p/subscriptions/s",
        delivery_attempt=5,
    )


def test_what_pubsub_leaves_out() -> None:
    """Missing attributes, data and attempt mean no attributes, no bytes and the first attempt."""
    message = {"messageId": "1", "publishTime": "2021-02-26T19:13:55Z"}
    envelope = PushEnvelope.from_json(orjson.dumps({"message": message, "subscription": "s"}))
    assert (envelope.attributes, envelope.data, envelope.delivery_attempt) == ({}, b"", 1)


@given(st.binary())
def test_any_bytes_are_an_envelope_or_unreadable(body: bytes) -> None:
    """Random bytes raise UnreadableEnvelope and nothing else."""
    with pytest.raises(UnreadableEnvelope):
        PushEnvelope.from_json(body)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("message", None, "message.messageId is not valid (Field required)"),
        ("message", [], "message.messageId is not valid (Field required)"),
        ("subscription", None, "subscription is not valid (Input should be a valid string)"),
        ("deliveryAttempt", 0, "deliveryAttempt is not valid (Input should be greater than or equal to 1)"),
        ("deliveryAttempt", True, "deliveryAttempt is not valid (Input should be a valid integer)"),
        ("deliveryAttempt", "2", "deliveryAttempt is not valid (Input should be a valid integer)"),
        ("message.data", 5, "message.data is not valid (Input should be a valid bytes)"),
        ("message.data", "secret!", "message.data is not valid (Data should be valid base64)"),
        ("message.attributes", [], "message.attributes is not valid (Input should be an object)"),
        ("message.attributes", {"secret": 5}, "message.attributes is not valid (Input should be a valid string)"),
        ("message.messageId", "", "message.messageId is not valid (String should have at least 1 character)"),
        ("message.publishTime", None, "message.publishTime is not valid (Input should be a valid datetime)"),
        (
            "message.publishTime",
            "yesterday",
            "message.publishTime is not valid (Input should be a valid datetime, input is too short)",
        ),
        (
            "message.publishTime",
            "2021-02-26T19:13:55",
            "message.publishTime is not valid (Input should have timezone info)",
        ),
    ],
)
def test_unreadable_field_is_named(path: str, value: Any, sentence: str) -> None:
    """The error names the wrong field and does not repeat its content."""
    assert complaint(with_value(path, value)) == sentence


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_time_that_utc_cannot_hold_is_unreadable(moment: str) -> None:
    """The time has a valid form and an offset, but its UTC time is out of range."""
    assert complaint(with_value("message.publishTime", moment)).startswith("message.publishTime is not valid")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the body is not valid (Invalid JSON)"),
        (b"[]", "the body is not valid (Input should be an object)"),
        (b"[" * 100_000, "the body is not valid (Invalid JSON)"),
        (b'{"subscription": "\\ud800"}', "the body is not valid (Invalid JSON)"),
        (b'{"deliveryAttempt": ' + b"9" * 5_000 + b"}", "the body is not valid (Invalid JSON)"),
    ],
)
def test_body_that_is_no_json_object_is_unreadable(body: bytes, sentence: str) -> None:
    """Deep nesting, a lone surrogate and a very long number are refused like broken JSON."""
    assert complaint(body) == sentence


def test_count_beyond_64_bits_is_the_most() -> None:
    """The count is limited to what the ledger holds."""
    assert PushEnvelope.from_json(with_value("deliveryAttempt", 2**63)).delivery_attempt == 2**63 - 1


def with_value(path: str, value: Any) -> bytes:
    """Return Pub/Sub's push with one field changed."""
    pushed = {**PUSHED, "message": dict(PUSHED["message"])}
    *parents, name = path.split(".")
    target = pushed[parents[0]] if parents else pushed
    target[name] = value
    return orjson.dumps(pushed)


def complaint(body: bytes) -> str:
    """Return the error's text."""
    with pytest.raises(UnreadableEnvelope) as caught:
        PushEnvelope.from_json(body)
    return str(caught.value)
