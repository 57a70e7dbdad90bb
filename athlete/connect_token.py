"""`athlete connect`: adopt an athlete by a refresh token, and say what its scopes will and will not bring."""

import asyncio
import sys
from getpass import getpass

import httpx
from rich.console import Console

from athlete.backends import open_budget, open_queue, open_store, open_tokens
from athlete.data_dir import require_usable
from athlete.errors import CommandError, exit_on_error
from athlete.pending_token import PendingToken
from backends.warehouse.athletes import Athlete
from runtime.clock import utc_now
from runtime.http_client import client_for
from runtime.logs import configure_logs
from strava.client import StravaClient
from strava.errors import AppInactive, AppRejected, Refused, ScopeMissing, StravaError, TokenRejected
from strava.oauth import BearerAuth, OAuthApp
from strava.scopes import WANTED_SCOPES, scope_verdict
from strava.tokens import TokenSet
from worker.parked_events import republish_parked
from worker.settings import WorkerSettings

LONGEST_TOKEN = 1_000  # characters; Strava's have 40
GOES_ON = "The token is kept: run `athlete connect` again and it goes on, without asking for a token."


class UselessToken(CommandError):
    """The token will never do; the text says where another comes from."""


@exit_on_error
def connect() -> None:
    """Connect an athlete by a refresh token: check it, keep it, and say which permissions (scopes) are missing.

    The token is asked for and not shown, or read from a file: athlete connect < token.txt. Needs STRAVA_CLIENT_ID and
    STRAVA_CLIENT_SECRET. A connect that was interrupted goes on without a token.
    """
    settings = WorkerSettings()
    if not (settings.strava_client_id and settings.strava_client_secret.get_secret_value()):
        raise CommandError("Set STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET (environment or .env) before connecting.")
    require_usable(settings.data_dir)
    chosen = settings.log_level if "log_level" in settings.model_fields_set else "ERROR"  # what failed is told below
    configure_logs(settings.log_format, chosen)
    pending = PendingToken(settings.data_dir / "connect-recovery.token")
    if is_resumed := pending.read() is not None:
        _say("An earlier connect was interrupted: it goes on, and no token is read. Run it again to connect another.")
    else:
        pending.keep(read_token())
    try:
        _say(asyncio.run(_connect(settings, pending)))
    except UselessToken as error:
        pending.drop()
        raise CommandError(f"{'The kept token was removed. ' if is_resumed else ''}{error}") from error
    pending.drop()


def read_token() -> str:
    """Ask for the token without showing it, or read it from what is piped in. Raises CommandError."""
    if sys.stdin.isatty():
        token = getpass("The athlete's refresh token (not shown): ")
    else:
        token = sys.stdin.buffer.read(LONGEST_TOKEN + 1).decode("ascii", errors="replace")
    token = token.strip()
    if not token:
        raise CommandError("Give the athlete's refresh token: run `athlete connect` in a terminal and paste it, or "
                        "athlete connect < token.txt")  # fmt: skip
    if len(token) > LONGEST_TOKEN or not (token.isascii() and token.isprintable()) or " " in token:
        raise CommandError("That is no refresh token: it is one word of letters and digits, 40 characters as a rule.")
    return token


async def _connect(settings: WorkerSettings, pending: PendingToken) -> str:
    """Connect with the pending token, and return what to tell the person. Raises UselessToken."""
    tokens = open_tokens(settings)
    async with open_store(settings) as store:
        async with client_for(settings.strava_api_url, settings.strava_oauth_url, timeout=30) as http:
            fresh = await _refreshed(settings, http, pending)
            client = StravaClient(
                http, BearerAuth(fresh), api_url=settings.strava_api_url, budget=open_budget(settings)
            )
            athlete_id = await _athlete_id(client, settings)
            unchecked = await unknown_reach(client, settings)
        async with tokens.refreshing(athlete_id):
            await tokens.save(athlete_id, fresh)
        await store.put_athlete(
            Athlete(athlete_id=athlete_id, scope=fresh.scope, status="connected", updated_at=utc_now())
        )
        async with open_queue(settings) as queue:  # what was parked while nobody was connected
            count = await republish_parked(store, queue, athlete_id)
    taken_up = f" Parked events that are tried again: {count:,}." if count else ""
    return f"Connected athlete {athlete_id}. {unchecked}{scope_verdict(fresh.scope)}{taken_up}"


async def _refreshed(settings: WorkerSettings, http: httpx.AsyncClient, pending: PendingToken) -> TokenSet:
    """Trade the pending token in, and keep what came in its place: the old one may be dead already."""
    app = OAuthApp(
        http,
        client_id=settings.strava_client_id,
        client_secret=settings.strava_client_secret.get_secret_value(),
        oauth_url=settings.strava_oauth_url,
    )
    try:
        fresh = await app.refresh(pending.read() or "")
    except StravaError as error:
        if isinstance(error, Refused) and not isinstance(error, AppInactive | AppRejected):
            raise UselessToken(
                "Strava does not accept this refresh token: it is spent or revoked, or another app's. "
                f"{where_tokens_come_from(settings)}"
            ) from error
        # Errors tell of the API's address; here it was OAuth's that was asked.
        raise CommandError(f"{str(error).replace('STRAVA_API_URL', 'STRAVA_OAUTH_URL')} {GOES_ON}") from error
    pending.keep(fresh.refresh_token)
    return fresh


async def _athlete_id(client: StravaClient, settings: WorkerSettings) -> int:
    """Ask whose tokens these are."""
    try:
        return (await client.athlete()).athlete_id
    except ScopeMissing as error:
        raise UselessToken(_cannot_read(error.needed, settings)) from error
    except TokenRejected as error:  # it is minutes old at most: Strava has not spread it yet
        raise CommandError(f"Strava does not know its own fresh token yet; wait some minutes. {GOES_ON}") from error
    except StravaError as error:
        raise CommandError(f"{error} {GOES_ON}") from error


async def unknown_reach(client: StravaClient, settings: WorkerSettings) -> str:
    """Ask the list once, since Strava need not tell the scopes; return a sentence where it could not be asked."""
    try:
        await anext(client.activities(per_page=1), None)
    except ScopeMissing as error:
        raise UselessToken(_cannot_read(error.needed, settings)) from error
    except TokenRejected as error:  # the athlete was shown a moment before
        raise UselessToken(_cannot_read("activity:read_all", settings)) from error
    except StravaError as error:
        return f"Whether activities can be read is not known: {error} "
    return ""


def _cannot_read(needed: str, settings: WorkerSettings) -> str:
    return (
        f"This token lacks the scope {needed}, without which no activity ever arrives; nothing was saved. The token on "
        f"Strava's settings page has the scope read alone. {where_tokens_come_from(settings)}"
    )


def where_tokens_come_from(settings: WorkerSettings) -> str:
    """Say how a refresh token with all scopes is made; the client id is no secret."""
    url, client_id = settings.strava_oauth_url.rstrip("/"), settings.strava_client_id
    return (
        f"Make a new one: open {url}/authorize?client_id={client_id}&response_type=code&redirect_uri=http://localhost"
        f"&approval_prompt=force&scope={','.join(WANTED_SCOPES)} and leave every box ticked; the page that follows "
        "does not load, but its address holds code=…; trade that code for a refresh token: "
        f"curl {url}/token -d client_id={client_id} -d client_secret=… -d grant_type=authorization_code -d code=…"
    )


def _say(sentence: str) -> None:
    Console().print(sentence, highlight=False, soft_wrap=True, markup=False)
