"""What times prove about an event, one microsecond on either side of each limit."""

from datetime import UTC, datetime, timedelta

import pytest

from backends.warehouse.activities import StoredActivity
from backends.warehouse.athletes import Athlete
from strava.events import ReceivedEvent, StravaEvent
from worker.event_ordering import gone_by, is_connected_before, is_gone_since, is_plainly_gone, observed_after

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def seconds(number: float) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=number)


def event(aspect_type: str = "delete", at: datetime = NOON) -> StravaEvent:
    """An event of activity 101."""
    return StravaEvent(
        object_type="activity",
        aspect_type=aspect_type,
        object_id=101,
        owner_id=7,
        subscription_id=1,
        event_time=at,
        updates={},
    )


def received(at: datetime = NOON, *, event_time: datetime = NOON) -> ReceivedEvent:
    """A delete that was heard at a moment."""
    return ReceivedEvent.of(event(at=event_time), at)


def row(
    *,
    observed_at: datetime = NOON,
    seen_alive_at: datetime | None = None,
    is_deleted: bool = False,
    event_time: datetime | None = None,
) -> StoredActivity:
    """What is stored of activity 101."""
    return StoredActivity(
        activity_id=101,
        athlete_id=7,
        resource_state=None if is_deleted else 3,
        observed_at=observed_at,
        is_deleted=is_deleted,
        payload_hash=None if is_deleted else "hash",
        seen_alive_at=seen_alive_at,
        event_time=event_time,
    )


@pytest.mark.parametrize(
    ("aspect_type", "tombstone_s", "is_gone"),
    [
        ("create", 1, True),
        ("create", 0, False),
        ("create", -1, False),
        ("update", 1, True),
        ("update", 0, True),
        ("update", -1, False),
    ],
)
def test_a_tombstone_settles_what_is_older(aspect_type: str, tombstone_s: int, *, is_gone: bool) -> None:
    """By Strava's clock alone; within its one second an update came before the delete, a create perhaps after."""
    stored = row(is_deleted=True, event_time=NOON + seconds(tombstone_s))
    assert is_gone_since(stored, event(aspect_type)) is is_gone


@pytest.mark.parametrize("stored", [None, row(event_time=NOON + seconds(9)), row(is_deleted=True, event_time=None)])
def test_without_a_dated_tombstone_nothing_is_settled(stored: StoredActivity | None) -> None:
    """No row, a living row, a tombstone that no event brought."""
    assert not is_gone_since(stored, event("update"))


def test_a_deletion_is_dated_a_second_after_it_was_heard() -> None:
    """Later than everything that was seen before, by the clocks of service and worker."""
    assert gone_by(received()) == NOON + seconds(1)


@pytest.mark.parametrize(
    ("heard_after", "is_plain"),
    [
        (seconds(61), True),
        (seconds(61) + TICK, False),
        (seconds(-60), True),
        (seconds(-60) - TICK, False),
    ],
)
def test_a_delete_is_plain_only_when_both_clocks_agree(heard_after: timedelta, *, is_plain: bool) -> None:
    """Heard more than 61 s after its time it came late; more than 60 s before it, the clocks differ."""
    assert is_plainly_gone(None, received(NOON + heard_after), NOON + seconds(99)) is is_plain


@pytest.mark.parametrize(
    ("now_before", "is_plain"),
    [(seconds(1), True), (seconds(1) + TICK, False)],
)
def test_a_delete_that_was_heard_in_the_future_is_not_plain(now_before: timedelta, *, is_plain: bool) -> None:
    """More than a second ahead of our clock is the future."""
    assert is_plainly_gone(None, received(), NOON - now_before) is is_plain


@pytest.mark.parametrize(("ahead", "is_plain"), [(seconds(60), True), (seconds(60) + TICK, False)])
def test_a_delete_whose_time_is_in_the_future_is_not_plain(ahead: timedelta, *, is_plain: bool) -> None:
    """Strava's clock may be a minute ahead of ours, not more."""
    assert is_plainly_gone(None, received(NOON, event_time=NOON + ahead), NOON) is is_plain


@pytest.mark.parametrize(
    ("stored", "is_plain"),
    [
        (row(observed_at=NOON - seconds(60) - TICK), True),
        (row(observed_at=NOON - seconds(60)), False),
        (row(observed_at=NOON - seconds(900), seen_alive_at=NOON - seconds(60)), False),
        (row(observed_at=NOON - seconds(900), seen_alive_at=NOON - seconds(60) - TICK), True),
        (row(observed_at=NOON, is_deleted=True), True),
    ],
)
def test_what_was_seen_alive_since_shortly_before_is_not_plainly_gone(
    stored: StoredActivity, *, is_plain: bool
) -> None:
    """A minute before the event, or before it was heard, whichever is earlier, decides; a tombstone hides nothing."""
    assert is_plainly_gone(stored, received(NOON + seconds(5)), NOON + seconds(9)) is is_plain
    assert is_plainly_gone(stored, received(NOON, event_time=NOON + seconds(5)), NOON + seconds(9)) is is_plain


@pytest.mark.parametrize(
    ("connected", "is_before"), [(NOON - seconds(60) - TICK, True), (NOON - seconds(60), False), (NOON, False)]
)
def test_an_athlete_had_surely_connected_a_minute_before(connected: datetime, *, is_before: bool) -> None:
    """Later than that the event may be older than the connection."""
    athlete = Athlete(athlete_id=7, scope=frozenset(), status="connected", updated_at=connected)
    assert is_connected_before(athlete, received(), NOON) is is_before


@pytest.mark.parametrize("gone", [received(NOON + seconds(1) + TICK), received(event_time=NOON + seconds(60) + TICK)])
def test_a_deauthorisation_from_the_future_proves_nothing(gone: ReceivedEvent) -> None:
    """However long the athlete has been connected, Strava is asked."""
    athlete = Athlete(athlete_id=7, scope=frozenset(), status="connected", updated_at=NOON - seconds(9999))
    assert not is_connected_before(athlete, gone, NOON)


@pytest.mark.parametrize(
    ("stored", "dated"),
    [
        (None, NOON),
        (row(observed_at=NOON - TICK), NOON),
        (row(observed_at=NOON), NOON + TICK),
        (row(observed_at=NOON - seconds(9), seen_alive_at=NOON + seconds(30)), NOON + seconds(30) + TICK),
        (row(observed_at=NOON + seconds(120)), NOON + seconds(120) + TICK),
        (row(observed_at=NOON + seconds(120) + TICK), NOON),
    ],
)
def test_an_answer_is_dated_after_the_row_that_was_read(stored: StoredActivity | None, dated: datetime) -> None:
    """The row was read before Strava was asked; what is dated two minutes ahead loses in any case."""
    assert observed_after(stored, NOON) == dated
