"""Who is connected, and what happens when an athlete takes the app's access back."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from backends.warehouse import WarehouseBusy
from backends.warehouse.athletes import CONNECTED, REVOKED, Athlete, AthleteStore
from backends.warehouse.ledger import Outcome
from runtime.batching import Batcher
from runtime.clock import utc_now
from strava.tokens import TokenStore
from worker.results import Result

_REMEMBERED_S = 1.0

log = structlog.get_logger(__name__)


class AthleteCache:
    """The athletes by id. A connected one is remembered for a second, so that a burst of events costs one read."""

    def __init__(self, athletes: AthleteStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._athletes = athletes
        self._everyone = Batcher(self._read, shared=WarehouseBusy)
        self._clock = clock
        self._connected: dict[int, Athlete] = {}
        self._read_at = float("-inf")

    async def find(self, athlete_id: int) -> Athlete | None:
        """Return the athlete, connected or revoked, or None. Raises WarehouseBusy."""
        known = self._connected.get(athlete_id)
        if known is not None and self._clock() - self._read_at < _REMEMBERED_S:
            return known
        everyone = {athlete.athlete_id: athlete for athlete in await self._everyone(athlete_id)}
        self._connected = {key: athlete for key, athlete in everyone.items() if athlete.status == CONNECTED}
        self._read_at = self._clock()
        return everyone.get(athlete_id)

    async def _read(self, athlete_ids: Sequence[int]) -> list[list[Athlete]]:
        return [await self._athletes.athletes()] * len(athlete_ids)

    def forget(self, athlete_id: int) -> None:
        """Read the athlete again next time."""
        self._connected.pop(athlete_id, None)


class Deauthorization:
    """Marks an athlete as revoked and removes their tokens; running it twice is success."""

    def __init__(self, athletes: AthleteStore, tokens: TokenStore, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._athletes = athletes
        self._tokens = tokens
        self._clock = clock

    async def __call__(self, athlete: Athlete) -> Result:
        """Do it. Raises WarehouseBusy, TokensUnavailable.

        A refresh under way ends first: what it saves must not outlive the removal.
        """
        was_connected = athlete.status == CONNECTED
        if was_connected:
            await self._athletes.put_athlete(replace(athlete, status=REVOKED, updated_at=self._clock()))
        async with self._tokens.refreshing(athlete.athlete_id):
            await self._tokens.delete(athlete.athlete_id)
        log.warning("athlete.revoked", athlete_id=athlete.athlete_id)
        reason = "The athlete took back the app's access; the tokens were removed."
        return Result(outcome=Outcome.STORED if was_connected else Outcome.UNCHANGED, reason=reason)
