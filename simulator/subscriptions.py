"""The application's one push subscription: creating it really asks the callback the challenge.

https://developers.strava.com/docs/webhooks/
"""

import asyncio
from typing import Any

import httpx

from simulator.clock import Clock, iso
from simulator.journal import Journal

ANSWER_WITHIN_S = 2.0
MAX_CALLBACK = 255
LAST_PORT = 65_535
FIRST_ID = 310_000


class SubscriptionRefused(Exception):
    """Why Strava does not subscribe, in its own words: a field and a code."""

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field, self.code = field, code


class Subscriptions:
    """At most one, remembered in the journal."""

    def __init__(self, journal: Journal, http: httpx.AsyncClient, clock: Clock, *, application_id: int) -> None:
        self._journal, self._http, self._clock = journal, http, clock
        self._application_id = application_id

    @property
    def current(self) -> dict[str, Any] | None:
        """The subscription as Strava tells it, if there is one."""
        return self._journal.of("subscription").get("current")

    async def create(self, callback_url: str, verify_token: str) -> dict[str, Any]:
        """Ask the callback the challenge and subscribe. Raises SubscriptionRefused."""
        self._check_free()
        if not callback_url:
            raise SubscriptionRefused("callback url", "not present")
        if len(callback_url) > MAX_CALLBACK:
            raise SubscriptionRefused("callback url", f"is too long (maximum is {MAX_CALLBACK} characters)")
        if not is_web_address(callback_url):
            raise SubscriptionRefused("callback url", "invalid")
        number = int(self._journal.of("subscription").get("number", 0)) + 1
        await self._challenge(callback_url, verify_token, f"{number:04x}15f7d1a91c1f40f8a748fd134752feb3"[:32])
        self._check_free()  # another may have been made while this callback answered
        now = iso(self._clock())
        made = {
            "id": FIRST_ID + number,
            "resource_state": 2,
            "application_id": self._application_id,
            "callback_url": callback_url,
            "created_at": now,
            "updated_at": now,
        }
        self._journal.put("subscription", "number", number)
        self._journal.put("subscription", "current", made)
        return made

    def delete(self, subscription_id: int) -> bool:
        """Unsubscribe; return whether there was anything to end."""
        if self.current is None or self.current["id"] != subscription_id:
            return False
        self._journal.drop("subscription", "current")
        return True

    def _check_free(self) -> None:
        if self.current is not None:
            raise SubscriptionRefused("", "already exists")

    async def _challenge(self, callback_url: str, verify_token: str, challenge: str) -> None:
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        url = httpx.URL(callback_url).copy_merge_params(query)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await self._http.get(url, timeout=ANSWER_WITHIN_S)
        except (httpx.RequestError, TimeoutError) as error:
            raise SubscriptionRefused("callback url", "not verifiable") from error
        if answer.status_code != httpx.codes.OK:
            raise SubscriptionRefused("callback url", "GET to callback URL does not return 200")
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or body.get("hub.challenge") != challenge:
            raise SubscriptionRefused("callback url", "not verifiable")


def is_web_address(text: str) -> bool:
    """Whether a text is an http or https address with a host and, if any, a port that exists."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in {"http", "https"} and bool(url.host) and (url.port is None or 0 < url.port <= LAST_PORT)
