"""`athlete connect --token`: connects an athlete by a refresh token, which a person has from elsewhere."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from getpass import getpass

import httpx

from athlete.backends import open_budget, open_store, open_tokens
from athlete.errors import CommandError
from athlete.output import say
from athlete.pending_token import PendingToken
from backends.connect.connections import AthleteConnections, TooManyAthletes, stored_tokens
from backends.connect.oauth import oauth_app
from backends.tokens import AthleteTokens
from runtime.http_client import client_for
from runtime.settings import StravaAppSettings
from strava.client import StravaClient
from strava.errors import AppInactive, AppRejected, Refused, ScopeMissing, StravaError, TokenRejected
from strava.grants import Grant
from strava.oauth import BearerAuth
from strava.tokens import TokenSet

LONGEST_TOKEN = 1_000  # characters; Strava's have 40
BROWSER = "`athlete connect --no-browser` makes a link to Strava's own page: leave every box ticked there."
GOES_ON = "The token is kept: run `athlete connect` again and it goes on, without asking for a token."


class UselessToken(CommandError):
    """The token will never do; the text says where another comes from."""


def pending_token(settings: StravaAppSettings) -> PendingToken:
    """Return where the token of an interrupted connect is kept."""
    return PendingToken(settings.data_dir / "connect-recovery.token")


def connect_by_token(settings: StravaAppSettings) -> str:
    """Connect by a token, that of an interrupted connect first; return what to tell the person. Raises CommandError."""
    pending = pending_token(settings)
    if is_resumed := pending.read() is not None:
        say("An earlier connect was interrupted: it goes on, and no token is read. Run it again to connect another.")
    else:
        pending.keep(read_token())
    try:
        told = asyncio.run(_connect(settings, pending))
    except (UselessToken, TooManyAthletes) as error:
        pending.drop()
        raise CommandError(f"{'The kept token was removed. ' if is_resumed else ''}{error}") from error
    pending.drop()
    return told


def read_token() -> str:
    """Ask for the token without showing it, or read it from what is piped in. Raises CommandError."""
    if sys.stdin.isatty():
        token = getpass("The athlete's refresh token (not shown): ")
    else:
        token = sys.stdin.buffer.read(LONGEST_TOKEN + 1).decode("ascii", errors="replace")
    token = token.strip()
    if not token:
        raise CommandError(
            "Give the athlete's refresh token: run `athlete connect --token` in a terminal and paste it, or athlete "
            "connect < token.txt. Without a token and a terminal: athlete connect --no-browser"
        )
    if len(token) > LONGEST_TOKEN or not (token.isascii() and token.isprintable()) or " " in token:
        raise CommandError("That is no refresh token: it is one word of letters and digits, 40 characters as a rule.")
    return token


async def _connect(settings: StravaAppSettings, pending: PendingToken) -> str:
    """Connect with the pending token, and return what to tell the person. Raises UselessToken."""
    unchecked = ""

    async def grant() -> Grant:
        nonlocal unchecked
        async with client_for(settings.strava_api_url, settings.strava_oauth_url, timeout=30) as http:
            fresh = await _refreshed(settings, http, pending)
            client = StravaClient(
                http, BearerAuth(fresh), api_url=settings.strava_api_url, budget=open_budget(settings)
            )
            athlete_id = await _athlete_id(client)
            unchecked = await unknown_reach(client)
        return Grant(athlete_id=athlete_id, tokens=fresh)

    async with (
        open_tokens(settings) as tokens,
        open_store(settings) as store,
        right_to_refresh(tokens, pending) as held_id,
    ):
        try:
            connected = await AthleteConnections(tokens, store).connect(grant, held_id=held_id)
        except TooManyAthletes as error:
            with suppress(StravaError):  # or Strava would count the athlete as connected
                await _revoke(settings, error.grant.tokens.access_token)
            raise
    return f"{connected} {unchecked}".rstrip()


@asynccontextmanager
async def right_to_refresh(tokens: AthleteTokens, pending: PendingToken) -> AsyncIterator[int | None]:
    """Hold the right to refresh of the athlete whose stored token is pending, if it is one; give the athlete's id.

    Where the programs refreshed that token meanwhile, the one in its place is pending. Raises TokensUnavailable.
    """
    stored = await stored_tokens(tokens)
    token = pending.read()
    athlete_id = next((each for each, kept in stored.items() if kept and kept.refresh_token == token), None)
    if athlete_id is None:
        yield None
        return
    async with tokens.refreshing(athlete_id):
        newest = await tokens.load(athlete_id)
        if newest is not None:
            pending.keep(newest.refresh_token)
        yield athlete_id


async def _revoke(settings: StravaAppSettings, token: str) -> None:
    async with client_for(settings.strava_oauth_url, timeout=30) as http:
        await oauth_app(settings, http).revoke(token)


async def _refreshed(settings: StravaAppSettings, http: httpx.AsyncClient, pending: PendingToken) -> TokenSet:
    """Trade the pending token in, and keep what came in its place: the old one may be dead already."""
    try:
        fresh = await oauth_app(settings, http).refresh(pending.read() or "")
    except StravaError as error:
        if isinstance(error, Refused) and not isinstance(error, AppInactive | AppRejected):
            raise UselessToken(
                f"Strava does not accept this refresh token: it is spent or revoked, or another app's. {BROWSER}"
            ) from error
        # Errors tell of the API's address; here it was OAuth's that was asked.
        raise CommandError(f"{str(error).replace('STRAVA_API_URL', 'STRAVA_OAUTH_URL')} {GOES_ON}") from error
    pending.keep(fresh.refresh_token)
    return fresh


async def _athlete_id(client: StravaClient) -> int:
    """Ask whose tokens these are."""
    try:
        return (await client.athlete()).athlete_id
    except ScopeMissing as error:
        raise UselessToken(_cannot_read(error.needed)) from error
    except TokenRejected as error:  # it is minutes old at most: Strava has not spread it yet
        raise CommandError(f"Strava does not know its own fresh token yet; wait some minutes. {GOES_ON}") from error
    except StravaError as error:
        raise CommandError(f"{error} {GOES_ON}") from error


async def unknown_reach(client: StravaClient) -> str:
    """Ask the list once, since Strava need not tell the scopes; return a sentence where it could not be asked."""
    try:
        await anext(client.activities(per_page=1), None)
    except ScopeMissing as error:
        raise UselessToken(_cannot_read(error.needed)) from error
    except TokenRejected as error:  # the athlete was shown a moment before
        raise UselessToken(_cannot_read("activity:read_all")) from error
    except StravaError as error:
        return f"Whether activities can be read is not known: {error} "
    return ""


def _cannot_read(needed: str) -> str:
    return (
        f"This token lacks the scope {needed}, without which no activity ever arrives; nothing was saved. The token on "
        f"Strava's settings page has the scope read alone. {BROWSER}"
    )
