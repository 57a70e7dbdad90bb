"""Connects an athlete: keeps the tokens, records the athlete, asks for the history, takes up what waited for them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from backends.tokens import AthleteTokens, TokensGone
from backends.warehouse import RawStore
from backends.warehouse.athletes import CONNECTED, WITHOUT_ACCESS, Athlete, connected_ids
from backends.warehouse.backfills import Backfill
from backends.warehouse.ledger import take_up_parked
from runtime.clock import utc_now
from strava.grants import Grant
from strava.scopes import scope_verdict
from strava.tokens import TokenSet

MOST_ATHLETES = 10  # as many as Strava lets an app have

log = structlog.get_logger(__name__)


class TooManyAthletes(Exception):
    """As many athletes are connected as there may be; the text says what to do. `grant` was not stored."""

    def __init__(self, grant: Grant) -> None:
        super().__init__(
            f"{MOST_ATHLETES} athletes are connected, and no more can be: one of them has to take back the app's "
            "access first (https://www.strava.com/settings/apps)."
        )
        self.grant = grant


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected:
    """Who is connected now, with which scopes, and how many parked events are tried again."""

    athlete_id: int
    scope: frozenset[str]
    taken_up: int

    def __str__(self) -> str:
        taken_up = f" Parked events that are tried again: {self.taken_up:,}." if self.taken_up else ""
        return f"Connected athlete {self.athlete_id}. {scope_verdict(self.scope)}{taken_up}"


async def nothing(_: int) -> None:
    """Do nothing more once an athlete's tokens are kept."""


class AthleteConnections:
    """Connects athletes, again and again if need be: that repairs broken tokens and keeps the data."""

    def __init__(self, tokens: AthleteTokens, store: RawStore, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._tokens = tokens
        self._store = store
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()  # or two at once could both be the tenth athlete

    async def connect(
        self,
        obtain: Callable[[], Awaitable[Grant]],
        *,
        on_kept: Callable[[int], Awaitable[None]] = nothing,
        held_id: int | None = None,
    ) -> Connected:
        """Obtain a grant and connect its athlete; `on_kept` gets the athlete's id once the tokens are stored.

        `held_id` is the athlete whose right to refresh the caller holds, for it cannot be taken twice.
        Raises what `obtain` raises, and TooManyAthletes: then nothing is stored. Raises TokensUnavailable and
        WarehouseBusy: then it can be done once more.
        """
        before = await stored_tokens(self._tokens)
        grant = await obtain()
        scope = grant.tokens.scope
        async with self._one_at_a_time:
            await self._require_room(grant)
            # The right is held to the end, or a purge that comes in between could leave half an athlete.
            async with nullcontext() if grant.athlete_id == held_id else self._tokens.refreshing(grant.athlete_id):
                await self._keep(grant, before.get(grant.athlete_id))
                await on_kept(grant.athlete_id)
                now = self._clock()
                await self._store.connect(
                    Athlete(athlete_id=grant.athlete_id, scope=scope, status=CONNECTED, updated_at=now),
                    await self._whole_history(grant.athlete_id, now),
                )
        taken_up = await take_up_parked(self._store, grant.athlete_id, self._clock())
        log.info("athlete.connected", athlete_id=grant.athlete_id, scope=sorted(scope), taken_up=taken_up)
        return Connected(athlete_id=grant.athlete_id, scope=scope, taken_up=taken_up)

    async def _whole_history(self, athlete_id: int, now: datetime) -> Backfill:
        """Return what to ask for; who had asked for streams is not to ask again. Raises WarehouseBusy."""
        before = await self._store.backfills()
        has_streams = any(each.has_streams for each in before if each.athlete_id == athlete_id)
        return Backfill.requested(athlete_id, now, has_streams=has_streams)

    async def _require_room(self, grant: Grant) -> None:
        """Refuse an eleventh athlete, but nobody who is known: refusing ends the grant, and with it what is stored."""
        athletes = await self._store.athletes()
        if grant.athlete_id in {each.athlete_id for each in athletes if each.status not in WITHOUT_ACCESS}:
            return
        if len(await connected_ids(self._store)) >= MOST_ATHLETES:
            raise TooManyAthletes(grant)

    async def _keep(self, grant: Grant, old: TokenSet | None) -> None:
        """Store the tokens, unless a refresh has replaced them in between: Strava may grant those in use once more.

        The right to refresh is held.
        """
        tokens = grant.tokens
        if old is not None and old.refresh_token == tokens.refresh_token:
            stored = await self._tokens.load(grant.athlete_id)
            if stored is not None and stored.refresh_token != tokens.refresh_token:
                tokens = replace(stored, scope=tokens.scope)
        await self._tokens.save(grant.athlete_id, tokens)


async def stored_tokens(tokens: AthleteTokens) -> Mapping[int, TokenSet | None]:
    """Return the tokens by athlete; none of a damaged file, which connecting mends. Raises TokensUnavailable."""
    try:
        return {each: await tokens.load(each) for each in await tokens.athlete_ids()}
    except TokensGone:
        return {}
