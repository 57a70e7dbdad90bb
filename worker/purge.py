"""Removes an athlete: the access at Strava, the tokens, and every row. What stays is a receipt that names nobody."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from backends.tokens import TokensGone
from backends.warehouse.athletes import REVOKED, AthleteStatus, AthleteStore, PurgeReceipt, Purges
from strava.errors import BadRequest, NotFound, StravaError, TokenRejected
from strava.oauth import OAuthApp
from strava.tokens import TokenSet, TokenStore
from worker.results import TryLater

log = structlog.get_logger(__name__)

_ENDED = "The access at Strava was ended."
_ENDED_BEFORE = "The access at Strava had ended before."
_BY_HAND = "The athlete sees at https://www.strava.com/settings/apps whether the app has access, and can end it."
_NO_TOKENS = f"No tokens were kept, so Strava was not told. {_BY_HAND}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Purged:
    """What was removed, and in a sentence what became of the access at Strava."""

    receipt: PurgeReceipt
    access: str


class PurgeStore(Purges, AthleteStore, Protocol):
    """The part of `raw` that removing an athlete needs."""


class Purge:
    """Removes an athlete for good; doing it twice, or once more after a kill at any point, is success.

    What is under way for the athlete need not be stopped: without tokens nothing is asked, and the warehouse keeps out
    what was asked before.
    """

    def __init__(self, store: PurgeStore, tokens: TokenStore, app: OAuthApp) -> None:
        self._store = store
        self._tokens = tokens
        self._app = app

    async def __call__(
        self, athlete_id: int, *, connected_at: datetime | None = None, keeps_own_files: bool = False
    ) -> Purged:
        """Do it. Raises WarehouseBusy, TokensUnavailable, and TryLater where the athlete has connected again since.

        What was imported from the athlete's own files is theirs: it may stay when they take back the app's access.

        The right to refresh is held to the end: a refresh or a connect comes before all of it, or after. A kill leaves
        the athlete marked as revoked, which the next attempt believes.
        """
        async with self._tokens.refreshing(athlete_id):
            if connected_at is not None and await self._has_connected_since(athlete_id, connected_at):
                raise TryLater(
                    "connected_again", "The athlete has connected again meanwhile; Strava is asked once more."
                )
            others = [status for status in AthleteStatus if status != REVOKED]
            await self._store.change_status(REVOKED, before=others, athlete_id=athlete_id)
            access = await self._revoke(await self._kept(athlete_id))
            await self._tokens.delete(athlete_id)
            receipt = await self._store.purge(athlete_id, keeps_own_files=keeps_own_files)
        log.warning("purge.done", purge_id=receipt.purge_id, rows=sum(receipt.removed.values()), access=access)
        return Purged(receipt=receipt, access=access)

    async def _has_connected_since(self, athlete_id: int, connected_at: datetime) -> bool:
        known = [each.updated_at for each in await self._store.athletes() if each.athlete_id == athlete_id]
        return known not in ([], [connected_at])

    async def _kept(self, athlete_id: int) -> TokenSet | None:
        try:
            return await self._tokens.load(athlete_id)
        except TokensGone:
            return None

    async def _revoke(self, tokens: TokenSet | None) -> str:
        """End the access at Strava; that it cannot be told stops nothing on our side."""
        if tokens is None:
            return _NO_TOKENS
        try:
            await self._app.revoke(tokens.refresh_token)
        except (TokenRejected, NotFound, BadRequest):
            return _ENDED_BEFORE
        except StravaError as error:
            return f"Strava could not be told: {error} {_BY_HAND}"
        return _ENDED
