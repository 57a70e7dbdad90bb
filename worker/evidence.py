"""What a stored row already proves about an event, judged by times alone.

Strava gives `event_time` in whole seconds by its own clock; `received_at` and `observed_at` are by ours.
"""

from datetime import datetime, timedelta

from backends.warehouse import StoredActivity
from strava.events import ReceivedEvent, StravaEvent
from strava.payload import DETAILED

_CLOCK_MARGIN = timedelta(seconds=1)  # between the clocks of service and worker
_STRAVA_MARGIN = timedelta(seconds=5)  # between Strava's clock and ours
_ONE_SECOND = timedelta(seconds=1)


def is_covered(stored: StoredActivity | None, received: ReceivedEvent) -> bool:
    """Whether all that the event could tell was seen after it had arrived.

    A tombstone may be dated by Strava's clock, at the end of a second, so it must be later by more.
    """
    if stored is None:
        return False
    if stored.is_deleted:
        return stored.observed_at > received.received_at + _STRAVA_MARGIN + _ONE_SECOND
    return stored.resource_state == DETAILED and stored.observed_at > received.received_at + _CLOCK_MARGIN


def latest_moment(event: StravaEvent) -> datetime:
    """Return the upper end of the second in which it happened."""
    return event.event_time + _ONE_SECOND


def is_gone_since(stored: StoredActivity | None, event: StravaEvent) -> bool:
    """Whether a tombstone shows that the activity of a create or update was deleted afterwards.

    A create must be at least a whole second older: within one second it may just as well have come after the delete.
    """
    if stored is None or not stored.is_deleted:
        return False
    if event.aspect_type == "create":
        return stored.observed_at > latest_moment(event)
    return stored.observed_at >= event.event_time


def is_surely_before(stored: StoredActivity | None, event: StravaEvent) -> bool:
    """Whether nothing was seen since shortly before the event, so that a delete needs no second look."""
    return stored is None or stored.observed_at < event.event_time - _STRAVA_MARGIN
