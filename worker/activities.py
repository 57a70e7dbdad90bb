"""Events of activities: Strava is asked what is true now, and the order rule decides what that is worth."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol
from weakref import WeakValueDictionary

from backends.warehouse import ActivityStore, Applied, Observation, Outcome, Source, StoredActivity
from strava.errors import NotFound
from strava.events import ReceivedEvent
from strava.network import utc_now
from strava.payload import DETAILED, ActivityPayload
from worker.budget import CallBudget
from worker.evidence import gone_by, is_covered, is_gone_since, is_plainly_gone
from worker.verdicts import TryLater, Verdict

NOT_FOUND_GRACE = timedelta(seconds=300)


class ActivitySource(Protocol):
    """Where an athlete's activity is asked for: `strava.client.StravaClient`."""

    async def activity(self, activity_id: int) -> ActivityPayload:
        """Return the activity in detail. Raises StravaError."""


class ActivityEvents:
    """Takes create, update and delete events, each as often and in whatever order it comes.

    Events of one activity take turns within this process, so that what was read of a row still holds when it is
    written, and so that a burst of events costs one call where the first answer covers the others. Once the rate limit
    is spent, Strava is not asked before its reset.
    """

    def __init__(
        self,
        store: ActivityStore,
        source_of: Callable[[int], ActivitySource],
        *,
        not_found_grace: timedelta = NOT_FOUND_GRACE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._source_of = source_of
        self._not_found_grace = not_found_grace
        self._clock = clock
        self._budget = CallBudget(clock=clock)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def take(self, received: ReceivedEvent) -> Verdict:
        """Bring the row up to the event. Raises StravaError, WarehouseBusy, TryLater."""
        event = received.event
        async with self._turns.setdefault(event.object_id, asyncio.Lock()):
            stored = await self._store.activity(event.object_id)
            if stored is not None and stored.athlete_id != event.owner_id:
                return _of_another(event.object_id)
            if event.aspect_type == "delete":
                return await self._delete(received, stored)
            if is_covered(stored, received):
                return _unchanged("Strava was asked after this event already.")
            return await self._fetch(received, stored)

    async def _fetch(self, received: ReceivedEvent, stored: StoredActivity | None) -> Verdict:
        asked_at, found = await self._ask(received)
        if found is not None:
            return await self._keep(received, asked_at, found)
        if is_gone_since(stored, received.event):
            return _unchanged("The activity was deleted after this event.")
        if asked_at - received.received_at < self._not_found_grace:
            raise TryLater("Strava does not show the activity yet; it is asked again.")
        return await self._bury(received, asked_at, "Strava no longer shows the activity.")

    async def _delete(self, received: ReceivedEvent, stored: StoredActivity | None) -> Verdict:
        gone_at = gone_by(received)
        if stored is not None and stored.is_deleted and stored.observed_at >= gone_at:
            return _unchanged("The activity was deleted already.")
        if is_plainly_gone(stored, received):
            return await self._bury(received, gone_at, "Deleted at Strava.")
        asked_at, found = await self._ask(received)  # it may have come back since
        if found is not None:
            return await self._keep(received, asked_at, found)
        return await self._bury(received, asked_at, "Deleted at Strava.")

    async def _ask(self, received: ReceivedEvent) -> tuple[datetime, ActivityPayload | None]:
        event = received.event
        asked_at = self._clock()
        try:
            source = self._source_of(event.owner_id)
            return asked_at, await self._budget.spend(lambda: source.activity(event.object_id))
        except NotFound:
            return asked_at, None

    async def _keep(self, received: ReceivedEvent, asked_at: datetime, found: ActivityPayload) -> Verdict:
        event = received.event
        if (found.activity_id, found.athlete_id) != (event.object_id, event.owner_id):
            return _of_another(event.object_id)
        applied = await self._apply(received, asked_at, found)
        if applied is Applied.STORED:
            return Verdict(outcome=Outcome.STORED, reason="Fetched from Strava and stored.")
        if applied is Applied.UNCHANGED:
            return _unchanged("Strava shows what is stored already.")
        return await self._outdone(event.object_id, asked_at)

    async def _outdone(self, activity_id: int, asked_at: datetime) -> Verdict:
        stored = await self._store.activity(activity_id)
        is_detailed = stored is not None and not stored.is_deleted and stored.resource_state == DETAILED
        if stored is not None and is_detailed and stored.observed_at >= asked_at:
            return _unchanged("Something newer is stored already.")
        raise TryLater("Something newer is known of the activity, but not in detail; Strava is asked again.")

    async def _bury(self, received: ReceivedEvent, gone_at: datetime, reason: str) -> Verdict:
        applied = await self._apply(received, gone_at, None)
        if applied is Applied.DELETED:
            return Verdict(outcome=Outcome.DELETED, reason=reason)
        if applied is Applied.UNCHANGED:
            return _unchanged("The activity was deleted already.")
        return _unchanged("Something newer is stored already.")

    async def _apply(self, received: ReceivedEvent, observed_at: datetime, found: ActivityPayload | None) -> Applied:
        event = received.event
        observation = Observation(
            activity_id=event.object_id,
            athlete_id=event.owner_id,
            observed_at=observed_at,
            source=Source.WEBHOOK,
            activity=found,
            event_time=event.event_time,
            event_id=received.event_id,
        )
        return (await self._store.apply([observation]))[0]


def _unchanged(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.UNCHANGED, reason=reason)


def _of_another(activity_id: int) -> Verdict:
    reason = f"Activity {activity_id} does not belong to the athlete that the event names; nothing was changed."
    return Verdict(outcome=Outcome.PARKED, reason=reason)
