"""Strava's OAuth: the app's side of it, and the `Auth` that keeps one athlete's requests signed.

A rotated refresh token must never be lost on the way: https://developers.strava.com/docs/authentication/.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import structlog

from runtime.clock import utc_now
from strava.errors import AccessTokenRefused, NotConnected, TokenRejected, UnreadableAnswer
from strava.responses import error_for, json_body, raise_for_error
from strava.scopes import WANTED_SCOPES, read_scopes
from strava.tokens import TokenSet, TokenStore
from strava.transport import RetryPolicy, send

_log = structlog.get_logger(__name__)

_ASKED = "oauth/token"
OnRejected = Callable[[int], Awaitable[None]]

_LEAST_LEFT = timedelta(hours=1)  # Strava hands out a new access token only in the last hour of the old one


class OAuthApp:
    """The app as Strava knows it. Methods raise StravaError; none of them stores anything."""

    def __init__(  # noqa: PLR0913 - three facts about the app, and by keyword what else may vary
        self,
        http: httpx.AsyncClient,
        *,
        client_id: str | int,
        client_secret: str,
        oauth_url: str,
        retry_policy: RetryPolicy | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._http = http
        self._client_id = str(client_id)
        self._client_secret = client_secret
        self._oauth_url = oauth_url.rstrip("/")
        self._retry_policy = retry_policy or RetryPolicy()
        self._clock = clock

    def authorize_url(self, *, redirect_uri: str, state: str) -> str:
        """Return the page on which an athlete grants the wanted scopes, also one who has granted some before."""
        query = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "approval_prompt": "force",
            "scope": ",".join(WANTED_SCOPES),
            "state": state,
        }
        return f"{self._oauth_url}/authorize?{urlencode(query)}"

    async def exchange(self, code: str) -> tuple[TokenSet, int | None]:
        """Trade an authorisation code for tokens and the athlete's id, if the answer tells it. Raises BadRequest.

        A code works once, so the request is not repeated where its answer was lost: the athlete authorises again.
        """
        fields = await self._tokens_for(may_repeat=False, grant_type="authorization_code", code=code)
        athlete = fields.get("athlete")
        athlete_id = athlete.get("id") if isinstance(athlete, Mapping) else None
        return self._token_set(fields, None), athlete_id if type(athlete_id) is int else None

    async def refresh(self, refresh_token: str) -> TokenSet:
        """Trade a refresh token for tokens. Raises TokenRejected.

        When the answer holds a new refresh token the old one is dead already: save the answer before using it. Where
        the answer was lost the request is repeated, for the old one may be alive still.
        `scope` is empty where Strava does not repeat it.
        """
        fields = await self._tokens_for(grant_type="refresh_token", refresh_token=refresh_token)
        return self._token_set(fields, refresh_token)

    async def revoke(self, token: str) -> None:
        """End the app's access to the athlete behind an access or refresh token."""
        credentials = httpx.BasicAuth(self._client_id, self._client_secret)
        await self._post("revoke", {"token": token}, auth=credentials)

    async def _tokens_for(self, *, may_repeat: bool = True, **grant: str) -> Mapping[str, Any]:
        form = {"client_id": self._client_id, "client_secret": self._client_secret, **grant}
        fields = json_body(await self._post("token", form, may_repeat=may_repeat), asked=_ASKED)
        if not isinstance(fields, Mapping):
            raise UnreadableAnswer(_ASKED, "it is not an object")
        return fields

    async def _post(
        self, action: str, form: Mapping[str, str], *, auth: httpx.Auth | None = None, may_repeat: bool = True
    ) -> httpx.Response:
        request = self._http.build_request("POST", f"{self._oauth_url}/{action}", data=form)
        answer = await send(self._http, request, auth=auth, retry_policy=self._retry_policy, may_repeat=may_repeat)
        raise_for_error(answer, asked=f"oauth/{action}", now=self._clock(), by_app=True)
        return answer

    def _token_set(self, fields: Mapping[str, Any], old_refresh_token: str | None) -> TokenSet:
        return TokenSet(
            access_token=_token(fields.get("access_token"), "access_token"),
            refresh_token=_token(fields.get("refresh_token", old_refresh_token), "refresh_token"),
            expires_at=self._expiry(fields),
            scope=read_scopes(fields.get("scope")),
        )

    def _expiry(self, fields: Mapping[str, Any]) -> datetime:
        """Prefer the duration to the date: it holds even where this machine's clock is wrong.

        Where neither can be read the tokens count as expiring now: Strava has rotated them, so they must be kept.
        """
        now = self._clock()
        told: tuple[tuple[str, Callable[[float], datetime]], ...] = (
            ("expires_in", lambda seconds: now + timedelta(seconds=seconds)),
            ("expires_at", lambda seconds: datetime.fromtimestamp(seconds, UTC)),
        )
        for name, moment in told:
            try:
                return moment(_number(fields.get(name)))
            except (ValueError, OverflowError, OSError):
                continue  # no number, or one that no calendar holds
        return now


class BearerAuth(httpx.Auth):
    """Signs requests with an access token that no store holds yet."""

    def __init__(self, tokens: TokenSet) -> None:
        self._tokens = tokens

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign."""
        yield _signed(request, self._tokens)


class StravaAuth(httpx.Auth):
    """Signs the athlete's requests; refreshes when less than an hour is left, or once when Strava says 401.

    The store is read for each request, so what another program saved or deleted there holds at once.
    One refresher works at a time among all processes: it holds `store.refreshing`, reads the store again (another may
    have refreshed meanwhile), refreshes, saves, and only then are the new tokens used. A refresh once begun runs to
    its save even if the request that wanted it is cancelled, for Strava has already killed the old refresh token; and
    where the save fails, the new tokens wait here for the next request and are saved before anything else is done.
    Tokens whose refresh Strava rejected are not tried again; `on_rejected` is told first, by the athlete's id.
    Raises what it raises, NotConnected, TokenRejected, AccessTokenRefused and what OAuthApp.refresh raises.
    """

    def __init__(
        self,
        athlete_id: int,
        store: TokenStore,
        app: OAuthApp,
        *,
        on_rejected: OnRejected | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.athlete_id = athlete_id
        self._store = store
        self._app = app
        self._on_rejected = on_rejected
        self._clock = clock
        self._dead: TokenSet | None = None
        self._unsaved: tuple[TokenSet, TokenSet] | None = None  # the stored ones, and what Strava gave in their place
        self._refreshes: set[asyncio.Task[TokenSet]] = set()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign, send, and on a rejected token refresh and send once more."""
        tokens = await self._usable()
        if not await self._is_rejected((yield _signed(request, tokens))):
            return
        tokens = await self._refreshed(rejected=tokens.access_token)
        if await self._is_rejected((yield _signed(request, tokens))):
            raise AccessTokenRefused(self.athlete_id)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:  # noqa: ARG002 - httpx's signature
        """Refuse: without this a synchronous client would send unsigned requests."""
        raise RuntimeError("StravaAuth needs httpx.AsyncClient")

    async def renew(self) -> None:
        """Refresh, however long the access token is good for: that tells whether Strava still knows the grant."""
        tokens = await self._stored()
        await self._refreshed(rejected=tokens.access_token)

    async def wait_for_refresh(self) -> None:
        """Return when no refresh is under way: closing the HTTP client before that would lose the rotated token."""
        if self._refreshes:
            await asyncio.wait(self._refreshes)

    async def _is_rejected(self, answer: httpx.Response) -> bool:
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            return False
        await answer.aread()  # only the body tells a dead token from a missing scope
        return isinstance(error_for(answer, asked="", now=self._clock()), TokenRejected)

    def _is_ageing(self, tokens: TokenSet) -> bool:
        return tokens.expires_at - self._clock() < _LEAST_LEFT

    async def _usable(self) -> TokenSet:
        tokens = await self._stored()
        return await self._refreshed(rejected=None) if self._is_ageing(tokens) else tokens

    async def _stored(self) -> TokenSet:
        tokens = await self._store.load(self.athlete_id)
        if tokens is None:
            self._unsaved = None
            raise NotConnected(self.athlete_id)
        if tokens == self._dead:
            raise TokenRejected(self.athlete_id)
        return tokens

    async def _refreshed(self, *, rejected: str | None) -> TokenSet:
        task = asyncio.create_task(self._refresh_alone(rejected))
        self._refreshes.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[TokenSet]) -> None:
        self._refreshes.discard(task)
        if not task.cancelled():
            task.exception()  # the caller may be gone; an unread exception would be a warning

    async def _refresh_alone(self, rejected: str | None) -> TokenSet:
        async with self._store.refreshing(self.athlete_id):
            tokens = await self._made_up_for(await self._stored())
            if self._is_ageing(tokens) or tokens.access_token == rejected:
                tokens = await self._refresh_and_save(tokens)
            return tokens

    async def _made_up_for(self, stored: TokenSet) -> TokenSet:
        """Save what an earlier refresh could not, unless the athlete has connected again since."""
        if self._unsaved is not None and self._unsaved[0].refresh_token == stored.refresh_token:
            return await self._save(*self._unsaved)
        self._unsaved = None
        return stored

    async def _refresh_and_save(self, old: TokenSet) -> TokenSet:
        try:
            fresh = await self._app.refresh(old.refresh_token)
        except TokenRejected as error:
            if self._on_rejected is not None:
                await self._on_rejected(self.athlete_id)
            self._dead = old
            raise TokenRejected(self.athlete_id) from error
        return await self._save(old, replace(fresh, scope=fresh.scope or old.scope))

    async def _save(self, old: TokenSet, tokens: TokenSet) -> TokenSet:
        self._unsaved = old, tokens
        await self._store.save(self.athlete_id, tokens)
        self._unsaved = None
        _log.info("tokens.refreshed", athlete_id=self.athlete_id, expires_at=tokens.expires_at.isoformat())
        return tokens


def _signed(request: httpx.Request, tokens: TokenSet) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {tokens.access_token}"
    return request


def _token(value: Any, name: str) -> str:
    if isinstance(value, str) and value.isascii() and value.isprintable() and value.strip():
        return value
    raise UnreadableAnswer(_ASKED, f"{name} is missing or not a token")


def _number(value: Any) -> float:
    """Return a number, whether it was sent as one or as text. Raises ValueError."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return float(value)
    raise ValueError("not a number")
