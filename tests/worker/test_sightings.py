"""What the worker itself has seen: when it counts, and when a clock that was set makes it worthless."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from backends.warehouse.activities import StoredActivity
from runtime.clock import steady_s
from strava.events import ReceivedEvent, StravaEvent
from worker.clock_steps import ClockSteps
from worker.sightings import Sightings

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@dataclass
class Clocks:
    """A wall clock that may be set, beside one that only counts on."""

    wall: datetime = NOON
    passed_s: float = 0.0

    def now(self) -> datetime:
        return self.wall

    def steady(self) -> float:
        return self.passed_s

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.passed_s += seconds


def update(activity_id: int, at: datetime) -> ReceivedEvent:
    """An edit that was heard at a moment."""
    event = StravaEvent(
        object_type="activity",
        aspect_type="update",
        object_id=activity_id,
        owner_id=7,
        subscription_id=1,
        event_time=at,
        updates={},
    )
    return ReceivedEvent.of(event, at)


def living(seen_alive_at: datetime) -> StoredActivity:
    """A row that was seen alive at a moment."""
    return StoredActivity(
        activity_id=101,
        athlete_id=7,
        resource_state=3,
        observed_at=NOON,
        is_deleted=False,
        payload_hash="hash",
        seen_alive_at=seen_alive_at,
    )


@pytest.mark.parametrize(
    ("set_by_s", "is_step"), [(0.5, False), (-0.5, False), (0.6, True), (-0.6, True), (7200, True)]
)
def test_a_clock_that_was_set_is_noticed_once(set_by_s: float, *, is_step: bool) -> None:
    """More than half a second is a step, to either side; slower drifts are followed."""
    clocks = Clocks()
    steps = ClockSteps(clocks.now, clocks.steady)
    clocks.pass_by(100)
    clocks.wall += timedelta(seconds=set_by_s)
    assert (steps.has_stepped(), steps.is_settled()) == (is_step, not is_step)
    clocks.pass_by(300)
    assert (steps.has_stepped(), steps.is_settled()) == (False, not is_step)
    clocks.pass_by(0.5)
    assert (steps.has_stepped(), steps.is_settled()) == (False, True)


def test_the_steady_clock_counts_on() -> None:
    """It never goes back, and is no wall clock."""
    first = steady_s()
    assert 0 <= first <= steady_s() < datetime.now(UTC).timestamp()


@pytest.mark.parametrize(("heard_before_s", "is_covered"), [(1.0, False), (1.000001, True), (-5.0, False)])
def test_an_answer_covers_what_was_heard_a_second_before(heard_before_s: float, *, is_covered: bool) -> None:
    """The clocks of service and worker may be a second apart."""
    clocks = Clocks()
    seen = Sightings(clocks.now, clocks.steady)
    seen.note_stored(101, seen.ask())
    heard = NOON - timedelta(seconds=heard_before_s)
    assert seen.cover(update(101, heard)) is is_covered
    assert not seen.cover(update(102, heard))


@pytest.mark.parametrize("is_covered_first", [True, False])
@pytest.mark.parametrize("set_by_s", [-30, 30])
def test_a_clock_that_was_set_covers_nothing(set_by_s: float, *, is_covered_first: bool) -> None:
    """What was asked for before the step cannot be compared with what was heard after it."""
    clocks = Clocks()
    seen = Sightings(clocks.now, clocks.steady)
    seen.note_stored(101, seen.ask())
    clocks.wall += timedelta(seconds=set_by_s)
    heard = update(101, NOON - timedelta(seconds=20))
    if is_covered_first:
        assert (seen.cover(heard), seen.is_clock_settled()) == (False, False)
    else:
        assert (seen.is_clock_settled(), seen.cover(heard)) == (False, False)


def test_an_answer_that_was_asked_for_before_a_step_covers_nothing() -> None:
    """Asked by a clock two hours ahead, answered after it was set right and another event had noticed: not noted."""
    clocks = Clocks()
    seen = Sightings(clocks.now, clocks.steady)
    asked = seen.ask()
    clocks.wall -= timedelta(hours=2)
    assert not seen.cover(update(102, clocks.wall))
    seen.note_stored(101, asked)
    assert not seen.cover(update(101, clocks.wall))


def test_an_answer_that_was_asked_for_after_a_step_covers_again() -> None:
    """The question is the first to notice the step, so both of its times are by the clock as it is now."""
    clocks = Clocks()
    seen = Sightings(clocks.now, clocks.steady)
    clocks.wall -= timedelta(seconds=30)
    heard = update(101, clocks.wall - timedelta(seconds=20))
    seen.note_stored(101, seen.ask())
    assert seen.cover(heard)


def test_a_clock_that_was_set_back_for_a_moment_covers_nothing() -> None:
    """Heard after the question, by a clock 30 s back, the edit looks older than it; the clock is right again since."""
    clocks = Clocks()
    seen = Sightings(clocks.now, clocks.steady)
    asked = seen.ask()
    clocks.wall -= timedelta(seconds=30)
    heard = update(101, clocks.wall)
    seen.note_stored(101, asked)
    clocks.wall += timedelta(seconds=30)
    assert not seen.cover(heard)


def test_a_clock_that_was_not_set_is_settled() -> None:
    """Deletions are believed without a question then."""
    clocks = Clocks()
    seen = Sightings(clocks.now, clocks.steady)
    clocks.pass_by(100)
    assert seen.is_clock_settled()


def test_the_absence_is_counted_from_its_first_sight() -> None:
    """0 s at first, then what passed since; a sign of life in between starts it again, and so does forgetting."""
    clocks = Clocks()
    seen = Sightings(clocks.now, clocks.steady)
    told = [seen.missing_s(living(NOON))]
    for alive_at in (NOON, NOON, NOON + timedelta(seconds=1), NOON + timedelta(seconds=1)):
        clocks.pass_by(100)
        told.append(seen.missing_s(living(alive_at)))
    seen.forget_faults(101)
    assert [*told, seen.missing_s(living(NOON + timedelta(seconds=1)))] == [0, 100, 200, 0, 100, 0]


def test_failures_are_counted_until_they_are_forgotten() -> None:
    """In a row, by activity."""
    seen = Sightings(Clocks().now, Clocks().steady)
    assert [seen.failures(101), seen.note_failure(101), seen.note_failure(101), seen.failures(102)] == [0, 1, 2, 0]
    seen.forget_faults(101)
    assert seen.failures(101) == 0


def test_only_the_newest_ten_thousand_are_remembered() -> None:
    """An outage of days does not fill the memory; what was noted again lately stays."""
    seen = Sightings(Clocks().now, Clocks().steady)
    for activity_id in range(10_000):
        seen.note_failure(activity_id)
    seen.note_failure(0)
    seen.note_failure(10_000)
    assert [seen.failures(activity_id) for activity_id in (0, 1, 2, 10_000)] == [2, 0, 1, 1]
