"""Activities as Strava sends them: kept word for word, hardly anything trusted."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strava.payload import ActivityPayload, AthletePayload, UnreadablePayload, disagrees, is_edited

Recorded = Callable[[str], httpx.Response]

LEAST = {"id": 1, "athlete": {"id": 2}}
WHOLE: dict[str, Any] = {
    "id": 1_353_942_913,
    "resource_state": 3,
    "athlete": {"id": 4_605_555_801, "resource_state": 1},
    "name": "Evening run",
    "distance": 42_268.1,
    "start_date": "2018-11-04T14:53:46Z",
    "start_latlng": [],
    "map": {"summary_polyline": None},
    "laps": [{"id": 1, "distance": 1}],
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def test_reads_a_recorded_run(recorded: Recorded) -> None:
    """A detailed run is kept word for word, with its ids, start and state."""
    text = recorded("activity_run_marathon").content

    run = ActivityPayload.from_http(text)

    assert (run.activity_id, run.athlete_id, run.resource_state) == (1_353_942_913, 4_605_555_801, 3)
    assert run.is_detailed
    assert run.start_date == datetime(2018, 11, 4, 14, 53, 46, tzinfo=UTC)
    assert run.text == text.decode()


def test_reads_a_recorded_ride_that_contradicts_itself(recorded: Recorded) -> None:
    """An indoor ride of 101.5 km in 41 minutes at 2.87 m/s is taken as it came."""
    ride = ActivityPayload.from_http(recorded("activity_ride_indoor").text)

    assert (ride.activity_id, ride.is_detailed) == (1_455_368_249, True)
    assert '"distance": 101529.0' in ride.text


def test_reads_the_items_of_a_recorded_page(recorded: Recorded) -> None:
    """Each line of a list is a summary whose text holds all that Strava sent."""
    items = recorded("athlete_activities_page").json()

    page = [ActivityPayload.from_json(item) for item in items]

    assert [summary.resource_state for summary in page] == [2] * 12
    assert [json.loads(summary.text) for summary in page] == items
    assert page[0].start_date == datetime(2025, 10, 19, 20, 0, tzinfo=UTC)


def test_the_hash_is_about_content() -> None:
    """Spacing and the order of keys do not change the hash, any value does."""
    one = ActivityPayload.from_http(json.dumps(WHOLE, indent=2))
    same = ActivityPayload.from_json(dict(reversed(WHOLE.items())))
    other = ActivityPayload.from_json({**WHOLE, "name": "Evening run "})

    assert one.payload_hash == same.payload_hash != other.payload_hash
    assert len(one.payload_hash) == 64


def test_two_ids_are_enough() -> None:
    """An activity without anything but its ids is a summary with an unknown start."""
    payload = ActivityPayload.from_json(LEAST)

    assert (payload.activity_id, payload.athlete_id) == (1, 2)
    assert (payload.resource_state, payload.start_date, payload.is_detailed) == (2, None, False)


@pytest.mark.parametrize("state", [None, "3", 3.0, True, 0, 4, [3]])
def test_an_odd_resource_state_counts_as_summary(state: Any) -> None:
    """What does not clearly say that it is a detail never overwrites one."""
    assert ActivityPayload.from_json({**LEAST, "resource_state": state}).resource_state == 2


@pytest.mark.parametrize("state", [{}, {"resource_state": None}, {"resource_state": 7}, {"resource_state": "3"}])
def test_a_body_of_its_own_counts_as_detail(state: dict[str, Any]) -> None:
    """Strava answers in detail for one activity, unless it says that it does not."""
    assert ActivityPayload.from_http(json.dumps({**LEAST, **state})).is_detailed
    assert not ActivityPayload.from_http(json.dumps({**LEAST, "resource_state": 2})).is_detailed


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2018-11-04T14:53:46Z", datetime(2018, 11, 4, 14, 53, 46, tzinfo=UTC)),
        ("2018-11-04T15:53:46+01:00", datetime(2018, 11, 4, 14, 53, 46, tzinfo=UTC)),
        ("2018-11-04T14:53:46", datetime(2018, 11, 4, 14, 53, 46, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        (1_541_343_226, None),
        (None, None),
    ],
)
def test_a_start_is_utc_or_unknown(sent: Any, read: datetime | None) -> None:
    """A start that cannot be read is unknown, not an error."""
    assert ActivityPayload.from_json({**LEAST, "start_date": sent}).start_date == read


@pytest.mark.parametrize("fields", [{}, {"id": 1}, {"athlete": {"id": 2}}, {"id": 1, "athlete": 2}])
def test_both_ids_are_required(fields: dict[str, Any]) -> None:
    """Without the activity's or the athlete's id there is nowhere to store it."""
    with pytest.raises(UnreadablePayload, match="id is missing"):
        ActivityPayload.from_json(fields)


@pytest.mark.parametrize("value", [None, True, 0, -1, 1.5, "1", 2**63, [], {}])
def test_an_id_is_a_positive_whole_number(value: Any) -> None:
    """An id of another kind is refused; the error does not repeat it."""
    with pytest.raises(UnreadablePayload, match=r"^the activity's id is missing or not a positive whole number$"):
        ActivityPayload.from_json({**LEAST, "id": value})


@given(st.binary() | st.text() | json_values.map(json.dumps))
def test_garbage_is_unreadable(garbage: bytes | str) -> None:
    """For any bytes, the only error is UnreadablePayload."""
    with pytest.raises(UnreadablePayload):
        ActivityPayload.from_http(garbage)


@pytest.mark.slow
@given(st.data())
def test_only_the_ids_are_trusted(data: st.DataObject) -> None:
    """Any other field may be missing or of any kind, and the activity is still read."""
    fields = copy.deepcopy(WHOLE)
    for name in data.draw(st.lists(st.sampled_from(sorted(set(WHOLE) - {"id", "athlete"})))):
        fields.pop(name, None)
    fields |= data.draw(
        st.dictionaries(st.sampled_from(sorted(WHOLE)) | st.text(), json_values.filter(strict), max_size=3)
    )
    fields |= {"id": 1, "athlete": {"id": 2, **data.draw(st.dictionaries(st.text(), st.none()))} | {"id": 2}}

    from_list, from_body = ActivityPayload.from_json(fields), ActivityPayload.from_http(json.dumps(fields))

    assert (from_list.activity_id, from_list.athlete_id) == (from_body.activity_id, from_body.athlete_id) == (1, 2)


def strict(value: Any) -> bool:
    """Whether JSON has a word for all of it: not for NaN and infinity."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


@pytest.mark.slow
@given(st.dictionaries(st.text(), json_values))
def test_reading_an_item_raises_nothing_else(fields: dict[str, Any]) -> None:
    """Parsed JSON of any shape is read or refused."""
    with pytest.raises(UnreadablePayload):
        ActivityPayload.from_json(fields)


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan") + 1j])
def test_an_item_that_is_no_json_is_unreadable(value: Any) -> None:
    """What JSON cannot hold cannot be stored."""
    with pytest.raises(UnreadablePayload):
        ActivityPayload.from_json({**LEAST, "odd": value})


def test_a_name_cut_inside_an_emoji_is_mended() -> None:
    """Half an emoji becomes a question mark, for strict readers of the stored text would stop at it."""
    payload = ActivityPayload.from_http(r'{"id": 1, "athlete": {"id": 2}, "name": "Run \ud83c"}')

    assert json.loads(payload.text) == {**LEAST, "name": "Run ?"}
    assert ActivityPayload.from_json({**LEAST, "name": "Run \ud83c"}).text == payload.text


def test_no_content_is_ever_shown(recorded: Recorded) -> None:
    """Neither `repr` nor an error repeats what an activity says."""
    run = ActivityPayload.from_http(recorded("activity_run_marathon").content)

    assert "Sample activity" not in repr(run)
    with pytest.raises(UnreadablePayload) as caught:
        ActivityPayload.from_http(b'{"name": "Evening run"')
    assert "Evening" not in str(caught.value)
    assert "Evening" not in repr(AthletePayload.from_json({"id": 1, "firstname": "Evening"}))


@pytest.mark.parametrize(("number", "is_readable"), [(2**63 - 1, True), (2**63, False), (1, True), (0, False)])
def test_an_id_is_a_positive_number_of_64_bits(number: int, *, is_readable: bool) -> None:
    """What no database column holds is refused at the edge."""
    fields = {"id": number, "athlete": {"id": 2}}
    if is_readable:
        assert ActivityPayload.from_json(fields).activity_id == number
    else:
        with pytest.raises(UnreadablePayload, match="the activity's id"):
            ActivityPayload.from_json(fields)


@pytest.mark.slow
def test_an_item_that_is_nested_too_deeply_is_unreadable() -> None:
    """Deeper than JSON is written: refused, not a fault of the program."""
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(UnreadablePayload):
        ActivityPayload.from_json({**LEAST, "odd": deep})


def test_an_athlete_needs_an_id() -> None:
    """An athlete is known by the id alone."""
    assert AthletePayload.from_json({"id": 7}).athlete_id == 7
    with pytest.raises(UnreadablePayload, match="athlete's id"):
        AthletePayload.from_json([])


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("name", "Evening run", "Tempo"),
        ("sport_type", "Run", "TrailRun"),
        ("distance", 5000.0, 4900.0),
        ("moving_time", 1500, 1499),
        ("elapsed_time", 1500, 1499),
        ("total_elevation_gain", 12.0, 12.1),
        ("start_date", "2018-11-04T14:53:46Z", "2018-11-04T14:53:47Z"),
        ("start_date_local", "2018-11-04T09:53:46Z", "2018-11-04T00:00:01Z"),
        ("private", False, True),
        ("visibility", "everyone", "only_me"),
        ("commute", False, True),
        ("trainer", False, True),
        ("gear_id", "g1", None),
        ("suffer_score", None, 56.0),
        ("suffer_score", 56.0, None),
        ("distance", 5000.0, None),
        ("type", "Run", "Ride"),
        ("workout_type", 0, 1),
        ("timezone", "(GMT+01:00) Europe/Berlin", "(GMT+00:00) Europe/London"),
        ("manual", False, True),
        ("flagged", False, True),
        ("has_heartrate", False, True),
        ("pr_count", 0, 1),
    ],
)
def test_an_edit_shows_in_the_summary(name: str, before: Any, after: Any) -> None:
    """A summary disagrees with a detail in every field that an athlete can edit and statistics rest on."""
    detail = {**WHOLE, name: before}

    assert disagrees(summary={**LEAST, name: after}, detail=detail)
    assert not disagrees(summary={**LEAST, name: before}, detail=detail)


@pytest.mark.parametrize("name", ["kudos_count", "comment_count", "photo_count", "athlete_count", "average_speed"])
def test_what_others_do_is_no_edit(name: str) -> None:
    """Kudos, comments and photos do not make a detail out of date."""
    assert not disagrees(summary={**LEAST, name: 1}, detail={**WHOLE, name: 2})


def test_only_what_both_say_is_compared() -> None:
    """A field that a list leaves out says nothing, and whole numbers equal the same floats."""
    assert not disagrees(summary={**LEAST, "gear_id": "g1", "distance": 42_268.1}, detail=WHOLE)
    assert not disagrees(summary={"moving_time": 60}, detail={"moving_time": 60.0})


def test_recorded_summaries_agree_with_themselves(recorded: Recorded) -> None:
    """Reading what is stored never asks for a fetch again."""
    for item in recorded("athlete_activities_page").json():
        assert not disagrees(summary=item, detail=json.loads(ActivityPayload.from_json(item).text))


@pytest.mark.parametrize(
    ("name", "is_one"), [("description", True), ("distance", True), ("kudos_count", False), ("calories", False)]
)
def test_an_edit_is_what_an_athlete_changes(name: str, is_one: bool) -> None:
    """What only a detail carries counts too; what others or Strava's arithmetic change does not."""
    assert is_edited(stored={**LEAST, name: 1}, shown={**LEAST, name: 2}) is is_one
    assert not is_edited(stored={**LEAST, name: 1}, shown={**LEAST, name: 1})
    assert not is_edited(stored=LEAST, shown={**LEAST, name: 1})
