"""What a stored row already proves about an event, judged by times alone.

Strava gives `event_time` in whole seconds by its own clock; `received_at` and `observed_at` are by ours. The two are
never taken for one: they may be a minute apart either way, and nothing is lost by it.
"""

from datetime import datetime, timedelta

from backends.warehouse import Athlete, StoredActivity
from strava.events import ReceivedEvent, StravaEvent
from strava.payload import DETAILED

_CLOCK_MARGIN = timedelta(seconds=1)  # between the clocks of service and worker
_STRAVA_MARGIN = timedelta(seconds=60)  # between Strava's clock and ours, and for an event on its way
_ONE_SECOND = timedelta(seconds=1)
_LATEST_BELIEVED = _ONE_SECOND + 2 * _STRAVA_MARGIN + _CLOCK_MARGIN  # between a deletion and `gone_by`


def is_covered(stored: StoredActivity | None, received: ReceivedEvent) -> bool:
    """Whether all that the event could tell was seen after it had arrived.

    A tombstone may be dated later than the deletion, so it must be later by more.
    """
    if stored is None:
        return False
    if stored.is_deleted:
        return stored.observed_at > received.received_at + _LATEST_BELIEVED
    return stored.resource_state == DETAILED and stored.observed_at > received.received_at + _CLOCK_MARGIN


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


def is_plainly_gone(stored: StoredActivity | None, received: ReceivedEvent) -> bool:
    """Whether a delete needs no second look: it came without delay, and nothing was seen alive since shortly before.

    With our clock ahead of Strava's every event seems to come late, so then it is asked.
    """
    if received.received_at > received.event.event_time + _ONE_SECOND + _STRAVA_MARGIN:
        return False
    if stored is None or stored.is_deleted:
        return True
    return (stored.seen_alive_at or stored.observed_at) < _surely_before(received)


def is_connected_before(athlete: Athlete, received: ReceivedEvent) -> bool:
    """Whether the athlete had surely connected before the event."""
    return athlete.updated_at < _surely_before(received)


def _surely_before(received: ReceivedEvent) -> datetime:
    return min(received.event.event_time, received.received_at) - _STRAVA_MARGIN
