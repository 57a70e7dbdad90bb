"""`athlete connect`: adopt an athlete by a refresh token, and say what its scopes will and will not bring."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import httpx
import typer
from rich.console import Console

from athlete.complaints import Complaint, complains
from athlete.folder import require_usable
from backends.logs import configure_logs
from backends.tokens.file import FileTokenStore
from backends.warehouse import Athlete
from backends.warehouse.sqlite import SqliteRawStore
from strava.client import StravaClient
from strava.errors import StravaError
from strava.oauth import OAuthApp, StravaAuth
from strava.tokens import TokenSet, TokenStore
from worker.settings import WorkerSettings

# What an athlete loses with each scope that was not granted.
WANTED_SCOPES = {
    "read": "routes and clubs stay unknown",
    "activity:read_all": "private activities will not arrive, and with no activity scope at all nothing arrives",
    "profile:read_all": "gear and heart-rate zones may be missing",
}
# Kept under this id until Strava has told whose tokens they are: a rotated token must be stored before it is used.
UNCLAIMED = 0


@complains
def connect(
    refresh_token: Annotated[
        str | None,
        typer.Option(help="The athlete's refresh token for your Strava app (see https://www.strava.com/settings/api)."),
    ] = None,
) -> None:
    """Connect an athlete by a refresh token: check it, keep it, and say which permissions (scopes) are missing.

    Needs STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET. Without a token it goes on with a connect that was interrupted.
    """
    settings = WorkerSettings()
    if not (settings.strava_client_id and settings.strava_client_secret.get_secret_value()):
        raise Complaint("Set STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET (environment or .env) before connecting.")
    require_usable(settings.data_dir)
    chosen = settings.log_level if "log_level" in settings.model_fields_set else "ERROR"  # what failed is told below
    configure_logs(settings.log_format, chosen)
    asyncio.run(_connect(settings, refresh_token, Console()))


async def _connect(settings: WorkerSettings, refresh_token: str | None, console: Console) -> None:
    tokens = FileTokenStore(settings.tokens_path)
    store = SqliteRawStore(settings.pipeline_path)
    try:
        async with httpx.AsyncClient(timeout=30) as http:
            app = OAuthApp(
                http,
                client_id=settings.strava_client_id,
                client_secret=settings.strava_client_secret.get_secret_value(),
                oauth_url=settings.strava_oauth_url,
            )
            await _claim(app, tokens, refresh_token)
            client = StravaClient(http, StravaAuth(UNCLAIMED, tokens, app), api_url=settings.strava_api_url)
            athlete_id = (await client.athlete()).athlete_id
            claimed = await hand_over(tokens, athlete_id)
            await store.put_athlete(
                Athlete(athlete_id=athlete_id, scope=claimed.scope, status="connected", updated_at=datetime.now(UTC))
            )
    finally:
        await store.close()
    console.print(f"Connected athlete {athlete_id}. {scope_verdict(claimed.scope)}", highlight=False)


async def _claim(app: OAuthApp, tokens: TokenStore, refresh_token: str | None) -> None:
    """Store what the refresh token brings; without one, go on with what an interrupted connect had stored."""
    if refresh_token:
        await tokens.save(UNCLAIMED, await _refreshed(app, refresh_token))
    elif await tokens.load(UNCLAIMED) is None:
        raise Complaint("Give the athlete's refresh token: athlete connect --refresh-token …")


async def _refreshed(app: OAuthApp, refresh_token: str) -> TokenSet:
    """Trade the token in. What goes wrong is told of the API elsewhere; here it was OAuth's address that was asked."""
    try:
        return await app.refresh(refresh_token)
    except StravaError as error:
        raise Complaint(str(error).replace("STRAVA_API_URL", "STRAVA_OAUTH_URL")) from error


async def hand_over(tokens: TokenStore, athlete_id: int) -> TokenSet:
    """File the unclaimed tokens under their athlete."""
    claimed = await tokens.load(UNCLAIMED)
    if claimed is None:
        raise Complaint("The tokens are gone: another connect ran at the same time. Run it again.")
    await tokens.save(athlete_id, claimed)
    await tokens.delete(UNCLAIMED)
    return claimed


def scope_verdict(scope: frozenset[str]) -> str:
    """Say in words what the granted scopes mean; Strava does not always tell them."""
    if not scope:
        return "Strava did not say which scopes it granted: if no activity arrives, authorise with activity:read_all."
    missing = [f"{name} is missing: {cost}" for name, cost in WANTED_SCOPES.items() if name not in scope]
    return "; ".join(missing) + "." if missing else "All scopes are granted."
