"""What Strava answers to the doctor: at most three calls, none of them waits, and no token is refreshed for them."""

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx

from runtime.settings import StravaAppSettings
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.client import StravaClient
from strava.errors import AppInactive, RateLimited, StravaError
from strava.oauth import BearerAuth
from strava.responses import answered_at
from strava.subscriptions import PushSubscriptions, Subscription
from strava.tokens import TokenSet
from strava.transport import RetryPolicy

MOST_ATHLETES_ASKED = 2
_LEAST_LEFT = timedelta(minutes=1)
_ONCE = RetryPolicy(attempts=1)


class NotAsked(StravaError):
    """The budget leaves no call before `until`; None: it never does. A call would be refused, and be noted in it."""

    def __init__(self, until: datetime | None) -> None:
        super().__init__("The rate budget leaves no call.")
        self.until = until


class StravaLook:
    """Asks Strava, each question once. `clock_offsets_s` gathers by how many seconds its clock is before ours.

    `lapse` is set where Strava calls the app inactive without the budget learning of it.
    """

    def __init__(
        self,
        settings: StravaAppSettings,
        budget: RateBudget,
        http_for: Callable[[str], httpx.AsyncClient],
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._budget = budget
        self._http_for = http_for
        self._clock = clock
        self._answers: dict[int, StravaError | None] = {}
        self.calls = 0
        self.clock_offsets_s: list[float] = []
        self.lapse: AppInactive | None = None

    async def subscription(self) -> Subscription | None:
        """Return the app's subscription; Strava does not count this call. Raises StravaError."""
        settings = self._settings
        async with self._client() as http:
            strava = PushSubscriptions(
                http,
                client_id=settings.strava_client_id,
                client_secret=settings.strava_client_secret.get_secret_value(),
                api_url=settings.strava_api_url,
                retry_policy=_ONCE,
            )
            try:
                return next(iter(await strava.list()), None)
            except AppInactive as error:
                self.lapse = error
                raise

    def known_refusal(self, athlete_id: int) -> StravaError | None:
        """Return what Strava has refused the athlete's token with, if it was asked."""
        return self._answers.get(athlete_id)

    async def refusal(self, athlete_id: int, tokens: TokenSet) -> StravaError | None:
        """Ask for one activity in the athlete's name, where the rate budget has room; return why there is no answer.

        It is not asked where the access token ends, for a new one could only be had by a refresh, nor for more athletes
        than a few.
        """
        if athlete_id not in self._answers:
            has_room = len(self._answers) < MOST_ATHLETES_ASKED
            if not has_room or tokens.expires_at - self._clock() < _LEAST_LEFT:
                return None
            self._answers[athlete_id] = await self._hindrance() or await self._ask(tokens)
        return self._answers[athlete_id]

    async def _hindrance(self) -> StravaError | None:
        """Return why no call can be made."""
        if await self._budget.room(Lane.LIVE):
            return None
        closed_because = (await self._budget.status()).closed_because
        if closed_because is not None and not isinstance(closed_because, RateLimited):
            return closed_because
        return NotAsked(await self._budget.allows_by(Lane.LIVE, 1))

    async def _ask(self, tokens: TokenSet) -> StravaError | None:
        async with self._client() as http:
            client = StravaClient(
                http,
                BearerAuth(tokens),
                api_url=self._settings.strava_api_url,
                budget=self._budget,
                lane=Lane.LIVE,
                retry_policy=_ONCE,
            )
            try:
                await anext(client.activities(per_page=1), None)
            except StravaError as error:
                return error
        return None

    def _client(self) -> httpx.AsyncClient:
        http = self._http_for(self._settings.strava_api_url)
        http.event_hooks = {"response": [self._note]}
        return http

    async def _note(self, answer: httpx.Response) -> None:
        self.calls += 1
        if (moment := answered_at(answer)) is not None:
            self.clock_offsets_s.append((moment - self._clock()).total_seconds())
