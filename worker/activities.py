"""Events of activities: Strava is asked what is true now, and the last-write-wins rule decides what that is worth."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, Self
from weakref import WeakValueDictionary

import structlog

from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import ActivityStore, Applied, Decision, Observation, Source, StoredActivity
from backends.warehouse.athletes import Athlete
from backends.warehouse.event_basis import EventBases
from backends.warehouse.ledger import Outcome
from runtime.batching import Batcher
from runtime.clock import steady_s, utc_now
from strava.errors import NotConnected, NotFound, ServerFailed, StravaError, UnreadableAnswer
from strava.events import ReceivedEvent
from strava.payload import DETAILED, ActivityPayload
from worker.event_ordering import gone_by, is_gone_since, is_plainly_gone, observed_after
from worker.results import LONG_RETRY_S, OF_PURGED, SHORT_RETRY_ATTEMPTS, Record, Result, TryLater
from worker.sightings import Asked, Sightings

NOT_FOUND_GRACE = timedelta(seconds=300)
_SHOWN_WITHIN = timedelta(days=2)  # an activity that was never shown for so long is not waited for
_LEAST_WAIT_S, _LONGEST_WAIT_S = 60.0, 6 * 3600.0
_LONGEST_FAULT_S = 3600.0

log = structlog.get_logger(__name__)

# The result for an event of this athlete, or of one who is unknown; None where the event is to be taken.
Refuse = Callable[[Athlete | None], Awaitable[Result | None]]


class EventStore(ActivityStore, EventBases, Protocol):
    """The part of `raw` that events of activities need."""


class ActivitySource(Protocol):
    """Where an athlete's activity is asked for: `strava.client.StravaClient`."""

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        """Return the activity in detail, calling `tries` times at most. Raises StravaError."""


async def apply_all(store: ActivityStore, athlete_id: int, seen: Sequence[Observation]) -> list[Applied]:
    """Apply what was seen of one athlete. Raises NotConnected where a purge came in between, WarehouseBusy."""
    applied = await store.apply(seen)
    if Applied.PURGED in applied:
        raise NotConnected(athlete_id)
    return applied


class _Cause(NamedTuple):
    """Why an activity is asked for: the event that tells of it now, or that first brought it."""

    activity_id: int
    athlete_id: int
    event_id: str
    event_time: datetime | None

    @classmethod
    def of(cls, received: ReceivedEvent) -> Self:
        """Read it from an event."""
        event = received.event
        return cls(event.object_id, event.owner_id, received.event_id, event.event_time)

    def observation(self, observed_at: datetime, found: ActivityPayload | None) -> Observation:
        """Return what Strava showed, or None that it showed nothing."""
        return Observation(
            activity_id=self.activity_id,
            athlete_id=self.athlete_id,
            observed_at=observed_at,
            source=Source.WEBHOOK,
            activity=found,
            event_time=self.event_time,
            event_id=self.event_id,
        )


class _Basis(NamedTuple):
    athletes: Mapping[int, Athlete]
    stored: StoredActivity | None


class ActivityEvents:
    """Takes create, update and delete events, each as often as it comes and in any order.

    Events of one activity take turns within this process, so that what was read of a row still holds when it is
    written, and so that a burst of events costs one call where the first answer covers the others. An activity on which
    Strava fails is asked for once an attempt instead of several times, until it answers. A second look asks through
    `looking_source_of`, which may wait where an event may not.
    """

    def __init__(  # noqa: PLR0913 - two collaborators, and by keyword what may be left as it is
        self,
        store: EventStore,
        source_of: Callable[[int], ActivitySource],
        *,
        looking_source_of: Callable[[int], ActivitySource] | None = None,
        not_found_grace: timedelta = NOT_FOUND_GRACE,
        clock: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] = steady_s,
    ) -> None:
        self._store = store
        self._basis = Batcher(self._read_basis, shared=WarehouseBusy)
        self._stored = Batcher(self._read, shared=WarehouseBusy)
        self._source_of = source_of
        self._looking_source_of = looking_source_of or source_of
        self._not_found_grace = not_found_grace
        self._clock = clock
        self._seen = Sightings(clock, steady)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def take(self, received: ReceivedEvent, record: Record, refuse: Refuse) -> Result:
        """Bring the row up to the event, unless it is refused. Raises StravaError, WarehouseBusy, TryLater."""
        event = received.event
        async with self._turn(event.object_id):
            athletes, stored = await self._basis(event.object_id)
            if (refused := await refuse(athletes.get(event.owner_id))) is not None:
                return refused
            if stored is not None and stored.athlete_id != event.owner_id:
                return _of_another(event.object_id)
            if event.aspect_type == "delete":
                return await self._delete(received, stored, record)
            if self._seen.cover(received):
                return _unchanged("Strava was asked after this event already.")
            return await self._fetch(received, stored, record)

    async def look_again(self, activity_id: int, event_id: str) -> Applied | None:
        """Fetch a living activity once more without an event; None when it is gone, or Strava shows none or another's.

        `event_id` is that of the event that first brought it. Raises StravaError, TryLater, WarehouseBusy.
        """
        async with self._turn(activity_id):
            stored = await self._stored(activity_id)
            if stored is None or stored.is_deleted:
                return None
            asked_at = self._clock()
            found = await self._ask(self._looking_source_of(stored.athlete_id), activity_id)
            if found is None or found.athlete_id != stored.athlete_id:  # its own event tells whether it was deleted
                return None
            cause = _Cause(activity_id, stored.athlete_id, event_id, stored.event_time)
            seen = cause.observation(observed_after(stored, asked_at), found)
            return (await apply_all(self._store, stored.athlete_id, [seen]))[0]

    async def _read_basis(self, activity_ids: Sequence[int]) -> list[_Basis]:
        basis = await self._store.event_basis(activity_ids)
        athletes = {each.athlete_id: each for each in basis.athletes}
        return [_Basis(athletes, basis.activities.get(activity_id)) for activity_id in activity_ids]

    async def _read(self, activity_ids: Sequence[int]) -> list[StoredActivity | None]:
        stored = await self._store.stored(activity_ids)
        return [stored.get(activity_id) for activity_id in activity_ids]

    def _turn(self, activity_id: int) -> asyncio.Lock:
        return self._turns.setdefault(activity_id, asyncio.Lock())

    async def _fetch(self, received: ReceivedEvent, stored: StoredActivity | None, record: Record) -> Result:
        asked = self._seen.ask()
        found = await self._ask(self._source_of(received.event.owner_id), received.event.object_id)
        if found is not None:
            return await self._keep(received, stored, asked, found, record)
        if is_gone_since(stored, received.event):
            return _unchanged("The activity was deleted after this event.")
        if stored is None or stored.is_deleted:
            return self._await_first_sight(received, asked.at)
        if self._seen.missing_s(stored) < self._not_found_grace.total_seconds():
            raise TryLater(
                "not_shown_now",
                "Strava does not show the activity now; it is asked again before that counts as a deletion.",
            )
        gone_at = observed_after(stored, asked.at)
        return await self._bury(received, gone_at, "Strava no longer shows the activity.", record)

    def _await_first_sight(self, received: ReceivedEvent, asked_at: datetime) -> Result:
        """Ask again ever later for what was never shown: nothing is stored, so nothing is there to delete."""
        age = asked_at - received.received_at
        if age < self._not_found_grace:
            raise TryLater("not_shown_yet", "Strava does not show the activity yet; it is asked again.")
        if age < _SHOWN_WITHIN:
            wait_s = min(max(age.total_seconds(), _LEAST_WAIT_S), _LONGEST_WAIT_S)
            sentence = f"Strava has not shown the activity so far; it is asked again in {wait_s / 60:.0f} minutes."
            raise TryLater("not_shown_yet", sentence, wait_s)
        reason = (
            f"Strava has not shown the activity within {_SHOWN_WITHIN.days} days, and nothing of it is stored. "
            "Loading the history brings it if it appears."
        )
        return Result(outcome=Outcome.IGNORED, reason=reason)

    async def _delete(self, received: ReceivedEvent, stored: StoredActivity | None, record: Record) -> Result:
        gone_at = gone_by(received)
        if stored is not None and stored.is_deleted and stored.observed_at >= gone_at:
            return _unchanged("The activity was deleted already.")
        asked = self._seen.ask()
        if self._seen.is_clock_settled() and is_plainly_gone(stored, received, asked.at):
            return await self._bury(received, gone_at, "Deleted at Strava.", record)
        source = self._source_of(received.event.owner_id)
        found = await self._ask(source, received.event.object_id)  # it may have come back since
        if found is not None:
            return await self._keep(received, stored, asked, found, record)
        return await self._bury(received, observed_after(stored, asked.at), "Deleted at Strava.", record)

    async def _ask(self, source: ActivitySource, activity_id: int) -> ActivityPayload | None:
        tries = 1 if self._seen.failures(activity_id) else None
        try:
            found = await source.activity(activity_id, tries=tries)
        except NotFound:
            return None
        except (ServerFailed, UnreadableAnswer) as error:
            raise self._failed(activity_id, error) from error
        self._seen.forget_faults(activity_id)
        return found

    def _failed(self, activity_id: int, error: StravaError) -> Exception:
        """Count the failure; one that goes on for long waits ever longer, up to an hour."""
        failures = self._seen.note_failure(activity_id)
        if failures == 1:
            return error
        log.warning("activity.failing", activity_id=activity_id, reason=str(error), attempts=failures)
        beyond = failures - SHORT_RETRY_ATTEMPTS
        wait_s = min(LONG_RETRY_S * 2.0 ** min(beyond, 10), _LONGEST_FAULT_S) if beyond > 0 else None
        return TryLater(
            "failing_activity",
            f"Strava failed on this activity at {failures} attempts in a row; it is asked once an attempt until it "
            f"answers. {error}",
            wait_s,
        )

    async def _keep(
        self,
        received: ReceivedEvent,
        stored: StoredActivity | None,
        asked: Asked,
        found: ActivityPayload,
        record: Record,
    ) -> Result:
        event = received.event
        if found.athlete_id != event.owner_id:
            return _of_another(event.object_id)
        observation = _Cause.of(received).observation(observed_after(stored, asked.at), found)
        result = await record(observation, lambda decision: _result_of_answer(decision, observation.observed_at))
        if found.is_detailed and result.outcome in {Outcome.STORED, Outcome.UNCHANGED}:
            self._seen.note_stored(event.object_id, asked)
        return result

    async def _bury(self, received: ReceivedEvent, gone_at: datetime, reason: str, record: Record) -> Result:
        def result_of(decision: Decision) -> Result:
            if decision.applied is Applied.DELETED:
                return Result(outcome=Outcome.DELETED, reason=reason)
            if decision.applied is Applied.PURGED:
                return OF_PURGED
            if decision.applied is Applied.UNCHANGED:
                return _unchanged("The activity was deleted already.")
            return _unchanged("Something newer is stored already.")

        result = await record(_Cause.of(received).observation(gone_at, None), result_of)
        if result.outcome is Outcome.DELETED:
            self._seen.forget_faults(received.event.object_id)
        return result


def _result_of_answer(decision: Decision, observed_at: datetime) -> Result:
    """Tell what the rule made of an activity that Strava showed. Raises TryLater."""
    if decision.applied is Applied.PURGED:
        return OF_PURGED
    if decision.applied is Applied.STORED:
        return Result(outcome=Outcome.STORED, reason="Fetched from Strava and stored.")
    if decision.applied is Applied.UNCHANGED:
        return _unchanged("Strava shows what is stored already.")
    row = decision.row
    if not row.is_deleted and row.resource_state == DETAILED and row.observed_at >= observed_at:
        return _unchanged("Something newer is stored already.")
    raise TryLater(
        "newer_summary", "Something newer is known of the activity, but not in detail; Strava is asked again."
    )


def _unchanged(reason: str) -> Result:
    return Result(outcome=Outcome.UNCHANGED, reason=reason)


def _of_another(activity_id: int) -> Result:
    reason = f"Activity {activity_id} does not belong to the athlete that the event names; nothing was changed."
    return Result(outcome=Outcome.PARKED, reason=reason, kind="foreign_activity")
