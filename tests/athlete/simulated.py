"""A running simulator whose athlete has connected, as the tests of commands meet it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from typer.testing import CliRunner, Result

from athlete.demo.config import CLIENT_ID, CLIENT_SECRET
from athlete.demo.simulator_client import SCOPES
from athlete.main import app
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.oauth import OAuthApp

ATHLETE_ID = 4242424242


async def connect(url: str, folder: Path) -> None:
    """Have the athlete connect."""
    async with httpx.AsyncClient() as http:
        form = {"client_id": CLIENT_ID, "redirect_uri": "http://127.0.0.1/callback", "response_type": "code",
                "decision": "allow", "scope": SCOPES.split(",")}  # fmt: skip
        answer = await http.post(f"{url}/oauth/authorize", data=form)
        [code] = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
        app = OAuthApp(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, oauth_url=f"{url}/oauth")
        granted = (await app.exchange(code))[0]
    await FileTokenStore(folder / "tokens.json").save(ATHLETE_ID, granted)
    store = SqliteRawStore(folder / "pipeline.sqlite")
    now = datetime.now(UTC)
    await store.put_athlete(Athlete(athlete_id=ATHLETE_ID, scope=granted.scope, status="connected", updated_at=now))
    await store.close()


def settings_for(url: str, folder: Path) -> dict[str, str]:
    """The settings of a program that works with the simulator on the folder."""
    return {
        "DATA_DIR": str(folder),
        "STRAVA_API_URL": f"{url}/api/v3",
        "STRAVA_OAUTH_URL": f"{url}/oauth",
        "STRAVA_CLIENT_ID": CLIENT_ID,
        "STRAVA_CLIENT_SECRET": CLIENT_SECRET,
        "RECONCILE_LOOKS": "0",
    }


async def run_command(url: str, folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Run a command on the folder, without a terminal; return its exit code and what it wrote to both streams."""
    done = await run_in_process(arguments, settings_for(url, folder))
    return done.exit_code, done.stdout, done.stderr


async def run_in_process(arguments: Sequence[str], settings: Mapping[str, str], typed: str = "") -> Result:
    """Run `athlete` with these arguments and settings in a thread, and what is typed piped in; no traceback ends it."""
    invoke = partial(CliRunner().invoke, app, list(arguments), input=typed, env=settings)
    done = await asyncio.to_thread(invoke)
    assert not isinstance(done.exception, Exception), done.output
    return done
