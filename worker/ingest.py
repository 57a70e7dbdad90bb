"""From an event to its outcome: whose it is, what it is about, and who takes it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from backends.warehouse import Athlete, Outcome
from strava.events import ReceivedEvent, StravaEvent
from worker.activities import ActivityEvents
from worker.athletes import CONNECTED, Roster
from worker.verdicts import Verdict

OnDeauthorized = Callable[[Athlete], Awaitable[Verdict]]

_ONE_SECOND = timedelta(seconds=1)


class Ingest:
    """Takes every kind of event that Strava sends. `on_deauthorized` says what losing an athlete's consent entails."""

    def __init__(self, roster: Roster, activities: ActivityEvents, on_deauthorized: OnDeauthorized) -> None:
        self._roster = roster
        self._activities = activities
        self._on_deauthorized = on_deauthorized

    async def __call__(self, received: ReceivedEvent) -> Verdict:
        """Finish the event. Raises StravaError, WarehouseBusy, TokensUnavailable, TryLater."""
        event = received.event
        if event.is_deauthorization:
            return await self._deauthorize(event)
        if not event.is_activity:
            return _ignored(f"Nothing is kept of {event.object_type} {event.aspect_type} events.")
        athlete = await self._roster.find(event.owner_id)
        if athlete is None:
            return _parked(f"Athlete {event.owner_id} is not connected here; connect first with `athlete connect`.")
        if athlete.status != CONNECTED:
            return _ignored("The athlete has taken back the app's access.")
        return await self._activities.take(received)

    async def _deauthorize(self, event: StravaEvent) -> Verdict:
        self._roster.forget(event.owner_id)
        athlete = await self._roster.find(event.owner_id)
        if athlete is None:
            return _ignored(f"Athlete {event.owner_id} is not connected here, so there is no access to end.")
        if athlete.status == CONNECTED and athlete.updated_at > event.event_time + _ONE_SECOND:
            return _ignored("The athlete has connected again since.")
        verdict = await self._on_deauthorized(athlete)
        self._roster.forget(event.owner_id)
        return verdict


def _ignored(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.IGNORED, reason=reason)


def _parked(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.PARKED, reason=reason)
