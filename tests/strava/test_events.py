"""Strava's webhook events: what is read, what is refused, and what survives the way from service to worker."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strava.events import ReceivedEvent, StravaEvent, UnreadableEvent, message_from_http

CREATE: dict[str, Any] = {
    "object_type": "activity",
    "object_id": 9_007_199_254_740_993,  # beyond what a double holds exactly
    "aspect_type": "create",
    "updates": {},
    "owner_id": 134_815,
    "subscription_id": 120_475,
    "event_time": 1_516_126_040,
}
RENAME = {**CREATE, "aspect_type": "update", "updates": {"title": "Messy 🏃", "private": "true"}}
GOODBYE = {
    **CREATE,
    "object_type": "athlete",
    "object_id": 134_815,
    "aspect_type": "update",
    "updates": {"authorized": "false"},
}
RECEIVED_AT = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)

int64 = st.integers(min_value=0, max_value=2**63 - 1)
words = st.text(min_size=1, max_size=64)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
events = st.builds(
    lambda known, extra: {**extra, **known},
    st.fixed_dictionaries(
        {
            "object_type": st.sampled_from(["activity", "athlete"]) | words,
            "object_id": int64,
            "aspect_type": st.sampled_from(["create", "update", "delete"]) | words,
            "updates": st.dictionaries(st.text(), json_values, max_size=4),
            "owner_id": int64,
            "subscription_id": int64,
            "event_time": st.integers(min_value=0, max_value=253_402_214_399),
        }
    ),
    st.dictionaries(st.text().filter(lambda name: name not in {"received_at", "event_id"}), json_values, max_size=3),
)
year_2, year_9998 = (datetime.fromisoformat(f"{year}-01-01") for year in ("0002", "9998"))
moments = st.datetimes(min_value=year_2, max_value=year_9998, timezones=st.just(UTC))


def body(fields: dict[str, Any]) -> bytes:
    """Write the fields as Strava does: as ASCII JSON."""
    return json.dumps(fields).encode()


@pytest.mark.parametrize("updates", [{}, {"title": "x", "private": "true"}])
def test_an_event_id_is_32_hex_digits(updates: dict[str, Any]) -> None:
    """Half of a SHA-256, with and without updates."""
    fields = {
        "object_type": "activity",
        "aspect_type": "update",
        "object_id": 1,
        "owner_id": 2,
        "subscription_id": 3,
        "event_time": 4,
        "updates": updates,
    }
    assert re.fullmatch("[0-9a-f]{32}", StravaEvent.from_json(fields).event_id)


def test_reads_a_create() -> None:
    """Every documented field is read, an id of 64 bits exactly, the time as aware UTC."""
    event = StravaEvent.from_http(body(CREATE))

    assert event == StravaEvent(
        object_type="activity",
        aspect_type="create",
        object_id=9_007_199_254_740_993,
        owner_id=134_815,
        subscription_id=120_475,
        event_time=datetime(2018, 1, 16, 18, 7, 20, tzinfo=UTC),
        updates={},
    )
    assert event.is_activity
    assert not event.is_deauthorization


def test_keeps_updates_as_strava_sends_them() -> None:
    """Booleans that Strava sends as words stay words."""
    assert StravaEvent.from_http(body(RENAME)).updates == {"title": "Messy 🏃", "private": "true"}


def test_knows_a_deauthorisation() -> None:
    """An athlete's update with authorized "false" is a deauthorisation, and no activity."""
    event = StravaEvent.from_http(body(GOODBYE))

    assert event.is_deauthorization
    assert not event.is_activity


@pytest.mark.parametrize(
    "change",
    [
        {"object_type": "activity"},
        {"aspect_type": "create"},
        {"updates": {"authorized": "true"}},
        {"updates": {}},
        {"updates": {"title": "false"}},
    ],
)
def test_other_events_are_no_deauthorisation(change: dict[str, Any]) -> None:
    """Nothing but that one event takes an athlete's access away."""
    assert not StravaEvent.from_json({**GOODBYE, **change}).is_deauthorization


def test_a_boolean_ends_access_too() -> None:
    """Should Strava ever send the boolean it means, it is understood."""
    assert StravaEvent.from_json({**GOODBYE, "updates": {"authorized": False}}).is_deauthorization


@pytest.mark.parametrize("updates", [None, "absent"])
def test_missing_updates_are_none(updates: str | None) -> None:
    """Without updates an event is still an event."""
    fields = {**CREATE, "updates": None} if updates is None else {k: v for k, v in CREATE.items() if k != "updates"}

    assert StravaEvent.from_json(fields).updates == {}


@pytest.mark.slow
@given(events)
def test_every_field_survives_reading(fields: dict[str, Any]) -> None:
    """An event gives back exactly the fields that came, unknown ones included."""
    assert StravaEvent.from_http(body(fields)).to_json() == fields


@pytest.mark.slow
@given(events, moments)
def test_an_event_survives_its_way_to_the_worker(fields: dict[str, Any], received_at: datetime) -> None:
    """What the worker reads is what the service published, to the microsecond."""
    received = ReceivedEvent.of(StravaEvent.from_http(body(fields)), received_at)

    assert ReceivedEvent.from_push(received.to_message()) == received


@pytest.mark.slow
@given(events, moments)
def test_the_service_publishes_what_a_received_event_says(fields: dict[str, Any], received_at: datetime) -> None:
    """The short way from the webhook's body to a message leads to the same message and attributes."""
    message, attributes = message_from_http(body(fields), received_at)
    received = ReceivedEvent.of(StravaEvent.from_http(body(fields)), received_at)

    assert ReceivedEvent.from_push(message) == received
    assert (json.loads(message), attributes) == (json.loads(received.to_message()), received.attributes())


@pytest.mark.slow
@given(events, moments)
def test_an_event_read_from_the_ledger_keeps_its_id(fields: dict[str, Any], received_at: datetime) -> None:
    """The ledger forgets the words in `updates`; published again, the event still has the id that it came with."""
    received = ReceivedEvent.of(StravaEvent.from_http(body(fields)), received_at)
    wordless = replace(received, event=replace(received.event, updates=dict.fromkeys(received.event.updates)))
    assert ReceivedEvent.from_push(wordless.to_message()) == wordless
    assert wordless.attributes() == received.attributes()


@given(garbage=st.binary(max_size=60))
def test_the_service_refuses_what_is_no_event(garbage: bytes) -> None:
    """Reading a body as a message and reading it as an event say the same about it."""
    with pytest.raises(UnreadableEvent) as of_event:
        StravaEvent.from_http(garbage)
    with pytest.raises(UnreadableEvent) as of_message:
        message_from_http(garbage, RECEIVED_AT)
    assert str(of_message.value) == str(of_event.value)


def test_a_time_of_arrival_from_outside_is_not_kept() -> None:
    """When an event was heard is ours to say."""
    message, _ = message_from_http(body({**CREATE, "received_at": "2000-01-01T00:00:00Z"}), RECEIVED_AT)
    assert ReceivedEvent.from_push(message).received_at == RECEIVED_AT


@pytest.mark.slow
@given(events)
def test_deliveries_of_one_event_share_their_id(fields: dict[str, Any]) -> None:
    """The id depends neither on the order of keys nor on fields that Strava does not document."""
    shuffled = dict(reversed(fields.items()))
    attempt = {**fields, "some_delivery_counter_of_the_future": 2}

    ids = {StravaEvent.from_http(body(sent)).event_id for sent in (fields, shuffled, attempt)}

    assert len(ids) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"object_type": "athlete"},
        {"object_id": 1},
        {"aspect_type": "delete"},
        {"owner_id": 1},
        {"subscription_id": 1},
        {"event_time": 1},
        {"updates": {"title": "Other"}},
    ],
)
def test_different_events_have_different_ids(change: dict[str, Any]) -> None:
    """Any difference in what is documented makes another event."""
    assert StravaEvent.from_json({**CREATE, **change}).event_id != StravaEvent.from_json(CREATE).event_id


def test_the_message_is_strava_plus_two_fields() -> None:
    """The worker's message is the body as received, `received_at` and `event_id`."""
    received = ReceivedEvent.of(StravaEvent.from_json(RENAME), RECEIVED_AT)

    assert json.loads(received.to_message()) == {
        **RENAME,
        "received_at": "2026-03-01T12:00:00.123456Z",
        "event_id": received.event.event_id,
    }


def test_arrival_is_told_in_utc() -> None:
    """A local time of arrival is kept as the same moment in UTC."""
    local = RECEIVED_AT.astimezone(timezone(timedelta(hours=2)))

    assert b'"2026-03-01T12:00:00.123456Z"' in ReceivedEvent.of(StravaEvent.from_json(CREATE), local).to_message()


def test_attributes_are_text_to_filter_by() -> None:
    """A queue can filter by what the event is about, without opening the message."""
    received = ReceivedEvent.of(StravaEvent.from_json(RENAME), RECEIVED_AT)

    assert received.attributes() == {
        "object_type": "activity",
        "aspect_type": "update",
        "object_id": "9007199254740993",
        "owner_id": "134815",
        "event_time": "1516126040",
        "event_id": received.event_id,
    }


def test_strava_cannot_set_our_fields() -> None:
    """A `received_at` or `event_id` that came from outside is not kept, so it cannot pass for ours."""
    event = StravaEvent.from_json({**CREATE, "event_id": "forged", "received_at": "1970-01-01T00:00:00Z"})

    assert event == StravaEvent.from_json(CREATE)


def test_a_title_cut_inside_an_emoji_is_still_read() -> None:
    """Half an emoji at the end of a title costs a character, not the event."""
    event = StravaEvent.from_http(body(RENAME).replace(rb"\ud83c\udfc3", rb"\ud83c"))

    assert event.updates["title"] == "Messy ?"
    assert ReceivedEvent.from_push(ReceivedEvent.of(event, RECEIVED_AT).to_message()).event == event


@pytest.mark.parametrize("fields", [CREATE, RENAME, GOODBYE])
def test_a_truncated_body_is_unreadable(fields: dict[str, Any]) -> None:
    """However much of the end is missing, it is one clear error."""
    whole = body(fields)
    for length in range(len(whole)):
        with pytest.raises(UnreadableEvent):
            StravaEvent.from_http(whole[:length])


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_unreadable(garbage: bytes) -> None:
    """For any bytes, the only error is UnreadableEvent."""
    with pytest.raises(UnreadableEvent):
        StravaEvent.from_http(garbage)
    with pytest.raises(UnreadableEvent):
        ReceivedEvent.from_push(garbage)


def test_a_body_nested_without_end_is_unreadable() -> None:
    """Deep nesting neither crashes nor hangs the reader."""
    with pytest.raises(UnreadableEvent):
        StravaEvent.from_http(b"[" * 16_000)


@pytest.mark.parametrize("name", ["updates", "added_later"])
@pytest.mark.parametrize("depth", [300, 900])
def test_what_is_nested_too_deeply_to_pass_on_is_unreadable(name: str, depth: int) -> None:
    """JSON that can be read but not be written again is refused as such, wherever in the event it stands."""
    nested = b'{"a":' * depth + b"{}" + b"}" * depth
    deep = body({key: value for key, value in CREATE.items() if key != name})[:-1] + f',"{name}":'.encode() + nested
    with pytest.raises(UnreadableEvent, match="nested too deeply"):
        message_from_http(deep + b"}", RECEIVED_AT)
    with pytest.raises(UnreadableEvent, match="nested too deeply"):
        ReceivedEvent.of(StravaEvent.from_http(deep + b"}"), RECEIVED_AT).to_message()


def test_an_event_of_the_last_day_of_time_is_unreadable() -> None:
    """The last moments that a calendar holds are left free for arithmetic with an event's time."""
    with pytest.raises(UnreadableEvent, match="event_time"):
        StravaEvent.from_json({**CREATE, "event_time": 253_402_214_400})
    assert StravaEvent.from_json({**CREATE, "event_time": 253_402_214_399}).event_time.year == 9999


@pytest.mark.parametrize("name", [name for name in CREATE if name != "updates"])
@pytest.mark.parametrize("value", [None, True, -1, 1.0, 2**63, "", [], {}, "x" * 65])
def test_a_field_of_the_wrong_kind_is_named(name: str, value: Any) -> None:
    """The error names the faulty field and does not repeat its value."""
    with pytest.raises(UnreadableEvent, match=f"^{name} is missing or not a (short text|whole number)"):
        StravaEvent.from_json({**CREATE, name: value})


@pytest.mark.parametrize("name", [name for name in CREATE if name != "updates"])
def test_a_missing_field_is_named(name: str) -> None:
    """The error names the field that is missing."""
    with pytest.raises(UnreadableEvent, match=name):
        StravaEvent.from_json({key: value for key, value in CREATE.items() if key != name})


@pytest.mark.parametrize("updates", ["title", [], 1, True])
def test_updates_must_be_an_object(updates: Any) -> None:
    """Updates of another kind are refused."""
    with pytest.raises(UnreadableEvent, match="updates"):
        StravaEvent.from_json({**CREATE, "updates": updates})


@pytest.mark.parametrize(
    "change",
    [
        {"received_at": None},
        {"received_at": "yesterday"},
        {"received_at": "2026-03-01T12:00:00"},
        {"received_at": "0001-01-01T00:00:00+14:00"},
        {"event_id": None},
        {"event_id": ""},
    ],
)
def test_a_message_without_our_fields_is_unreadable(change: dict[str, Any]) -> None:
    """A message that the service did not write is refused, naming what is wrong."""
    message = json.loads(ReceivedEvent.of(StravaEvent.from_json(CREATE), RECEIVED_AT).to_message())

    with pytest.raises(UnreadableEvent, match=next(iter(change))):
        ReceivedEvent.from_push(body({**message, **change}))


def test_no_title_is_ever_shown() -> None:
    """A title is personal: neither `repr` nor an error repeats it."""
    event = StravaEvent.from_json({**RENAME, "title_of_the_future": "Messy"})

    assert "Messy" not in repr(event)
    assert "Messy" not in repr(ReceivedEvent.of(event, RECEIVED_AT))
    with pytest.raises(UnreadableEvent) as caught:
        StravaEvent.from_json({**RENAME, "object_type": ["Messy"]})
    assert "Messy" not in str(caught.value)
