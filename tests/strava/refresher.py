"""A process of its own for the tests: waits for a line, then asks who the athlete is. Prints what came of it.

Arguments: the token file, the address of the simulator, the athlete's id, and `die` to be killed after the save.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx

from backends.tokens.file import FileTokenStore
from strava.client import StravaClient
from strava.oauth import OAuthApp, StravaAuth
from strava.tokens import TokenSet


class DyingStore(FileTokenStore):
    """Kills the process as soon as the tokens are saved."""

    async def save(self, athlete_id: int, tokens: TokenSet) -> None:
        await super().save(athlete_id, tokens)
        os.kill(os.getpid(), signal.SIGKILL)


def say(line: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(path: str, url: str, athlete_id: str, *how: str) -> None:
    """Ask once, as the worker does."""
    store = (DyingStore if how == ("die",) else FileTokenStore)(Path(path))
    async with httpx.AsyncClient() as http:
        app = OAuthApp(http, client_id=1, client_secret="fake", oauth_url=f"{url}/oauth")
        auth = StravaAuth(int(athlete_id), store, app)
        say("ready")
        sys.stdin.readline()
        athlete = await StravaClient(http, auth, api_url=f"{url}/api/v3").athlete()
    say(str(athlete.athlete_id))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
