"""What this process has itself seen of each activity at Strava.

It is forgotten when the process ends. That costs calls and loses nothing: the warehouse keeps what counts.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from backends.warehouse.activities import StoredActivity
from runtime.clock import steady_s
from strava.events import ReceivedEvent
from worker.clock_steps import ClockSteps

T = TypeVar("T")

_CLOCK_MARGIN = timedelta(seconds=1)  # between the clocks of service and worker
_MOST_REMEMBERED = 10_000


class Asked(NamedTuple):
    """When Strava was asked, and how often the clock had been set until then."""

    at: datetime
    steps: int


class Sightings:
    """Remembers when Strava was last asked, since when it has not shown an activity, and how often it failed on one."""

    def __init__(self, clock: Callable[[], datetime], steady: Callable[[], float] = steady_s) -> None:
        self._clock = clock
        self._steady = steady
        self._step_count = 0
        self._steps = ClockSteps(clock, steady)
        self._asked_at: OrderedDict[int, datetime] = OrderedDict()
        self._missing: OrderedDict[int, tuple[float, datetime | None]] = OrderedDict()
        self._failures: OrderedDict[int, int] = OrderedDict()

    def cover(self, received: ReceivedEvent) -> bool:
        """Whether the last answer that was stored was asked for after the event had arrived.

        Both times are wall-clock times of one machine, so they are comparable only while its clock is not set.
        """
        self._look_at_clock()
        asked_at = self._asked_at.get(received.event.object_id)
        return asked_at is not None and asked_at > received.received_at + _CLOCK_MARGIN

    def is_clock_settled(self) -> bool:
        """Whether the wall clock was not set within the last minutes."""
        self._look_at_clock()
        return self._steps.is_settled()

    def ask(self) -> Asked:
        """Return the moment of a question that is put now."""
        self._look_at_clock()
        return Asked(self._clock(), self._step_count)

    def note_stored(self, activity_id: int, asked: Asked) -> None:
        """Remember that the answer to that question is stored, unless the clock was set since it was asked."""
        self._look_at_clock()
        if asked.steps == self._step_count:
            _remember(self._asked_at, activity_id, asked.at)

    def forget_faults(self, activity_id: int) -> None:
        """Forget that Strava did not show the activity, or failed on it."""
        self._missing.pop(activity_id, None)
        self._failures.pop(activity_id, None)

    def missing_s(self, stored: StoredActivity) -> float:
        """Note that Strava says now that a stored activity is not there.

        Return for how many seconds it has been saying so, without a sign of life in between.
        """
        now_s = self._steady()
        since_s, seen_alive_at = self._missing.get(stored.activity_id, (now_s, stored.seen_alive_at))
        if seen_alive_at != stored.seen_alive_at:
            since_s = now_s
        _remember(self._missing, stored.activity_id, (since_s, stored.seen_alive_at))
        return now_s - since_s

    def note_failure(self, activity_id: int) -> int:
        """Count a failure of Strava's on the activity; return how many there were in a row."""
        failures = self.failures(activity_id) + 1
        _remember(self._failures, activity_id, failures)
        return failures

    def failures(self, activity_id: int) -> int:
        """Return how often in a row Strava has failed on the activity."""
        return self._failures.get(activity_id, 0)

    def _look_at_clock(self) -> None:
        """Forget when Strava was asked if the clock was set since."""
        if self._steps.has_stepped():
            self._step_count += 1
            self._asked_at.clear()


def _remember(memory: OrderedDict[int, T], activity_id: int, value: T) -> None:
    """Keep the newest entries only."""
    memory[activity_id] = value
    memory.move_to_end(activity_id)
    if len(memory) > _MOST_REMEMBERED:
        memory.popitem(last=False)
