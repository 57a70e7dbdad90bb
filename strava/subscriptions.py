"""The app's one push subscription: https://developers.strava.com/docs/webhooks/."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import httpx

from runtime.clock import utc_now
from strava.errors import BadRequest, RateLimited, Retryable, StravaError, UnreadableAnswer
from strava.responses import json_body, raise_for_error
from strava.transport import RetryPolicy, send

_ASKED = "push_subscriptions"


def _hides_no_secret(record: logging.LogRecord) -> bool:
    return "client_secret" not in record.getMessage()


# Listing and deleting want the secret in the URL, and httpx logs every URL.
logging.getLogger("httpx").addFilter(_hides_no_secret)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """Where Strava sends the app's events. `callback_url` may hold the webhook's secret path, so `repr` omits it."""

    id: int
    callback_url: str = field(repr=False)

    @classmethod
    def from_json(cls, fields: Any, *, callback_url: str = "") -> Self:
        """Read a subscription; `callback_url` is used where Strava does not repeat it. Raises UnreadableAnswer."""
        if not isinstance(fields, Mapping) or type(fields.get("id")) is not int:
            raise UnreadableAnswer(_ASKED, "a subscription without an id")
        stated = fields.get("callback_url")
        return cls(id=fields["id"], callback_url=stated if isinstance(stated, str) else callback_url)


class PushSubscriptions:
    """Creates, lists and deletes, with the app's own credentials. Methods raise StravaError."""

    def __init__(  # noqa: PLR0913 - three facts about the app, and by keyword what else may vary
        self,
        http: httpx.AsyncClient,
        *,
        client_id: str | int,
        client_secret: str,
        api_url: str,
        retry_policy: RetryPolicy | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._http = http
        self._credentials = {"client_id": str(client_id), "client_secret": client_secret}
        self._url = f"{api_url.rstrip('/')}/{_ASKED}"
        self._retry_policy = retry_policy or RetryPolicy()
        self._clock = clock

    async def create(self, callback_url: str, verify_token: str) -> Subscription:
        """Subscribe. Strava sends the challenge to `callback_url` (≤ 255 characters) before it answers.

        Where the answer was lost Strava may have subscribed nevertheless, so its list is looked at instead of asking
        twice. Raises BadRequest with Strava's reason: unreachable callback, or a subscription to another address.
        """
        form = {**self._credentials, "callback_url": callback_url, "verify_token": verify_token}
        try:
            answer = await self._send(self._http.build_request("POST", self._url, data=form), may_repeat=False)
            return Subscription.from_json(json_body(answer, asked=_ASKED), callback_url=callback_url)
        except StravaError as error:
            if not (_is_lost(error) or _already_exists(error)):
                raise
            made = next((each for each in await self.list() if each.callback_url == callback_url), None)
            if made is None:
                raise
            return made

    async def list(self) -> list[Subscription]:
        """Return the app's subscription, if it has one: Strava allows one per app."""
        answer = await self._send(self._http.build_request("GET", self._url, params=self._credentials))
        items = json_body(answer, asked=_ASKED)
        if not isinstance(items, list):
            raise UnreadableAnswer(_ASKED, "it is not a list")
        return [Subscription.from_json(item) for item in items]

    async def delete(self, subscription_id: int) -> None:
        """Unsubscribe; where the answer was lost, the list decides. Raises NotFound when there is none such."""
        url = f"{self._url}/{subscription_id}"
        request = self._http.build_request("DELETE", url, params=self._credentials)
        try:
            await self._send(request, asked=f"{_ASKED}/{subscription_id}")
        except StravaError as error:
            if not _is_lost(error) or any(each.id == subscription_id for each in await self.list()):
                raise

    async def _send(self, request: httpx.Request, asked: str = _ASKED, *, may_repeat: bool = True) -> httpx.Response:
        answer = await send(self._http, request, auth=None, retry_policy=self._retry_policy, may_repeat=may_repeat)
        raise_for_error(answer, asked=asked, now=self._clock(), by_app=True)
        return answer


def _is_lost(error: StravaError) -> bool:
    """Whether Strava may have done what it was asked for, although no answer says so."""
    return isinstance(error, Retryable | UnreadableAnswer) and not isinstance(error, RateLimited)


def _already_exists(error: StravaError) -> bool:
    return isinstance(error, BadRequest) and any(reason.endswith("/already exists") for reason in error.reasons)
