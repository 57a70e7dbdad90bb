"""`athlete up` as a person runs it: what it needs first, what it says once everything runs, and that Ctrl-C ends it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from athlete.main import app
from athlete.up import (
    NOBODY,
    NOT_SUBSCRIBED,
    connection_notice,
    has_imports_alone,
    is_anybody_connected,
    subscription_notice,
)
from backends.tokens import TokenSet
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.settings import SharedSettings
from tests.parsed_project import give_built
from worker.settings import WorkerSettings

CREDENTIALS = dict.fromkeys(
    ("STRAVA_CLIENT_ID", "STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "STRAVA_VERIFY_TOKEN"), "not-a-real-credential"
)
SETTINGS = {**CREDENTIALS, **dict.fromkeys(("SERVICE_PORT", "WORKER_PORT", "DASHBOARD_PORT"), "0")}
TOKENS = TokenSet(access_token="a", refresh_token="r", expires_at=datetime(2026, 5, 1, tzinfo=UTC))


async def put_athlete(settings: SharedSettings, status: str) -> None:
    """Write down an athlete."""
    store = SqliteRawStore(settings.pipeline_path)
    now = datetime(2026, 5, 1, tzinfo=UTC)
    await store.put_athlete(Athlete(athlete_id=1, scope=frozenset(), status=status, updated_at=now))
    await store.close()


async def test_an_athlete_is_connected_while_their_tokens_are_kept(tmp_path: Path) -> None:
    """Nobody at first, nor an athlete without tokens, but one who has them."""
    settings = SharedSettings(data_dir=tmp_path)
    assert not await is_anybody_connected(settings)
    await put_athlete(settings, "revoked")
    assert not await is_anybody_connected(settings)
    await FileTokenStore(settings.tokens_path).save(1, TOKENS)
    await put_athlete(settings, "connected")
    assert await is_anybody_connected(settings)


async def test_imports_alone_need_no_app_at_strava(tmp_path: Path) -> None:
    """Not while nothing is stored, and not once somebody is connected."""
    settings = SharedSettings(data_dir=tmp_path)
    assert not await has_imports_alone(settings)
    assert not settings.pipeline_path.exists()
    for status in ("archive_only", "connected"):
        await put_athlete(settings, status)
        assert await has_imports_alone(settings) == (status == "archive_only")


def test_up_names_the_settings_that_are_missing(tmp_path: Path) -> None:
    """Without credentials nothing is started, and each missing setting is named."""
    result = CliRunner().invoke(app, ["up"], env={"DATA_DIR": str(tmp_path), **dict.fromkeys(CREDENTIALS, "")})
    assert result.exit_code == 1
    assert "STRAVA_CLIENT_SECRET" in result.stderr
    assert "WEBHOOK_PATH_SECRET" in result.stderr


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("QUEUE_CONCURRENCY", "0"),
        ("TRANSFORM_DEBOUNCE_S", "soon"),
        ("DISPLAY_TIMEZONE", "Mars/Olympus"),
        ("DASHBOARD_REFRESH_S", "0"),
        ("PUBLISH_TIMEOUT_S", "-1"),
        ("NOT_FOUND_GRACE_S", "-1"),
        ("DAILY_AT", "7 am"),
    ],
)
def test_up_names_a_wrong_setting_of_any_program(setting: str, value: str, tmp_path: Path) -> None:
    """Whichever program would have read it: one sentence, before anything starts."""
    result = CliRunner().invoke(app, ["up"], env={"DATA_DIR": str(tmp_path), setting: value})
    assert result.exit_code == 1
    assert result.stderr.startswith(f"athlete: Settings are wrong (environment or .env): {setting}: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.slow
async def test_up_says_where_to_look_and_that_nobody_is_connected(tmp_path: Path, built_project: Path) -> None:
    """Once everything runs it names the dashboard and the commands that connect and subscribe; Ctrl-C ends it well."""
    give_built(built_project, tmp_path)
    up = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "athlete", "up"),
        env={**os.environ, **SETTINGS, "DATA_DIR": str(tmp_path), "LOG_LEVEL": "ERROR"},
        stdin=DEVNULL,
        stdout=PIPE,
    )
    assert up.stdout
    said = ""
    async with asyncio.timeout(120):
        while "Ctrl-C stops everything" not in said:
            line = await up.stdout.readline()
            assert line, said
            said += line.decode()
        up.send_signal(signal.SIGINT)
        await up.communicate()
    assert up.returncode == 0
    assert "Dashboard: http://127.0.0.1:" in said
    assert "No athlete is connected yet, so nothing will arrive: `athlete connect`" in said
    assert NOT_SUBSCRIBED in said


async def test_up_says_when_no_subscription_is_known(tmp_path: Path) -> None:
    """None at first and after a delete; one that is remembered, or set, is enough."""
    settings = WorkerSettings(data_dir=tmp_path)
    assert await subscription_notice(settings) == NOT_SUBSCRIBED
    assert not await subscription_notice(WorkerSettings(data_dir=tmp_path, strava_subscription_id=119))
    store = SqliteRawStore(settings.pipeline_path)
    for subscription_id, notice in ((119, ""), (None, NOT_SUBSCRIBED)):
        await store.set_subscription(subscription_id)
        assert await subscription_notice(settings) == notice
    await store.close()


async def test_up_says_why_nothing_would_arrive(tmp_path: Path) -> None:
    """Nobody yet, somebody, tokens that are gone or damaged, and a database that was emptied: a sentence for each."""
    settings = SharedSettings(data_dir=tmp_path)
    assert await connection_notice(settings) == NOBODY
    tokens = FileTokenStore(settings.tokens_path)
    await tokens.save(1, TOKENS)
    assert "knows no athlete, but tokens are kept of 1: the database was emptied" in await connection_notice(settings)
    await put_athlete(settings, "connected")
    assert not await connection_notice(settings)
    settings.tokens_path.write_text("")
    assert "tokens.json is damaged (it is empty)" in await connection_notice(settings)
    settings.tokens_path.unlink()
    assert "tokens.json is gone, although it was there" in await connection_notice(settings)
