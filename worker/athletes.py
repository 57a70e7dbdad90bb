"""Who is connected, and whether Strava can be asked in their names."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from backends.tokens import TokensUnavailable
from backends.warehouse.athletes import ASKED_FOR, CONNECTED, Athlete, AthleteStatus, AthleteStore, Purges
from backends.warehouse.ledger import EventLedger, take_up_parked
from runtime.clock import utc_now
from strava.budget import RateBudget
from strava.errors import AppInactive, ScopeMissing, StravaError, TokenRejected
from strava.payload import AthletePayload
from worker.periodic import repeat

APP_INACTIVE, TOKEN_REJECTED = AthleteStatus.APP_INACTIVE, AthleteStatus.TOKEN_REJECTED
_LOOK_S = 15.0

log = structlog.get_logger(__name__)


class AthleteSource(Protocol):
    """Where an athlete is asked for: `strava.client.StravaClient`."""

    async def athlete(self) -> AthletePayload:
        """Return the athlete. Raises StravaError, of which TokenRejected when there is no access any more."""


class GrantSource(AthleteSource, Protocol):
    """Where an athlete is asked for, and whether the grant stands while the API answers nobody."""

    async def renew(self) -> None:
        """Have OAuth refresh the tokens. Raises StravaError, of which TokenRejected as `athlete` does."""


class KnownAthletes(AthleteStore, Purges, Protocol):
    """Who is connected, and who was."""


class KnownEvents(AthleteStore, EventLedger, Protocol):
    """Who is connected, and what became of their events."""


class AccessWatch:
    """Keeps in the warehouse for whom Strava cannot be asked, since when and why, so that pages and health can tell.

    An athlete whose tokens Strava rejects is asked for no more until they connect again. A lapse of the app is of all:
    the rate budget lets nobody call, and one call after each of its waits finds out whether Strava answers again.
    """

    def __init__(self, athletes: AthleteStore, budget: RateBudget, source_of: Callable[[int], AthleteSource]) -> None:
        self._athletes = athletes
        self._budget = budget
        self._source_of = source_of

    async def run(self, stop: asyncio.Event) -> None:
        """Look at the app's state until `stop` is set."""
        await repeat(self.look, stop, every_s=_LOOK_S, name="access_watch")

    async def look(self) -> None:
        """Note a lapse, or its end. Raises WarehouseBusy."""
        budget = await self._budget.status()
        if isinstance(budget.closed_because, AppInactive):
            reason = str(budget.closed_because)
            if await self._athletes.change_status(APP_INACTIVE, before=[CONNECTED], reason=reason):
                log.error("app.inactive", reason=reason)
            return
        paused = [each for each in await self._athletes.athletes() if each.status == APP_INACTIVE]
        if paused and await self._is_over(paused):
            await self._athletes.change_status(CONNECTED, before=[APP_INACTIVE])
            log.warning("app.active", reason="Strava answers again; what waited goes on.")

    async def _is_over(self, paused: Sequence[Athlete]) -> bool:
        """Ask for one after the other until Strava answers."""
        for athlete in paused:
            try:
                await self._source_of(athlete.athlete_id).athlete()
            except AppInactive:
                return False
            except ScopeMissing:  # an answer, about this athlete
                return True
            except (StravaError, TokensUnavailable) as error:
                log.info("app.unknown", reason=str(error))
            else:
                return True
        return False


async def note_rejected(athletes: AthleteStore, athlete_id: int) -> None:
    """Note that Strava rejects the athlete's tokens. Raises WarehouseBusy."""
    reason = str(TokenRejected(athlete_id))
    if await athletes.change_status(TOKEN_REJECTED, before=ASKED_FOR, athlete_id=athlete_id, reason=reason):
        log.error("athlete.token_rejected", athlete_id=athlete_id, reason=reason)


async def note_accepted(store: KnownEvents, athlete_id: int, *, clock: Callable[[], datetime] = utc_now) -> None:
    """Note that Strava accepts the athlete's tokens, be it again, and take up what is parked. Raises WarehouseBusy."""
    if (athlete_id, TOKEN_REJECTED) not in {(each.athlete_id, each.status) for each in await store.athletes()}:
        return
    taken_up = await take_up_parked(store, athlete_id, clock())  # before, or a kill in between would forget them
    if await store.change_status(CONNECTED, before=[TOKEN_REJECTED], athlete_id=athlete_id):
        taken_up += await take_up_parked(store, athlete_id, clock())  # and what was parked meanwhile
        log.warning("athlete.token_accepted", athlete_id=athlete_id, taken_up=taken_up)
