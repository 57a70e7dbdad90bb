"""Who a push comes from: the OIDC token by which Pub/Sub proves that it pushes for our account.

https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
import structlog
from google.auth.exceptions import GoogleAuthError, InvalidValue
from google.oauth2.id_token import verify_oauth2_token

from backends.queue import PushRefusal

CLOCK_SKEW_S = 10
_FETCH_EVERY_S = 60.0  # at most, however many tokens of unknown keys arrive
_TRY_EVERY_S = 1.0  # at most, while there are none
_USUAL_AGE_S = 3600.0
_TIMEOUT_S = 5.0
_LONGEST_AGE_S = 24 * 3600.0  # Google shows a key for longer before it signs with it

# A refused token is not repeated: it may be a good one that was sent to the wrong address.
_NOT_SIGNED = PushRefusal(HTTPStatus.UNAUTHORIZED, "It has no bearer token that one of Google's keys signed.")
_OUT_OF_DATE = PushRefusal(
    HTTPStatus.UNAUTHORIZED, "Its token is expired or not valid yet (check this machine's clock), or of another kind."
)
_OTHER_ISSUER = PushRefusal(HTTPStatus.UNAUTHORIZED, "Its token was not issued by accounts.google.com.")
_OTHER_AUDIENCE = PushRefusal(
    HTTPStatus.UNAUTHORIZED, "Its token is for another audience than PUSH_AUDIENCE: both must be the same."
)
_OTHER_ACCOUNT = PushRefusal(
    HTTPStatus.FORBIDDEN, "Its token names another account than PUSH_SERVICE_ACCOUNT, or one without a verified e-mail."
)
_NO_CERTIFICATES = PushRefusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "Google's certificates could not be fetched, so no token can be checked."
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """An answer in the shape that google-auth reads."""

    data: bytes
    status: int = HTTPStatus.OK

    def __call__(self, *_: object, **__: object) -> "_Fetched":
        return self


class Certificates:
    """Google's certificates, fetched at most once at a time and kept for as long as the answer allows.

    When they cannot be fetched, those that are kept serve for a day.
    """

    def __init__(self, http: httpx.AsyncClient, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._url = url
        self._clock = clock
        self._kept: _Fetched | None = None
        self._tried_at = self._fetched_at = self._fresh_until = float("-inf")
        self._turn = asyncio.Lock()

    async def get(self, *, is_unknown_key: bool = False) -> _Fetched | None:
        """Return them, or None while there are none; `is_unknown_key` fetches them although they are fresh."""
        async with self._turn:
            now = self._clock()
            waited_s = now - self._tried_at
            may_try = waited_s >= (_TRY_EVERY_S if self._kept is None else _FETCH_EVERY_S)
            if may_try and (is_unknown_key or now >= self._fresh_until):
                await self._fetch(now)
            return self._kept if now - self._fetched_at < _LONGEST_AGE_S else None

    async def _fetch(self, now: float) -> None:
        self._tried_at = now
        try:
            answer = (await self._http.get(self._url, timeout=_TIMEOUT_S)).raise_for_status()
            dict(answer.json())
        except (httpx.HTTPError, ValueError, TypeError) as error:
            log.error("push.no_certificates", reason=f"{self._url} gave none ({type(error).__name__})")
            return
        told = re.search(r"max-age=(\d{1,9})", answer.headers.get("cache-control", ""))
        self._kept, self._fetched_at = _Fetched(answer.content), now
        self._fresh_until = now + (float(told[1]) if told else _USUAL_AGE_S)


class GooglePushAuth:
    """Lets in whom a token of Google's names as the push account, for this audience and at this time."""

    def __init__(self, certificates: Certificates, *, audience: str, service_account: str) -> None:
        self._certificates = certificates
        self._audience = audience
        self._service_account = service_account

    async def __call__(self, authorization: str) -> PushRefusal | None:
        """Judge one push by its header."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return _NOT_SIGNED
        certificates = await self._certificates.get()
        if certificates is None:
            return _NO_CERTIFICATES
        refusal = await asyncio.to_thread(self._judge, token, certificates)
        if refusal is _NOT_SIGNED:
            newer = await self._certificates.get(is_unknown_key=True)
            if newer is not None and newer is not certificates:
                return await asyncio.to_thread(self._judge, token, newer)
        return refusal

    def _judge(self, token: str, certificates: _Fetched) -> PushRefusal | None:
        try:
            claims: Mapping[str, Any] = verify_oauth2_token(token, certificates, clock_skew_in_seconds=CLOCK_SKEW_S)
        except InvalidValue:
            return _OUT_OF_DATE
        except (ValueError, LookupError, TypeError, RecursionError):  # what a stranger can write into a token
            return _NOT_SIGNED
        except GoogleAuthError:
            return _OTHER_ISSUER
        if claims.get("aud") != self._audience:
            return _OTHER_AUDIENCE
        if claims.get("email") != self._service_account or claims.get("email_verified") is not True:
            return _OTHER_ACCOUNT
        return None
