"""`athlete doctor` finds each planted fault, and nothing else; it says the right fix, and changes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from typer.testing import CliRunner, Result

from athlete.doctor.context import Context
from athlete.doctor.events import check_waiting_events
from athlete.doctor.examination import CHECKS, OF_THE_STORE, Line, examine, opened
from athlete.doctor.findings import Finding, Status
from athlete.doctor.freshness import behind
from athlete.doctor.settings import check_settings
from athlete.main import app
from backends.warehouse import RawStore
from backends.warehouse.athletes import Athlete
from backends.warehouse.ledger import LedgerEntry, Outcome, take_up_parked
from runtime.clock import utc_now
from runtime.settings import Backend
from tests.athlete.doctor_faults import FAULTS, streams_come
from tests.athlete.healthy import ATHLETE, SECRET, VERIFY_TOKEN, Healthy, healthy, prepare, run
from tests.worker.histories import created
from tests.worker.simulated import APP

Y, R = Status.YELLOW, Status.RED


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a healthy pipeline has stored, and its simulator."""
    folder = tmp_path_factory.mktemp("prepared")
    asyncio.run(prepare(folder))
    return folder


@pytest.fixture
async def made(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Healthy]:
    """A healthy pipeline, whose `.env` is read from here on."""
    async with healthy(prepared, tmp_path) as it:
        monkeypatch.chdir(it.folder)
        yield it


async def look(made: Healthy, *, is_offline: bool = False) -> list[Line]:
    """Examine it."""
    async with opened(made.machine, is_offline=is_offline) as context:
        lines = await examine(context)
        assert context.strava.calls <= 3
    return lines


def turned(lines: list[Line]) -> dict[str, Status]:
    """Return the checks that are not green, each with its gravest word; every such line has a fix."""
    others = [line for line in lines if line.finding.status is not Status.GREEN]
    assert all(line.finding.fix.endswith(".") for line in others), others
    return {line.check: line.finding.status for line in sorted(others, key=lambda line: line.finding.status is R)}


async def test_a_healthy_pipeline_is_green_in_every_line(made: Healthy) -> None:
    """Each check has a line, and Strava was asked for the subscription and for one activity."""
    lines = await look(made)
    assert {line.check for line in lines} == CHECKS.keys()
    assert turned(lines) == {}
    assert made.simulated.used()[0] == 1


async def test_who_only_imported_needs_no_app_at_strava(made: Healthy) -> None:
    """What is missing for it is told, and is no fault, as long as nobody is connected."""
    made.set(STRAVA_CLIENT_ID="")
    async with opened(made.machine, is_offline=True) as context:
        [athlete] = await context.raw.athletes()
        for status, told in (("connected", R), ("archive_only", Y)):
            store = FakeAthletes([replace(athlete, status=status)])
            found = await check_settings(replace(context, store=cast("RawStore", store)))
            assert [(each.status, each.what) for each in found] == [(told, "STRAVA_CLIENT_ID is not set.")]


@dataclass(frozen=True)
class FakeAthletes:
    """A store that knows these athletes and nothing else."""

    known: list[Athlete]

    async def athletes(self) -> list[Athlete]:
        """Return them."""
        return self.known


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_turns_its_own_line_and_names_its_fix(made: Healthy, name: str) -> None:
    """No other line turns than those that the fault makes unknowable."""
    fault = FAULTS[name]
    await fault.plant(made)
    lines = await look(made)
    assert turned(lines) == fault.turns, [line for line in lines if line.finding.status is not Status.GREEN]
    gravest = R if R in fault.turns.values() else Y
    told = [line.finding for line in lines if line.finding.status is gravest]
    assert any(fault.fix in finding.fix for finding in told), told


async def test_what_fails_is_a_line_and_hides_nothing(made: Healthy) -> None:
    """A check that raises is red, and the next one is made."""

    async def broken(_: Context) -> list[Finding]:
        raise ZeroDivisionError("by chance")

    async with opened(made.machine, is_offline=True) as context:
        lines = await examine(context, {"broken": broken, "settings": CHECKS["settings"]})
    assert [(line.check, line.finding.status) for line in lines] == [("broken", R), ("settings", Status.GREEN)]
    assert "ZeroDivisionError: by chance" in lines[0].finding.what


async def test_a_look_changes_nothing(made: Healthy) -> None:
    """At rest offline no byte and no right changes; what asks Strava changes the budget's file alone."""
    made.stop()
    before = made.files()
    await look(made, is_offline=True)
    assert made.files() == before
    await look(made)
    changed = dict(made.files().items() ^ before.items()).keys()
    assert changed <= {"data/budget.json", "data/budget.json.probe.lock"}


async def test_with_a_spent_budget_nothing_is_asked_nor_noted(made: Healthy) -> None:
    """The token's line says until when, the budget's file keeps its bytes, and no refused call is counted in it."""
    made.stop()
    made.simulated.spend(100)
    await look(made)
    before = made.files()
    lines = await look(made)
    [token] = [line.finding for line in lines if line.check == "token"]
    assert (token.status, "Not asked: the budget is spent until 20" in token.what) == (Y, True), token
    assert made.files() == before


@pytest.mark.parametrize(("built_s_ago", "took_s", "status"), [(3, 1, "green"), (150, 200, "green"), (400, 1, "red")])
async def test_rows_that_come_for_hours_are_no_fault_of_the_transformer(
    made: Healthy, built_s_ago: float, took_s: float, status: str
) -> None:
    """Streams come all the time and neither ledger nor backfill tells; red is what two builds do not explain."""
    now = utc_now()
    await streams_come(made, hours_ago=1)
    began = now - timedelta(seconds=built_s_ago + took_s)
    async with made.store() as store:
        seen = run(await store.watermark())
        await store.put_run(replace(seen, started_at=began, finished_at=began + timedelta(seconds=took_s)))
    await streams_come(made, hours_ago=(built_s_ago + took_s - 0.5) / 3600)
    await streams_come(made, hours_ago=0)
    [line] = [line for line in await look(made) if line.check == "marts"]
    assert line.finding.status == status
    assert ("the next build adds what came in the last" in line.finding.what) == (status == "green")


async def test_on_google_cloud_marts_may_wait_for_the_interval_and_the_sweep(made: Healthy) -> None:
    """Together ten minutes as it is delivered; what waits for longer is told in the cloud's words."""
    now, build = utc_now(), timedelta(minutes=1)
    async with opened(made.machine, is_offline=True) as context:
        worker = context.settings.worker.model_copy(update={"backend": Backend.GCP})
        settings = replace(context.settings, worker=worker)
        cloud = replace(context, settings=settings, running="on Google Cloud", clock=lambda: now)
        late = behind(cloud, now - timedelta(minutes=15), build)
        assert behind(cloud, now - timedelta(minutes=13), build) is None
    assert late is not None
    assert (late.status, late.what.endswith("and the last build took 60 seconds.")) == (R, True), late.what
    assert late.fix.startswith("See how the executions of the job athlete-transform ended")


async def command(made: Healthy, *arguments: str) -> Result:
    """Run `athlete doctor` on it."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["doctor", *arguments], obj=made.machine)


async def test_a_backlog_that_was_taken_up_is_late_only_where_nobody_makes_calls(made: Healthy) -> None:
    """While `athlete up` runs, what was parked comes as calls can be made, which may take long."""
    async with made.store() as store:
        now = utc_now()
        await store.record([waiting(now - timedelta(hours=2))])
        assert await take_up_parked(store, ATHLETE, now - timedelta(hours=1)) == 1
    async with opened(made.machine, is_offline=True) as context:
        [running] = await check_waiting_events(replace(context, running="1"))
        [stopped] = await check_waiting_events(replace(context, running=None))
    assert running.status == Status.GREEN
    assert running.what.startswith("Deferred events: 1, which come as calls can be made: Strava can be asked")
    assert (stopped.status, stopped.what) == (Y, "Deferred events that are overdue: 1.")


def waiting(heard_at: datetime) -> LedgerEntry:
    """Return the row of an event that is parked."""
    return replace(created(7, heard_at, athlete_id=ATHLETE), outcome=Outcome.PARKED, reason="The tokens were rejected.")


async def test_a_program_reads_lines_of_stable_keys(made: Healthy) -> None:
    """Nothing runs, which is yellow, so the exit code is 0; what asks the network has no line."""
    made.stop()
    result = await command(made, "--offline", "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0, result.output
    assert {tuple(row) for row in rows} == {("check", "status", "what", "fix")}
    assert {row["check"] for row in rows} == CHECKS.keys() - {"subscription", "callback", "verify token"}
    assert {row["check"]: row["status"] for row in rows if row["status"] != "green"} == {"programs": "yellow"}


async def test_a_person_reads_words_and_the_count(made: Healthy) -> None:
    """A red line makes the exit code 1; where no terminal is there are no colours, and no secret is told."""
    made.set(DISPLAY_TIMEZONE="Mars/Base")
    result = await command(made)
    assert result.exit_code == 1, result.output
    [told] = [line for line in result.stdout.splitlines() if line.strip().startswith("settings")]
    assert told.split()[:3] == ["settings", "red", "DISPLAY_TIMEZONE"]
    assert result.stdout.splitlines()[-1].startswith("1 red, 0 yellow, ")
    assert "Calls that Strava answered: 2, and nothing was changed." in result.stdout
    assert not [word for word in ("\x1b", SECRET, VERIFY_TOKEN, APP["client_secret"]) if word in result.output]


async def test_before_the_first_start_nothing_is_made(made: Healthy) -> None:
    """The folder's line says how to begin, and what needs data has no line."""
    made.stop()
    made.set(DATA_DIR="not/yet")
    lines = await look(made)
    assert turned(lines) == {"data folder": Y, "programs": Y, "database": Y, "callback": Y, "subscription": Y}
    assert not {line.check for line in lines} & OF_THE_STORE
    assert not (made.folder / "not").exists()
