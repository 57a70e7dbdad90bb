"""What stored rows and times prove about an event.

Strava gives `event_time` in whole seconds by its own clock; `received_at` and `observed_at` are by ours. The two are
compared only within `CLOCK_SKEW` either way, which leaves an event time to arrive. Where they lie further apart, or
where either is in the future, nothing is concluded: Strava is asked.
"""

from datetime import datetime, timedelta

from backends.warehouse.activities import StoredActivity
from backends.warehouse.athletes import Athlete
from backends.warehouse.last_write_wins import CLOCK_SKEW
from strava.events import ReceivedEvent, StravaEvent

_CLOCK_MARGIN = timedelta(seconds=1)  # between the clocks of service and worker
_ONE_SECOND = timedelta(seconds=1)
_STEP = timedelta(microseconds=1)
_FAR_AHEAD = 2 * CLOCK_SKEW  # what is dated beyond loses against anything: `order_rule`


def observed_after(stored: StoredActivity | None, asked_at: datetime) -> datetime:
    """Date an answer that was asked for after the row was read: later than the row, also after a clock was set back."""
    known = [] if stored is None else [stored.observed_at, *filter(None, [stored.seen_alive_at])]
    return max([asked_at, *(moment + _STEP for moment in known if moment <= asked_at + _FAR_AHEAD)])


def is_gone_since(stored: StoredActivity | None, event: StravaEvent) -> bool:
    """Whether a tombstone shows that the activity of a create or update was deleted afterwards, both by Strava's clock.

    A create must be at least a whole second older: within one second it may just as well have come after the delete.
    """
    if stored is None or not stored.is_deleted or stored.event_time is None:
        return False
    if event.aspect_type == "create":
        return stored.event_time > event.event_time
    return stored.event_time >= event.event_time


def gone_by(received: ReceivedEvent) -> datetime:
    """Return a moment by our clock at which the activity of a delete was surely gone, however far Strava's is off."""
    return received.received_at + _CLOCK_MARGIN


def is_plainly_gone(stored: StoredActivity | None, received: ReceivedEvent, now: datetime) -> bool:
    """Whether a delete needs no second look: it came without delay, and nothing was seen alive since shortly before."""
    if not _is_timely(received, now):
        return False
    if stored is None or stored.is_deleted:
        return True
    return (stored.seen_alive_at or stored.observed_at) < _surely_before(received)


def is_connected_before(athlete: Athlete, received: ReceivedEvent, now: datetime) -> bool:
    """Whether the athlete had surely connected before the event."""
    return not _is_from_the_future(received, now) and athlete.updated_at < _surely_before(received)


def _is_timely(received: ReceivedEvent, now: datetime) -> bool:
    """Whether the event was heard within a minute of its time, by clocks that agree, and not in the future."""
    event_time = received.event.event_time
    earliest, latest = event_time - CLOCK_SKEW, event_time + _ONE_SECOND + CLOCK_SKEW
    return earliest <= received.received_at <= latest and not _is_from_the_future(received, now)


def _is_from_the_future(received: ReceivedEvent, now: datetime) -> bool:
    return received.received_at > now + _CLOCK_MARGIN or received.event.event_time > now + CLOCK_SKEW


def _surely_before(received: ReceivedEvent) -> datetime:
    return min(received.event.event_time, received.received_at) - CLOCK_SKEW
