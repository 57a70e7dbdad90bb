"""From an event to its outcome: whose it is, what it is about, and who takes it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from backends.warehouse import WarehouseBusy
from backends.warehouse.athletes import ARCHIVE_ONLY, REVOKED, Athlete
from backends.warehouse.ledger import Outcome
from runtime.batching import Batcher
from runtime.clock import utc_now
from strava.errors import AppInactive, NotConnected, RateLimited, TokenRejected, UnreadableAnswer
from strava.events import ReceivedEvent, StravaEvent
from worker.activities import ActivityEvents
from worker.athletes import TOKEN_REJECTED, GrantSource, KnownAthletes
from worker.event_ordering import is_connected_before
from worker.purge import Purged
from worker.results import OF_PURGED, Record, Result, TryLater

OnDeauthorized = Callable[..., Awaitable[Purged]]  # the athlete, and by keyword since when they are connected

_BELIEVED_FOR = timedelta(hours=1)  # an event that Strava itself contradicts: it may be forged, or Strava slow
_RENEWED_FOR = timedelta(minutes=1)


class EventRouter:
    """Takes every kind of event that Strava sends. `on_deauthorized` says what losing an athlete's consent entails."""

    def __init__(
        self,
        athletes: KnownAthletes,
        activities: ActivityEvents,
        on_deauthorized: OnDeauthorized,
        source_of: Callable[[int], GrantSource],
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._athletes = athletes
        self._everyone = Batcher(self._read_athletes, shared=WarehouseBusy)
        self._activities = activities
        self._on_deauthorized = on_deauthorized
        self._source_of = source_of
        self._clock = clock
        self._renewed_at: dict[int, datetime] = {}

    async def __call__(self, received: ReceivedEvent, record: Record) -> Result:
        """Finish the event. Raises StravaError, WarehouseBusy, TokensUnavailable, TryLater."""
        event = received.event
        if event.is_deauthorization:
            return await self._deauthorize(received)
        if not event.is_activity:
            return _ignored(f"Nothing is kept of {event.object_type} {event.aspect_type} events.")
        return await self._activities.take(received, record, partial(self._refuse, event))

    async def _refuse(self, event: StravaEvent, athlete: Athlete | None) -> Result | None:
        """Return the result where Strava cannot be asked in the athlete's name, or None."""
        if athlete is None or athlete.status == ARCHIVE_ONLY:
            otherwise = _parked(
                "unknown_athlete",
                f"Athlete {event.owner_id} is not connected here; connect first with `athlete connect`.",
            )
            return await self._unless_purged(event.owner_id, otherwise)
        if athlete.status == REVOKED:
            return _ignored("The athlete has taken back the app's access.")
        if athlete.status == TOKEN_REJECTED and event.aspect_type != "delete":  # which mostly needs no call
            return _parked("token_rejected", str(TokenRejected(event.owner_id)))
        return None

    async def _unless_purged(self, athlete_id: int, otherwise: Result) -> Result:
        return otherwise if await self._athletes.purged_at(athlete_id) is None else OF_PURGED

    async def _read_athletes(self, athlete_ids: Sequence[int]) -> list[Athlete | None]:
        everyone = {each.athlete_id: each for each in await self._athletes.athletes()}
        return [everyone.get(each) for each in athlete_ids]

    async def _deauthorize(self, received: ReceivedEvent) -> Result:
        """Purge the athlete once Strava rejects the tokens too: an event alone may be anybody's, and old."""
        athlete_id = received.event.owner_id
        athlete = await self._everyone(athlete_id)
        if athlete is None or athlete.status == ARCHIVE_ONLY:
            otherwise = _ignored(f"Athlete {athlete_id} is not connected here, so there is no access to end.")
            return await self._unless_purged(athlete_id, otherwise)
        try:
            if athlete.status != REVOKED and await self._has_access(athlete):
                return self._contradicted(athlete, received)
        except NotConnected:  # no word of Strava's
            return _parked(
                "deauthorized_without_tokens",
                "Without tokens Strava cannot be asked whether the athlete took back the app's access: run "
                "`athlete connect`, or `athlete purge` if they did.",
            )
        purged = await self._on_deauthorized(athlete_id, connected_at=athlete.updated_at, keeps_own_files=True)
        reason = (
            "The athlete took back the app's access: tokens and all that Strava sent were removed, receipt "
            f"{purged.receipt.purge_id}."
        )
        return Result(outcome=Outcome.PURGED, reason=reason)

    async def _has_access(self, athlete: Athlete) -> bool:
        try:
            await self._ask_for(athlete.athlete_id)
        except NotConnected:
            raise
        except TokenRejected:
            return False
        return True

    async def _ask_for(self, athlete_id: int) -> None:
        """Return where Strava accepts the tokens: its API by showing the athlete, or OAuth while the API is closed."""
        source = self._source_of(athlete_id)
        try:
            found = await source.athlete()
        except (AppInactive, RateLimited):
            await self._renew(athlete_id, source)
            return
        if found.athlete_id != athlete_id:
            raise UnreadableAnswer("athlete", "it is about another athlete")

    async def _renew(self, athlete_id: int, source: GrantSource) -> None:
        """Refresh, once a minute at most: no budget counts these calls, and the events may be anybody's."""
        now, renewed_at = self._clock(), self._renewed_at.get(athlete_id)
        if renewed_at is None or abs(now - renewed_at) >= _RENEWED_FOR:
            await source.renew()
            self._renewed_at[athlete_id] = now

    def _contradicted(self, athlete: Athlete, received: ReceivedEvent) -> Result:
        """Ignore the event of somebody who connected again since; ask again where that is not why the tokens work."""
        now = self._clock()
        if is_connected_before(athlete, received, now) and now - received.received_at < _BELIEVED_FOR:
            raise TryLater(
                "still_granted",
                "Strava accepts the athlete's tokens still; it is asked again before anything is removed.",
            )
        return _ignored("Strava accepts the athlete's tokens, so they have access, or have connected again since.")


def _ignored(reason: str) -> Result:
    return Result(outcome=Outcome.IGNORED, reason=reason)


def _parked(kind: str, reason: str) -> Result:
    return Result(outcome=Outcome.PARKED, reason=reason, kind=kind)
