"""Connecting an athlete in the browser: an invitation, Strava's authorise page, and the way back.

https://developers.strava.com/docs/authentication/. An invitation keeps strangers out. The `state` belongs to it and to
the browser that opened it, so that nobody can be led to finish what another began. Of invitation, state and code
nothing is logged or shown.
"""

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from backends.connect.connections import AthleteConnections, Connected, TooManyAthletes
from backends.connect.links import CALLBACK_PATH, CONNECT_PATH, ConnectLinks, Invite, digest_of
from backends.warehouse.athletes import InviteUses
from runtime.clock import utc_now
from runtime.log_sampling import SampledWarnings
from runtime.signing import SignatureExpired, SignatureInvalid
from service import connect_refusals as refusals
from service.connect_refusals import ConnectRefused, Refusal
from service.pages import page, redirect
from strava.client import StravaClient
from strava.errors import StravaError
from strava.grants import Grant, exchange_code
from strava.oauth import OAuthApp
from strava.scopes import missing_scopes, read_scopes, reads_activities
from strava.tokens import TokenSet

T = TypeVar("T")
_SCOPE = re.compile("[a-z_:]{1,40}")


class ConnectFlow:
    """The two steps. Both raise ConnectRefused, StravaError, TooManyAthletes and what unavailable stores raise."""

    def __init__(  # noqa: PLR0913 - five collaborators
        self,
        links: ConnectLinks,
        app: OAuthApp,
        client_of: Callable[[TokenSet], StravaClient],
        connections: AthleteConnections,
        invites: InviteUses,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._links = links
        self._app = app
        self._client_of = client_of
        self._connections = connections
        self._invites = invites
        self._clock = clock

    async def begin(self, invite_text: str, base_url: str) -> Response:
        """Send the browser to Strava's authorise page; the invitation is not used by that."""
        now = self._clock()
        invite = _signed(lambda: self._links.read_invite(invite_text, now=now), invite_text, refusals.EXPIRED)
        await self._require_unused(invite)
        browser = secrets.token_urlsafe(32)
        state, expires_at = self._links.state(invite, browser, now=now)
        answer = redirect(self._app.authorize_url(redirect_uri=f"{base_url}{CALLBACK_PATH}", state=state))
        answer.set_cookie(
            _cookie_name(digest_of(browser)),
            browser,
            max_age=int((expires_at - now).total_seconds()),
            path=f"{urlsplit(base_url).path}{CONNECT_PATH}",
            secure=base_url.startswith("https:"),
            httponly=True,
            samesite="lax",
        )
        return answer

    async def finish(self, query: Mapping[str, str], cookies: Mapping[str, str]) -> Connected:
        """Connect the athlete whom Strava sent back.

        What fails before the tokens are stored leaves the invitation to be used again, if it can be given back.
        """
        invite = self._invite_of(query.get("state", ""), cookies)
        code, scope = _granted(query)
        if not await self._invites.claim_invite(invite.invite_id, invite.expires_at):
            await self._require_unused(invite)
            raise ConnectRefused(refusals.UNDER_WAY)  # it was given back in this moment
        kept_id: int | None = None

        async def settle(athlete_id: int) -> None:
            nonlocal kept_id
            kept_id = athlete_id
            await self._invites.settle_invite(invite.invite_id, athlete_id)

        try:
            return await self._connections.connect(lambda: self._grant(code, scope), on_kept=settle)
        except BaseException as error:
            if kept_id is not None:
                if isinstance(error, refusals.STORE_UNAVAILABLE):
                    raise ConnectRefused(refusals.not_finished(kept_id, error)) from error
                raise
            is_released = await self._release(invite)
            if isinstance(error, TooManyAthletes):
                with suppress(StravaError):  # or Strava would count the athlete as connected
                    await self._app.revoke(error.grant.tokens.access_token)
            if isinstance(error, refusals.EXPECTED) and not is_released:
                raise ConnectRefused(refusals.refusal_of(error).without_invitation()) from error
            raise

    async def _release(self, invite: Invite) -> bool:
        """Give the invitation back, and return whether that could be stored."""
        try:
            await self._invites.release_invite(invite.invite_id)
        except refusals.STORE_UNAVAILABLE:
            return False
        return True

    def _invite_of(self, state: str, cookies: Mapping[str, str]) -> Invite:
        """Return the invitation of a state that this browser was given."""
        now = self._clock()
        invite, digest = _signed(lambda: self._links.read_state(state, now=now), state, refusals.TIMED_OUT)
        browser = cookies.get(_cookie_name(digest), "")
        if not hmac.compare_digest(digest_of(browser), digest):
            raise ConnectRefused(refusals.OTHER_BROWSER)
        return invite

    async def _require_unused(self, invite: Invite) -> None:
        use = await self._invites.invite_use(invite.invite_id)
        if use is not None:
            raise ConnectRefused(refusals.UNDER_WAY if use.athlete_id is None else refusals.ALREADY_USED)

    async def _grant(self, code: str, scope: frozenset[str]) -> Grant:
        """Trade the code in; Strava's newer word of the scopes counts, where it gives one."""
        grant = await exchange_code(self._app, code, self._client_of)
        scope = _useful(grant.tokens.scope or scope)
        return replace(grant, tokens=replace(grant.tokens, scope=scope))


def _signed(read: Callable[[], T], text: str, expired: Refusal) -> T:
    if not text:
        raise ConnectRefused(refusals.INCOMPLETE)
    try:
        return read()
    except SignatureInvalid:
        raise ConnectRefused(refusals.FORGED) from None
    except SignatureExpired:
        raise ConnectRefused(expired) from None


def _cookie_name(digest: str) -> str:
    """Return a name of its own for each beginning, so that two open pages do not spoil one another."""
    return f"connect-{digest[:8]}"


def _granted(query: Mapping[str, str]) -> tuple[str, frozenset[str]]:
    """Return the code, which is not spent if no activity can be had by it, and the scopes that were left ticked."""
    if query.get("error") == "access_denied":
        raise ConnectRefused(refusals.DENIED)
    if not query.get("code"):
        raise ConnectRefused(refusals.INCOMPLETE)
    told = read_scopes(query.get("scope"))  # by an address, which a person can change
    return query["code"], _useful(frozenset(each for each in told if _SCOPE.fullmatch(each)))


def _useful(scope: frozenset[str]) -> frozenset[str]:
    if scope and not reads_activities(scope):
        raise ConnectRefused(refusals.not_granted(scope))
    return scope


def connect_routes(flow: ConnectFlow | None, *, public_url: str = "") -> APIRouter:
    """Return the routes; without a flow they say that connecting is switched off.

    `public_url` is how browsers reach the service; empty: as they did when they opened the invitation.
    """
    router = APIRouter(tags=["connect"])
    warnings = SampledWarnings("connect.refused")

    async def answered(step: Callable[[ConnectFlow], Awaitable[Response]]) -> Response:
        try:
            if flow is None:
                raise ConnectRefused(refusals.SWITCHED_OFF)
            return await step(flow)
        except refusals.EXPECTED as error:
            refusal = refusals.refusal_of(error)
        warnings.warning(reason=refusal.reason)
        return refusal.page()

    @router.get(f"{CONNECT_PATH}/", include_in_schema=False)
    @router.get(CONNECT_PATH, summary="Open an invitation: on to Strava's authorise page")
    async def connect(request: Request) -> Response:
        base_url = public_url or str(request.base_url).rstrip("/")
        return await answered(lambda flow: flow.begin(request.query_params.get("invite", ""), base_url))

    @router.get(f"{CALLBACK_PATH}/", include_in_schema=False)
    @router.get(CALLBACK_PATH, summary="Come back from Strava's authorise page")
    async def callback(request: Request) -> Response:
        async def finish(flow: ConnectFlow) -> Response:
            return _success(await flow.finish(request.query_params, request.cookies))

        return await answered(finish)

    return router


def _success(connected: Connected) -> Response:
    sentences = [str(connected), "You can close this page."]
    if connected.scope and missing_scopes(connected.scope):
        sentences.insert(1, "To grant what is missing, ask for another invitation and leave every box ticked.")
    return page("Connected", sentences)
