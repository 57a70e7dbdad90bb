"""`athlete connect` against a pretend Strava: tokens are kept, scopes are judged, and nothing is lost on the way."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from athlete.connect import UNCLAIMED, scope_verdict
from athlete.demo.pretend import SCOPES, PretendStrava
from athlete.demo.stage import CLIENT_ID, CLIENT_SECRET
from athlete.processes import ProcessTree, Program, free_port
from backends.tokens import TokenSet
from backends.tokens.file import FileTokenStore
from strava.oauth import OAuthApp

ATHLETE_ID = 4242424242


@pytest.fixture
async def strava(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a running simulator."""
    port = free_port()
    program = Program(
        name="simulator",
        module="simulator.main",
        environment={"SIMULATOR_PORT": str(port), "SIMULATOR_YEARS": "0"},
        folder=tmp_path,
        health_url=f"http://127.0.0.1:{port}/simulator/health",
    )
    async with ProcessTree(tmp_path / "logs") as tree:
        await tree.start([program])
        yield f"http://127.0.0.1:{port}"


async def granted(strava: str) -> TokenSet:
    """Authorise as the athlete would, and return the tokens."""
    async with httpx.AsyncClient() as http:
        code = await PretendStrava(http, strava).approve(f"{strava}/oauth", "http://127.0.0.1/callback")
        app = OAuthApp(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, oauth_url=f"{strava}/oauth")
        return (await app.exchange(code))[0]


async def connect(strava: str, data_dir: Path, *arguments: str, **settings: str) -> tuple[int | None, str]:
    """Run the command as a person would; return its exit code and all that it said."""
    environment = os.environ | {
        "DATA_DIR": str(data_dir),
        "STRAVA_API_URL": f"{strava}/api/v3",
        "STRAVA_OAUTH_URL": f"{strava}/oauth",
        "STRAVA_CLIENT_ID": CLIENT_ID,
        "STRAVA_CLIENT_SECRET": CLIENT_SECRET,
        "LOG_LEVEL": "",
        **settings,
    }
    command = (sys.executable, "-m", "athlete", "connect", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd=data_dir, stdout=PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_a_good_token_is_kept_under_its_athlete(strava: str, tmp_path: Path) -> None:
    """The athlete is named, the scopes are judged, and the tokens are filed for the worker."""
    tokens = await granted(strava)
    code, said = await connect(strava, tmp_path, "--refresh-token", tokens.refresh_token)
    assert (code, said) == (0, f"Connected athlete {ATHLETE_ID}. All scopes are granted.\n")
    store = FileTokenStore(tmp_path / "tokens.json")
    kept = await store.load(ATHLETE_ID)
    assert kept is not None
    assert kept.scope == frozenset(SCOPES.split(","))
    assert await store.load(UNCLAIMED) is None


async def test_a_dead_token_is_refused_with_what_to_do(strava: str, tmp_path: Path) -> None:
    """A token that Strava does not know ends in one sentence, without the token in it, and nothing is stored."""
    code, said = await connect(strava, tmp_path, "--refresh-token", "no-such-token")
    assert code == 1
    assert said.startswith("athlete: ")
    assert "no-such-token" not in said
    assert not json.loads((tmp_path / "tokens.json").read_text() if (tmp_path / "tokens.json").exists() else "{}")


async def test_an_interrupted_connect_goes_on_without_the_token(strava: str, tmp_path: Path) -> None:
    """What an interrupted connect had stored is enough for the next one: the rotated token was not lost."""
    tokens = await granted(strava)
    await FileTokenStore(tmp_path / "tokens.json").save(UNCLAIMED, tokens)
    code, said = await connect(strava, tmp_path)
    assert code == 0, said
    assert await FileTokenStore(tmp_path / "tokens.json").load(ATHLETE_ID)


async def test_without_a_token_it_asks_for_one(strava: str, tmp_path: Path) -> None:
    """The first connect needs a refresh token."""
    code, said = await connect(strava, tmp_path)
    assert code == 1
    assert "--refresh-token" in said


async def test_an_unreachable_oauth_is_named_in_one_sentence(tmp_path: Path) -> None:
    """Where nobody answers, the setting of the address that was asked is named, and no retry is told of."""
    code, said = await connect(f"http://127.0.0.1:{free_port()}", tmp_path, "--refresh-token", "x")
    assert code == 1
    assert said == (
        "athlete: Strava cannot be reached (ConnectError); check the network and STRAVA_OAUTH_URL, or wait.\n"
    )


async def test_retries_are_told_to_whoever_asks_for_them(tmp_path: Path) -> None:
    """A LOG_LEVEL that a person has set is kept to."""
    code, said = await connect(f"http://127.0.0.1:{free_port()}", tmp_path, "--refresh-token", "x", LOG_LEVEL="INFO")
    assert code == 1
    assert "retry" in said


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (set(), "did not say"),
        ({"read", "activity:read_all", "profile:read_all"}, "All scopes are granted"),
        ({"read", "activity:read", "profile:read_all"}, "activity:read_all is missing: private activities"),
        ({"read", "activity:read_all"}, "profile:read_all is missing"),
    ],
)
def test_the_verdict_names_what_is_missing_and_its_cost(scope: set[str], expected: str) -> None:
    """Each missing scope is named with what will not arrive."""
    assert expected in scope_verdict(frozenset(scope))


def test_tokens_stay_out_of_what_is_printed() -> None:
    """A token set's text shows neither token."""
    tokens = TokenSet(access_token="access-secret", refresh_token="refresh-secret", expires_at=datetime.now(UTC))
    assert "secret" not in repr(tokens)
