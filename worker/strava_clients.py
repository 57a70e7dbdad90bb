"""The athletes' clients at Strava, as the worker, the daily job and the command line make them."""

import asyncio

import httpx
import structlog

from backends.connect.oauth import oauth_app
from runtime.settings import StravaAppSettings
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.client import StravaClient
from strava.oauth import OnRejected, StravaAuth
from strava.tokens import TokenStore

REFRESH_GRACE_S = 5.0  # for refreshes under way when the program stops

log = structlog.get_logger(__name__)


class StravaClients:
    """Makes an athlete's client in a lane, each once. The lanes of an athlete share the tokens, and all the budget."""

    def __init__(
        self,
        settings: StravaAppSettings,
        http: httpx.AsyncClient,
        tokens: TokenStore,
        budget: RateBudget,
        *,
        on_rejected: OnRejected | None = None,
    ) -> None:
        self._api_url = settings.strava_api_url
        self._http = http
        self.oauth = oauth_app(settings, http)
        self._on_rejected = on_rejected
        self._tokens = tokens
        self._budget = budget
        self._auths: dict[int, StravaAuth] = {}
        self._clients: dict[tuple[int, Lane], StravaClient] = {}

    def __call__(self, athlete_id: int, lane: Lane = Lane.LIVE) -> StravaClient:
        """Return the client that asks in the name of the athlete."""
        if (athlete_id, lane) not in self._clients:
            new = StravaAuth(athlete_id, self._tokens, self.oauth, on_rejected=self._on_rejected)
            auth = self._auths.setdefault(athlete_id, new)
            client = StravaClient(self._http, auth, api_url=self._api_url, budget=self._budget, lane=lane)
            self._clients[athlete_id, lane] = client
        return self._clients[athlete_id, lane]

    async def end_refreshes(self) -> None:
        """Let refreshes under way save what Strava gave: it has killed the stored refresh tokens already."""
        try:
            async with asyncio.timeout(REFRESH_GRACE_S):
                for auth in self._auths.values():
                    await auth.wait_for_refresh()
        except TimeoutError:
            log.warning("tokens.refresh_unfinished", remedy="if Strava rejects the tokens, run `athlete connect` again")
