"""`athlete backfill` from outside: it asks, the worker loads, and the command tells how far it is."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from typer.testing import CliRunner, Result

from athlete.backfill import Standing, command_for, sentence
from athlete.demo.config import CLIENT_ID, CLIENT_SECRET
from athlete.main import app
from athlete.supervisor import ProcessTree, Program, free_port
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.own_files import ArchivedActivity, Import, ImportStatus
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.oauth import OAuthApp
from tests.serving import serving, simulator_app

ATHLETE = 4242424242
BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 5, 6, 10, 0, tzinfo=UTC)  # a Wednesday, noon in Berlin

Run = Callable[..., Result]


@pytest.fixture
def strava() -> Iterator[str]:
    """The address of a running simulator with a quarter of a year of activities."""
    limit = "100000,1000000"
    with serving(lambda: simulator_app(years=0.25, read_limit=limit, overall_limit=limit)) as url:
        yield url


@pytest.fixture
def environment(tmp_path: Path, strava: str) -> dict[str, str]:
    """The settings of the command and of the worker."""
    return {
        "DATA_DIR": str(tmp_path / "data"),
        "STRAVA_API_URL": f"{strava}/api/v3",
        "STRAVA_OAUTH_URL": f"{strava}/oauth",
        "STRAVA_CLIENT_ID": CLIENT_ID,
        "STRAVA_CLIENT_SECRET": CLIENT_SECRET,
        "COLUMNS": "200",
    }


@pytest.fixture
async def connected(tmp_path: Path, strava: str) -> AsyncIterator[SqliteRawStore]:
    """The warehouse of the simulated athlete, who is connected and of whom nothing is stored."""
    async with httpx.AsyncClient() as http:
        form = {"client_id": CLIENT_ID, "redirect_uri": "http://127.0.0.1/callback", "decision": "allow",
                "scope": ["read", "activity:read_all"]}  # fmt: skip
        answer = await http.post(f"{strava}/oauth/authorize", data=form)
        [code] = parse_qs(urlsplit(answer.headers["location"]).query)["code"]
        oauth = OAuthApp(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, oauth_url=f"{strava}/oauth")
        tokens, _ = await oauth.exchange(code)
    (tmp_path / "data").mkdir()
    await FileTokenStore(tmp_path / "data" / "tokens.json").save(ATHLETE, tokens)
    store = SqliteRawStore(tmp_path / "data" / "pipeline.sqlite")
    await store.put_athlete(
        Athlete(athlete_id=ATHLETE, scope=tokens.scope, status="connected", updated_at=datetime.now(UTC))
    )
    yield store
    await store.close()


@pytest.fixture
def run(environment: dict[str, str]) -> Callable[..., Any]:
    """Run the command in a thread of its own."""

    async def _run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ("backfill", *arguments), env=environment)

    return _run


@pytest.mark.slow
async def test_a_dry_run_lists_and_stores_nothing(run: Callable[..., Any], connected: SqliteRawStore) -> None:
    """It says how many activities Strava has, how many are missing, and what the details cost."""
    told = await run("--dry-run", "--json")
    facts = json.loads(told.stdout)
    assert facts["athlete_id"] == ATHLETE
    assert facts["strava_count"] == facts["missing_count"] == facts["detail_calls"] > 40
    assert facts["done_by"] is not None
    lately = json.loads((await run("--dry-run", "--json", "--since", "60d", "--no-details")).stdout)
    assert 0 < lately["strava_count"] < facts["strava_count"]
    assert (lately["detail_calls"], lately["stream_calls"]) == (0, 0)
    whole = json.loads((await run("--dry-run", "--json", "--streams")).stdout)
    assert whole["stream_calls"] == whole["detail_calls"] == facts["detail_calls"]
    assert whole["done_by"] is not None
    said = (await run("--dry-run")).stdout
    assert (
        f"Strava lists {facts['strava_count']:,} activities, of which {facts['strava_count']:,} are not stored." in said
    )
    assert (await connected.activity_ids(ATHLETE), await connected.backfills()) == ([], [])


async def test_it_asks_once_and_joins_what_is_under_way(run: Callable[..., Any], connected: SqliteRawStore) -> None:
    """A request for no more than what is under way changes nothing; one for more takes its place."""
    lately = ("--no-wait", "--no-details", "--since", "2026-02-01T00:00Z")
    facts = json.loads((await run(*lately, "--json")).stdout)
    assert (facts["has_details"], facts["since"]) == (False, "2026-02-01T00:00:00.000000Z")
    [first] = await connected.backfills()
    assert (first.since, first.has_details) == (datetime(2026, 2, 1, tzinfo=UTC), False)
    assert (await run(*lately[:3], "2026-02-09T00:00Z")).exit_code == 0
    assert await connected.backfills() == [first]
    for more in (("--since", "2026-02-01T00:00Z"), ("--no-details",), ("--streams",), ()):
        await connected.request_backfill(first)
        assert (await run("--no-wait", *more)).stdout == f"Athlete {ATHLETE}: asked for.\n"
        assert await connected.backfills() != [first], more
    [all_of_it] = await connected.backfills()
    assert (all_of_it.since, all_of_it.has_details) == (None, True)
    for less in (lately, ("--no-wait",), ("--no-wait", "--athlete", str(ATHLETE))):
        assert (await run(*less)).exit_code == 0
        assert await connected.backfills() == [all_of_it]


async def test_what_was_imported_is_told_with_its_price(
    run: Callable[..., Any], connected: SqliteRawStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it asks for details; the list alone costs little, and of what is older nothing is asked."""
    start = datetime(2026, 2, 1, tzinfo=UTC)
    current = Import(
        import_id="i", athlete_id=ATHLETE, started_at=datetime.now(UTC), updated_at=start, status=ImportStatus.RUNNING,
        source="export.zip", fingerprint="f",
    )  # fmt: skip
    row = ArchivedActivity(
        activity_id=1, athlete_id=ATHLETE, import_id="i", exported_at=start, language=None, start_at=start, row="[]",
        activity="{}",
    )  # fmt: skip
    assert await connected.put_import(current)
    await connected.put_archive_rows([row, replace(row, activity_id=2)], "i")
    told = f"Athlete {ATHLETE}: an export alone tells of 2 activities. Their details cost a call each "
    assert (await run("--no-wait", "--no-details")).stderr == ""
    assert (await run("--no-wait")).stderr.startswith(told)
    assert (await run("--no-wait", "--since", "2026-02-02T00:00Z")).stderr == ""
    monkeypatch.setenv("RETENTION_DAYS", "7")
    assert "Their details are not loaded, as RETENTION_DAYS" in (await run("--no-wait")).stderr


@pytest.mark.parametrize(
    ("under_way", "options", "both"),
    [
        ({}, ["--streams", "--since", "2026-02-01T00:00Z"], "--streams"),
        ({"has_streams": True, "since": datetime(2026, 2, 1, tzinfo=UTC)}, [], "--streams"),
        ({"has_details": False}, ["--since", "2026-02-01T00:00Z"], ""),
        (
            {"has_streams": True, "since": datetime(2026, 3, 1, tzinfo=UTC)},
            ["--since", "2026-02-01T00:00Z"],
            "--since 2026-02-01T00:00:00.000000Z --streams",
        ),
    ],
)
async def test_what_is_under_way_is_not_cut_short(
    run: Callable[..., Any], connected: SqliteRawStore, under_way: dict[str, Any], options: list[str], both: str
) -> None:
    """Of two that each load what the other leaves out, the second is refused with the command that loads both."""
    first = Backfill.requested(ATHLETE, datetime(2026, 4, 1, tzinfo=UTC), **under_way)
    await connected.request_backfill(first)
    told = await run("--no-wait", *options)
    wanted = f"athlete backfill --athlete {ATHLETE} {both}".rstrip()
    assert (told.exit_code, told.stdout, f"all of both: `{wanted}`." in told.stderr) == (1, "", True)
    assert await connected.backfills() == [first]
    assert (await run("--no-wait", *wanted.split()[2:])).exit_code == 0
    assert await connected.backfills() != [first]


async def test_what_was_left_out_is_not_forgotten(run: Callable[..., Any], connected: SqliteRawStore) -> None:
    """One that ended and has a rest to try again is not replaced by one that does not load all of that."""
    now = datetime(2026, 4, 1, tzinfo=UTC)
    asked = Backfill.requested(ATHLETE, now)
    rest = asked.changed(now, started_at=now, listed_at=now, finished_at=now, failed_count=3, retry_at=now)
    await connected.request_backfill(rest)
    told = await run("--no-wait", "--streams", "--since", "2026-02-01T00:00Z")
    assert (told.exit_code, "left some activities out" in told.stderr) == (1, True)
    assert f"`athlete backfill --athlete {ATHLETE} --streams`" in told.stderr
    assert await connected.backfills() == [rest]
    await connected.request_backfill(replace(rest, failed_count=0, retry_at=None))
    assert (await run("--no-wait", "--streams", "--since", "2026-02-01T00:00Z")).exit_code == 0


async def test_what_was_left_out_is_tried_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the command that the doctor names nothing else is asked for; what asks for more keeps the wish for streams."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    store, now = SqliteRawStore(tmp_path / "pipeline.sqlite"), datetime.now(UTC)
    await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=now))
    asked = Backfill.requested(ATHLETE, now, has_streams=True, since=now - timedelta(days=90))
    later = now + timedelta(hours=8)
    ended = asked.changed(now, started_at=now, listed_at=now, finished_at=now, failed_count=3, retry_at=later)
    waits = asked.changed(now, started_at=now, failed_count=3, retry_at=later, waits_until=later, waits_because="Full.")

    async def again(row: Backfill, *options: str) -> Backfill:
        await store.request_backfill(row)
        told = await asyncio.to_thread(CliRunner().invoke, app, ["backfill", *options, "--no-wait"])
        assert told.exit_code == 0, told.output
        [found] = await store.backfills()
        return found

    for row in (ended, waits):
        for options in (command_for(row).split()[2:], ["--since", "30d"]):
            found = await again(row, *options)
            assert found.retry_at is not None
            assert now < found.retry_at < later
            tried = row.tried_at_once(found.retry_at)
            assert found == tried
            assert (found.started_at, found.waits_until) == (None, None)
    more = await again(ended)
    assert (more.since, more.has_streams, more.finished_at, more.requested_at > now) == (None, True, None, True)
    assert not (await again(replace(ended, failed_count=0, retry_at=None))).has_streams
    await store.close()


async def test_only_connected_athletes_have_a_history(run: Callable[..., Any], connected: SqliteRawStore) -> None:
    """Another id is refused with what to do."""
    told = await run("--athlete", "7")
    assert (told.exit_code, told.stderr) == (1, "athlete: Athlete 7 is not connected: run `athlete connect` first.\n")
    assert await connected.backfills() == []
    told = await run("--streams", "--no-details")
    assert told.stderr == "athlete: Streams are loaded after the details: leave out --no-details, or --streams.\n"


@pytest.mark.slow
async def test_the_worker_loads_what_is_asked_for(
    run: Callable[..., Any], connected: SqliteRawStore, environment: dict[str, str], tmp_path: Path
) -> None:
    """With the worker running the command ends when everything is there in detail."""
    port = free_port()
    worker = Program(
        name="worker",
        module="worker.main",
        environment={**environment, "WORKER_PORT": str(port), "PUSH_TOKEN": "a-word"},
        folder=tmp_path,
        health_url=f"http://127.0.0.1:{port}/health",
    )
    async with ProcessTree(tmp_path / "worker-logs") as tree:
        await tree.start([worker])
        told = await run("--streams")
    ids = await connected.activity_ids(ATHLETE)
    assert len(ids) > 40
    assert (
        told.stdout
        == f"Athlete {ATHLETE}: loaded {len(ids):,} activities, {len(ids):,} in detail, streams of {len(ids):,}.\n"
    )
    assert await connected.activity_ids(ATHLETE, resource_state=3) == ids
    assert (await run("--no-wait")).stdout == f"Athlete {ATHLETE}: asked for.\n"  # what is finished may be asked again


ASKED = Backfill.requested(ATHLETE, NOON - timedelta(seconds=2))
LISTING = replace(ASKED, started_at=NOON, listed_count=1200)
DETAILS = replace(LISTING, listed_at=NOON, listed_count=2115, expected_at=NOON + timedelta(hours=26, minutes=15))
FAILED = "5 activities could not be fetched; they are tried again within minutes."
WAITING = replace(DETAILS, waits_until=NOON + timedelta(minutes=15), waits_because="It is spent.")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (ASKED, "asked for."),
        (
            replace(ASKED, requested_at=NOON - timedelta(seconds=20)),
            "nobody has taken it up yet: start `athlete up` (on Google Cloud the sweep does within minutes).",
        ),
        (LISTING, "1,200 activities listed so far."),
        (DETAILS, "1,240 of 2,115 details, done Thursday about 14:15."),
        (
            WAITING,
            "1,240 of 2,115 details, done Thursday about 14:15. Waits until today about 12:15: It is spent.",
        ),
        (replace(WAITING, waits_until=NOON), "1,240 of 2,115 details, done Thursday about 14:15."),
        (replace(DETAILS, finished_at=NOON), "loaded 2,115 activities, 1,240 in detail."),
        (
            replace(DETAILS, finished_at=NOON, failed_count=5, retry_at=NOON),
            f"loaded 2,115 activities, 1,240 in detail. {FAILED}",
        ),
        (
            replace(DETAILS, expected_at=None, failed_count=1, retry_at=NOON + timedelta(hours=24)),
            "1,240 of 2,115 details. 1 activity could not be fetched; it is tried again Thursday about 12:00.",
        ),
        (replace(DETAILS, has_streams=True), "1,240 of 2,115 details and 310 streams, done Thursday about 14:15."),
        (
            replace(DETAILS, has_streams=True, finished_at=NOON),
            "loaded 2,115 activities, 1,240 in detail, streams of 310.",
        ),
    ],
)  # fmt: skip
def test_how_far_it_is_is_said_in_a_sentence(row: Backfill, said: str) -> None:
    """From the request to the end, with the day and the hour in the display time zone."""
    standing = Standing(backfill=row, activity_count=2115, detailed_count=1240, streamed_count=310)
    assert sentence(standing, NOON, BERLIN) == f"Athlete {ATHLETE}: {said}"
