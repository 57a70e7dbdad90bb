"""`athlete budget` from outside."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from athlete.main import app
from backends.budget.file import FileBudgetStore
from backends.queue.embedded import EmbeddedQueue
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.errors import AppRejected
from strava.events import StravaEvent

Run = Callable[..., Result]
INACTIVE = {"errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}
USED = {
    "Date": "Fri, 01 May 2026 12:05:00 GMT",  # the midst of a quarter hour
    "X-RateLimit-Limit": "200,2000",
    "X-RateLimit-Usage": "80,160",
    "X-ReadRateLimit-Limit": "100,1000",
    "X-ReadRateLimit-Usage": "80,160",
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command on a data folder of its own."""

    def _run(*arguments: str, **environment: str) -> Result:
        settings = {"DATA_DIR": str(tmp_path / "data"), "COLUMNS": "200", **environment}
        return CliRunner().invoke(app, ("budget", *arguments), env=settings)

    return _run


@pytest.fixture
def answer(tmp_path: Path) -> Callable[..., None]:
    """Have a program make a call in a lane, which Strava answers so."""

    async def call(answered: httpx.Response, lane: Lane) -> None:
        budget = RateBudget(FileBudgetStore(tmp_path / "data" / "budget.json"))
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answered)) as http:
            try:
                await http.get("https://strava.test", auth=budget.auth(lane, None))
            except Exception as error:  # noqa: BLE001 - its being refused is what is shown
                assert "lane" in str(error)  # noqa: PT017 - as above

    def make(status: int = 200, headers: Any = None, body: Any = None, lane: Lane = Lane.LIVE) -> None:
        asyncio.run(call(httpx.Response(status, headers=headers, json=body or {}), lane))

    return make


def test_nothing_is_known_yet(run: Run, tmp_path: Path) -> None:
    """The command says so, and makes no folder."""
    told = run()
    assert (told.exit_code, told.output) == (
        0,
        "Nothing is known of Strava's limits yet: the first answer from Strava tells them.\n",
    )
    assert not (tmp_path / "data").exists()


def test_each_limit_has_a_line(run: Run, answer: Callable[..., None]) -> None:
    """Used, limit, left and, lane by lane, what may still be used; streams wait and are counted."""
    answer(headers=USED)
    answer(headers=USED, lane=Lane.STREAMS)
    lines = run().output.splitlines()
    [reads] = [line.split() for line in lines if "reads of this quarter hour" in line]
    assert (reads[:3], reads[-4:]) == (["reads", "of", "this"], ["20", "10", "0", "0"])
    assert reads[5:8] == ["80", "100", "20"]
    assert "Calls that had to wait in this quarter hour, by lane: streams 1." in lines


def test_resets_are_shown_in_the_display_s_zone_and_in_utc(run: Run, answer: Callable[..., None]) -> None:
    """Midnight UTC is a quarter to six in Nepal."""
    answer(headers=USED)
    [day] = [line for line in run(DISPLAY_TIMEZONE="Asia/Kathmandu").output.splitlines() if "calls of this UTC" in line]
    assert "05:45 Asia/Kathmandu" in day
    assert " 00:00 " in day


def test_a_lapse_is_told_with_its_end_and_the_way_out(run: Run, answer: Callable[..., None]) -> None:
    """Also as JSON."""
    answer(403, body=INACTIVE)
    assert "No call is made until" in run().output
    assert "Renew it at https://www.strava.com/account" in run().output
    closed = json.loads(run("--json").output)["closed"]
    assert closed.keys() == {"until", "reason", "for_all"}
    assert closed["for_all"] is True


def test_rejected_credentials_are_told_as_one_program_s(run: Run, tmp_path: Path) -> None:
    """A program that may be gone had the wrong secret: that closes Strava to nobody else."""
    budget = RateBudget(FileBudgetStore(tmp_path / "data" / "budget.json"))
    asyncio.run(budget.close(AppRejected()))
    said = run().output
    assert "One program makes no call, and others do, until" in said
    assert "No call is made" not in said
    assert json.loads(run("--json").output)["closed"]["for_all"] is False


def test_settings_move_the_lanes(run: Run, answer: Callable[..., None]) -> None:
    """With a share of 90 % details have ten calls left of a hundred, eighty of them used."""
    answer(headers=USED)
    told = json.loads(run("--json", BUDGET_SHARE_DETAIL="0.9").output)
    lanes = {window["name"]: window["lanes"] for window in told["windows"]}
    assert lanes["read_quarter"] == {"live": 20, "reconcile": 10, "detail": 10, "streams": 0}
    assert run("--json", BUDGET_SHARE_DETAIL="1.5").exit_code == 1


def test_events_that_wait_in_the_queue_are_told(run: Run, tmp_path: Path) -> None:
    """With how many there are."""

    async def publish() -> None:
        queue = EmbeddedQueue(tmp_path / "data" / "pipeline.sqlite")
        await queue.publish(b"{}", {})
        await queue.close()

    asyncio.run(publish())
    assert "Events that wait in the queue: 1, the oldest for 0 min." in run().output
    assert json.loads(run("--json").output)["queue"]["waiting"] == 1


def test_events_that_wait_off_the_queue_are_told(run: Run, tmp_path: Path) -> None:
    """With how many there are, why, and when the first is tried again."""

    async def defer() -> None:
        store = SqliteRawStore(tmp_path / "data" / "pipeline.sqlite")
        await store.record([deferred(7, minute=30), deferred(8, minute=10)])
        await store.close()

    asyncio.run(defer())
    said = (
        "Events that wait off the queue: 2 (The day is spent); the first is tried again from Sun 01:10 Europe/Berlin."
    )
    assert said in run().output.splitlines()
    [first, _] = json.loads(run("--json").output)["deferred"]
    assert (first["retry_at"], first["reason"]) == ("2026-03-01T00:10:00.000000Z", "The day is spent.")


def deferred(activity_id: int, *, minute: int) -> LedgerEntry:
    """Make the row of an event that is tried again after midnight."""
    noon = datetime(2026, 2, 28, 12, tzinfo=UTC)
    event = StravaEvent(
        object_type="activity",
        aspect_type="create",
        object_id=activity_id,
        owner_id=1,
        subscription_id=1,
        event_time=noon,
        updates={},
    )
    return LedgerEntry(
        delivery_id=f"{activity_id}",
        event_id=event.event_id,
        event=event,
        outcome=Outcome.DEFERRED,
        reason="The day is spent.",
        attempt=1,
        received_at=noon,
        finished_at=noon,
        retry_at=datetime(2026, 3, 1, 0, minute, tzinfo=UTC),
    )
