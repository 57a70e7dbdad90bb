"""`athlete athletes`: who is connected, what is missing, and whose token is broken."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from athlete.doctor.athletes import check_athletes, check_scopes, check_tokens
from athlete.doctor.context import Context
from athlete.doctor.findings import Status
from athlete.main import app
from backends.tokens import TokenSet
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.events import StravaEvent
from worker.athletes import note_rejected

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ALL = frozenset({"read", "activity:read_all", "profile:read_all"})
ANNA, BEN, CARO, DORA, EMIL, FINN = 101, 102, 103, 104, 105, 106


def entry(number: int, athlete_id: int, outcome: Outcome, reason: str = "") -> LedgerEntry:
    """What became of an event that many minutes after noon."""
    fields = {"object_type": "activity", "aspect_type": "create", "object_id": number, "owner_id": athlete_id}
    event = StravaEvent.from_json({**fields, "subscription_id": 1, "event_time": 1_777_888_999})
    moment = NOON + timedelta(minutes=number)
    return LedgerEntry(
        delivery_id=str(number),
        event_id=event.event_id,
        event=event,
        outcome=outcome,
        reason=reason,
        attempt=1,
        received_at=moment,
        finished_at=moment,
    )


async def connect(store: SqliteRawStore, athlete_id: int, scope: frozenset[str] = ALL, **fields: Any) -> None:
    """Write an athlete down as if connected at noon."""
    facts: dict[str, Any] = {"status": "connected", "updated_at": NOON} | fields
    await store.put_athlete(Athlete(athlete_id=athlete_id, scope=scope, **facts))


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Anna is well; Ben's token is rejected; of Caro no scope is known; Dora has no token; Emil left; Finn imports."""
    store, tokens = SqliteRawStore(tmp_path / "pipeline.sqlite"), FileTokenStore(tmp_path / "tokens.json")
    for athlete_id in (ANNA, BEN, CARO):
        kept = TokenSet(access_token="access-s3cret", refresh_token="refresh-s3cret", expires_at=NOON)
        await tokens.save(athlete_id, kept)
    await connect(store, ANNA)
    await connect(store, BEN, frozenset({"read", "activity:read"}))
    await note_rejected(store, BEN)
    await connect(store, CARO, frozenset(), updated_at=NOON + timedelta(hours=1))
    await connect(store, DORA)
    await connect(store, EMIL, status="revoked")
    await connect(store, FINN, frozenset(), status="archive_only")
    await store.record([entry(1, BEN, Outcome.STORED), entry(2, BEN, Outcome.PARKED), entry(4, ANNA, Outcome.STORED)])
    await store.close()
    return tmp_path


Run = Callable[..., str]


@pytest.fixture
def run(folder: Path) -> Run:
    """Runs the command and returns what it printed."""

    def command(*arguments: str, data_dir: Path = folder) -> str:
        result = CliRunner().invoke(app, ["athletes", *arguments], env={"DATA_DIR": str(data_dir)})
        assert result.exit_code == 0, result.output
        return result.stdout

    return command


def test_every_column_as_json(run: Run) -> None:
    """One object an athlete: status, scopes, what is missing, the last event, and the token's state, not the token."""
    printed = run("--json")
    assert "s3cret" not in printed
    rows = {row["athlete_id"]: row for row in map(json.loads, printed.splitlines())}
    assert rows[ANNA] == {
        "athlete_id": ANNA,
        "status": "connected",
        "scope": sorted(ALL),
        "missing": [],
        "last_event_at": "2026-05-04T12:04:00.000000Z",
        "token": "good",
        "token_expires_at": "2026-05-04T12:00:00.000000Z",
        "updated_at": "2026-05-04T12:00:00.000000Z",
        "status_since": "2026-05-04T12:00:00.000000Z",
        "status_reason": None,
    }
    assert {key: row["token"] for key, row in rows.items()} == {
        ANNA: "good", BEN: "rejected", CARO: "good", DORA: "missing", EMIL: "removed", FINN: "none needed",
    }  # fmt: skip
    assert rows[BEN]["missing"] == ["activity:read_all", "profile:read_all"]
    assert (rows[BEN]["status"], "`athlete connect`" in rows[BEN]["status_reason"]) == ("token_rejected", True)
    assert (rows[CARO]["missing"], rows[DORA]["last_event_at"]) == (None, None)


def test_a_person_reads_what_to_do(run: Run) -> None:
    """A broken token is told with the command that repairs it; one that ended is renewed by itself."""
    lines = {line.split()[0]: line for line in run().splitlines() if line.strip()}
    assert "good; renewed at its next use" in lines[str(ANNA)]
    assert "activity:read_all, profile:read_all" in lines[str(BEN)]
    assert "rejected; connect again: athlete connect" in lines[str(BEN)]
    assert "not told by Strava" in lines[str(CARO)]
    assert "missing; connect again: athlete connect" in lines[str(DORA)]
    assert ["revoked" in lines[str(EMIL)], "removed" in lines[str(EMIL)]] == [True, True]
    assert ["archive_only" in lines[str(FINN)], "none needed" in lines[str(FINN)]] == [True, True]
    assert "not told" not in lines[str(FINN)]


def test_nobody_yet(run: Run, tmp_path: Path) -> None:
    """It says how the first athlete connects; a program gets no line."""
    empty = tmp_path / "empty"
    asyncio.run(SqliteRawStore(empty / "pipeline.sqlite").close())
    assert "`athlete connect` connects one" in run(data_dir=empty)
    assert run("--json", data_dir=empty) == ""


async def test_the_doctor_misses_nothing_of_imports_alone(tmp_path: Path) -> None:
    """Neither a connection nor tokens nor scopes are due of who imported own files."""
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    context = cast("Context", SimpleNamespace(raw=store))
    await connect(store, FINN, frozenset(), status="archive_only")
    [found] = await check_athletes(context)
    assert (found.status, str(FINN) in found.what) == (Status.GREEN, True)
    assert (await check_tokens(context), await check_scopes(context)) == ([], [])
    await store.close()
