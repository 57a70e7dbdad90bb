"""A running simulator whose athlete has connected, as the tests of commands meet it."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from athlete.demo.config import CLIENT_ID, CLIENT_SECRET
from athlete.demo.simulator_client import SCOPES
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
