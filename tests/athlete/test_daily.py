"""`athlete daily` as a person runs it, against a Strava simulator: from the list to the mart that the page reads."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from athlete.daily import sentences, verdict_sentence
from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.sqlite.store import SqliteRawStore
from tests.athlete.simulated import connect, run_command, settings_for
from tests.parsed_project import give_built
from tests.serving import serving, simulator_app
from worker.daily import alone
from worker.daily_report import Checked, DailyReport

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
async def strava(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a running simulator with five weeks of history, whose athlete has connected."""
    with serving(lambda: simulator_app(years=0.1, read_limit="10000,100000")) as url:
        await connect(url, tmp_path)
        yield url


async def daily(url: str, folder: Path, *arguments: str) -> tuple[int | None, str, str]:
    """Run the command; return its exit code and what it wrote to both streams."""
    return await run_command(url, folder, "daily", *arguments)


def health(folder: Path) -> dict[str, Any]:
    """What the Pipeline page reads."""
    reader = DuckdbMartReader(folder / "mart.duckdb")
    try:
        [row] = reader.rows("select * from mart.pipeline_health")
    finally:
        reader.close()
    return row


@pytest.mark.slow
async def test_from_the_list_to_the_page(strava: str, tmp_path: Path, built_project: Path) -> None:
    """A first check stores all; the next job finds a silent edit and a lost delete, and the page has its verdict."""
    give_built(built_project, tmp_path)
    command = (sys.executable, "-m", "worker.daily", "--check-only")
    check = await asyncio.create_subprocess_exec(*command, env=os.environ | settings_for(strava, tmp_path))
    assert await check.wait() == 0
    assert not (tmp_path / "mart.duckdb").exists()
    async with httpx.AsyncClient(base_url=strava) as http:
        first, second, *others = (await http.get("/simulator/activities", params={"fields": "id"})).json()
        await http.patch(f"/simulator/activities/{first['id']}", json={"gear_id": "b12345678987654321"})
        await http.delete(f"/simulator/activities/{second['id']}")
    code, said, errors = await daily(strava, tmp_path, "--json")
    facts = json.loads(said)
    assert (code, facts["exit_code"], facts["complete"], facts["is_published"]) == (0, 0, 1, True), errors
    [told] = facts["checked"]
    assert told["reconciliation"]["verdict"] == "complete"
    left = 1 + len(others)
    row = health(tmp_path)
    assert (row["reconcile_verdict"], row["reconcile_strava_count"], row["activity_count"]) == ("complete", left, left)
    assert (row["extra_count"], row["changed_count"], row["repaired_count"]) == (1, 1, 2)


async def test_two_at_once(tmp_path: Path) -> None:
    """The second says so and leaves with a code of its own."""
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    await store.close()
    with alone(tmp_path / "daily.lock"):
        code, said, errors = await daily("http://127.0.0.1:9", tmp_path)
    assert (code, said) == (7, "")
    assert f"A daily job is running already (process {os.getpid()})" in errors


async def test_a_folder_without_a_pipeline(tmp_path: Path) -> None:
    """Nothing can be checked: one sentence, and the code of what could not run."""
    code, _, errors = await daily("http://127.0.0.1:9", tmp_path)
    assert (code, len(errors.splitlines())) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "complete. Strava 1,482 = warehouse 1,482: 1 missing, 0 extra, 0 changed, 1 repaired."),
        (
            {"file_only": 37, "missing": 0, "repaired": 0},
            (
                "complete. Strava 1,482 = warehouse 1,482, + 37 from files only: 0 missing, 0 extra, 0 changed, "
                "0 repaired."
            ),
        ),
        (
            {"verdict": Verdict.GUARDED, "warehouse_count": 1600, "reason": "Many are gone."},
            (
                "waits for your word. Strava 1,482 ≠ warehouse 1,600: 1 missing, 0 extra, 0 changed, 1 repaired. "
                "Many are gone."
            ),
        ),
        (
            {"verdict": Verdict.INCOMPLETE, "repaired": 0},
            "incomplete. Strava 1,482 and warehouse 1,482 differ: 1 missing, 0 extra, 0 changed, 0 repaired.",
        ),
        ({"verdict": Verdict.CUT_SHORT, "reason": "The app lapsed."}, "not checked. The app lapsed."),
    ],
)
def test_a_verdict_in_words(fields: dict[str, Any], sentence: str) -> None:
    """Counts and differences, or why there are none; and until when it waits, where that is known."""
    now = datetime.now(UTC)
    row: dict[str, Any] = {
        "reconciliation_id": "r", "athlete_id": 1, "strava_count": 1482, "warehouse_count": 1482, "missing": 1,
        "extra": 0, "changed": 0, "repaired": 1, "unreadable": 0, "verdict": Verdict.COMPLETE, "reason": None,
        "retry_at": None, "started_at": now, "finished_at": now,
    } | fields  # fmt: skip
    file_only = row.pop("file_only", 0)
    assert verdict_sentence(Reconciliation(**row), BERLIN, file_only) == sentence
    later = Reconciliation(**row | {"retry_at": now + timedelta(days=30)})
    assert verdict_sentence(later, BERLIN, file_only).startswith(f"{sentence} It can go on ")


@pytest.mark.parametrize(
    ("ended", "sentences_of_dbt"),
    [
        ({}, ["The marts are published, and all of dbt's tests passed."]),
        ({"transform_error": "No space."}, ["The marts were not built. No space."]),
        (
            {"stale": ["strava_events", "reconciliations"]},
            [
                "The marts are published, and all of dbt's tests passed.",
                "Sources that are too old: strava_events; reconciliations.",
            ],
        ),
    ],
)
def test_a_report_in_words(ended: dict[str, Any], sentences_of_dbt: list[str]) -> None:
    """A line an athlete, with what else could not be read, and then what became of the marts."""
    checked = [Checked(athlete_id=7, error="Its token is spent.", notes=["The zones could not be read."])]
    assert list(sentences(DailyReport(checked=checked, **ended), BERLIN)) == [
        "Athlete 7: Its token is spent.",
        "Athlete 7: The zones could not be read.",
        *sentences_of_dbt,
    ]
