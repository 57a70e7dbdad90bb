"""From an event to its outcome: whose it is, what it is about, and who takes it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from backends.warehouse.athletes import CONNECTED, Athlete
from backends.warehouse.ledger import Outcome
from runtime.clock import utc_now
from strava.errors import TokenRejected, UnreadableAnswer
from strava.events import ReceivedEvent
from strava.payload import AthletePayload
from worker.activities import ActivityEvents
from worker.athletes import AthleteCache
from worker.event_ordering import is_connected_before
from worker.results import Record, Result

OnDeauthorized = Callable[[Athlete], Awaitable[Result]]


class AthleteSource(Protocol):
    """Where an athlete is asked for: `strava.client.StravaClient`."""

    async def athlete(self) -> AthletePayload:
        """Return the athlete. Raises StravaError, of which TokenRejected when there is no access any more."""


class EventRouter:
    """Takes every kind of event that Strava sends. `on_deauthorized` says what losing an athlete's consent entails."""

    def __init__(
        self,
        athletes: AthleteCache,
        activities: ActivityEvents,
        on_deauthorized: OnDeauthorized,
        source_of: Callable[[int], AthleteSource],
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._athletes = athletes
        self._activities = activities
        self._on_deauthorized = on_deauthorized
        self._source_of = source_of
        self._clock = clock

    async def __call__(self, received: ReceivedEvent, record: Record) -> Result:
        """Finish the event. Raises StravaError, WarehouseBusy, TokensUnavailable, TryLater."""
        event = received.event
        if event.is_deauthorization:
            return await self._deauthorize(received)
        if not event.is_activity:
            return _ignored(f"Nothing is kept of {event.object_type} {event.aspect_type} events.")
        athlete = await self._athletes.find(event.owner_id)
        if athlete is None:
            return _parked(f"Athlete {event.owner_id} is not connected here; connect first with `athlete connect`.")
        if athlete.status != CONNECTED:
            return _ignored("The athlete has taken back the app's access.")
        return await self._activities.take(received, record)

    async def _deauthorize(self, received: ReceivedEvent) -> Result:
        athlete_id = received.event.owner_id
        self._athletes.forget(athlete_id)
        athlete = await self._athletes.find(athlete_id)
        if athlete is None:
            return _ignored(f"Athlete {athlete_id} is not connected here, so there is no access to end.")
        if athlete.status == CONNECTED and await self._is_overtaken(athlete, received):
            return _ignored("The athlete has connected again since.")
        result = await self._on_deauthorized(athlete)
        self._athletes.forget(athlete_id)
        return result

    async def _is_overtaken(self, athlete: Athlete, received: ReceivedEvent) -> bool:
        """Tell whether the stored tokens work in spite of the event; where the times leave doubt, Strava is asked."""
        if is_connected_before(athlete, received, self._clock()):
            return False
        try:
            found = await self._source_of(athlete.athlete_id).athlete()
        except TokenRejected:
            return False
        if found.athlete_id != athlete.athlete_id:
            raise UnreadableAnswer("athlete", "it is about another athlete")
        return True


def _ignored(reason: str) -> Result:
    return Result(outcome=Outcome.IGNORED, reason=reason)


def _parked(reason: str) -> Result:
    return Result(outcome=Outcome.PARKED, reason=reason)
