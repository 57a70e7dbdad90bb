"""How a daily run ends: one athlete does not stop another, the gravest end decides, and one runs at a time."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from structlog.testing import capture_logs

from athlete.daily import sentences
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete, AthleteStatus
from backends.warehouse.ledger import LedgerEntry, LedgerFilter, Outcome
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.runs import TransformRun
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.data_dir import make_private
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.client import StravaClient
from strava.errors import NotConnected, RateLimited, StravaError
from strava.oauth import OAuthApp, StravaAuth
from strava.payload import ActivityPage, ActivityPayload
from tests.contracts.test_own_files import an_import, gone, item, listed, of_row, recorded
from tests.worker.conftest import ATHLETE
from worker.daily import AlreadyRunning, Rejections, alone, check_each, follow_up, run_daily, start_transform
from worker.daily_report import Checked, DailyReport, ExitCode
from worker.dbt_runner.settings import TransformSettings
from worker.dbt_runner.transformer import Transformed
from worker.findings import ReconcilePolicy
from worker.importing.home import note_home
from worker.importing.kept_files import KeptFiles
from worker.settings import WorkerSettings

ANNA, BEN, CARL = 1, 2, 3
NOW = datetime(2026, 5, 1, 7, tzinfo=UTC)


class Empty:
    """An athlete without activities, or one of whom Strava tells nothing."""

    def __init__(self, error: StravaError | None = None) -> None:
        self._error = error

    async def activities(self) -> AsyncIterator[ActivityPage]:
        if self._error is not None:
            raise self._error
        nothing: tuple[ActivityPage, ...] = ()
        for page in nothing:
            yield page

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        raise AssertionError(activity_id)


def judged(verdict: Verdict, **fields: Any) -> Checked:
    """An athlete with this verdict."""
    counts = dict.fromkeys(("missing", "extra", "changed", "repaired", "unreadable"), 0) | fields
    row = Reconciliation(
        reconciliation_id="r",
        athlete_id=ANNA,
        strava_count=9,
        warehouse_count=9,
        verdict=verdict,
        reason=None,
        retry_at=None,
        started_at=NOW,
        finished_at=NOW,
        **counts,
    )
    return Checked(athlete_id=ANNA, reconciliation=row)


def transformed(error: str | None = None) -> Transformed:
    """A build that was published, or failed."""
    published_at = NOW if error is None else None
    run = TransformRun(
        run_id="t",
        watermark="",
        started_at=NOW,
        finished_at=NOW,
        published_at=published_at,
        is_full_refresh=False,
        error=error,
    )
    return Transformed(run=run, nodes=())


async def test_one_athletes_failure_stops_no_other(store: SqliteRawStore) -> None:
    """A dead token, a spent limit and a fault of ours: each is told, and those after are checked."""
    sources = {ANNA: Empty(NotConnected(ANNA)), BEN: Empty(RateLimited(60)), CARL: Empty()}

    def client_of(athlete_id: int, lane: Lane) -> Empty:
        return sources[athlete_id]  # KeyError is a fault of ours

    with capture_logs() as logs:
        checked = await check_each([99, ANNA, BEN, CARL], store, client_of, ReconcilePolicy())
    verdicts = [Verdict.CUT_SHORT, Verdict.CUT_SHORT, Verdict.CUT_SHORT, Verdict.COMPLETE]
    assert [each.verdict for each in checked] == verdicts
    assert checked[0].error == "A fault of this program; its log tells more."
    assert [log["athlete_id"] for log in logs if log["event"] == "reconcile.fault"] == [99]


class One(Empty):
    """An athlete with one activity, on the other side of the world."""

    async def activities(self) -> AsyncIterator[ActivityPage]:
        yield ActivityPage([await self.activity(5)])

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        told = {"start_date": "2026-04-30T06:00:00Z", "timezone": "(GMT+09:00) Asia/Tokyo", "utc_offset": 32400.0}
        return ActivityPayload.from_json({"id": activity_id, "athlete": {"id": ANNA}, "resource_state": 3, **told})


async def test_a_zone_that_was_taken_is_taken_again(store: SqliteRawStore) -> None:
    """What the API brought since is nearer in time to a recording of one's own than what told its zone before."""
    await store.put_import(an_import(athlete_id=ANNA))
    await store.put_files([recorded(start_at=NOW, athlete_id=ANNA)], [])
    await note_home(store, await store.match_facts(ANNA), ZoneInfo("America/Lima"))

    async def checked(source: Empty) -> tuple[str | None, str]:
        await check_each([ANNA], store, lambda *_: source, ReconcilePolicy())
        [own] = [each for each in await store.match_facts(ANNA) if each.file_id]
        [changed] = [part for part in (await store.watermark()).split() if part.startswith("activity_files")]
        return own.timezone, changed

    before = await checked(Empty())
    assert before[0] == "(GMT-05:00) America/Lima"
    assert await checked(Empty()) == before
    after = await checked(One())
    assert after[0] == "(GMT+09:00) Asia/Tokyo"
    assert await checked(One()) == after  # and is not written once more


class Mortal:
    """Strava, which lists one activity more than is stored; its details are shown, or the tokens die with them."""

    def __init__(self, *, dies: bool) -> None:
        self.dies = dies

    def __call__(self, request: httpx.Request) -> httpx.Response:
        activity = {"id": 101, "athlete": {"id": ATHLETE}, "resource_state": 2}
        match request.url.path.rpartition("/")[2]:
            case "activities":
                return httpx.Response(200, json=[activity] if request.url.params["page"] == "1" else [])
            case "101" if not self.dies:
                return httpx.Response(200, json={**activity, "resource_state": 3})
            case "athlete" if not self.dies:
                return httpx.Response(200, json={"id": ATHLETE})
            case "zones" | "stats":
                return httpx.Response(200, json={})
            case "token":
                return httpx.Response(400, json={"errors": [{"resource": "RefreshToken", "code": "invalid"}]})
        return httpx.Response(401, json={"errors": [{"resource": "Athlete", "code": "invalid"}]})


@pytest.mark.parametrize("before", [AthleteStatus.CONNECTED, AthleteStatus.TOKEN_REJECTED])
@pytest.mark.parametrize("dies", [True, False])
async def test_tokens_that_live_to_the_end_of_the_run_are_accepted(
    store: SqliteRawStore,
    tokens: FileTokenStore,
    clock: Any,
    make_event: Callable[..., Any],
    *,
    before: AthleteStatus,
    dies: bool,
) -> None:
    """Then what was parked for them is taken up as after a connect; tokens that died after the list stay rejected."""
    heard = make_event(7)
    row = LedgerEntry(delivery_id="d", event_id=heard.event_id, event=heard.event, outcome=Outcome.PARKED, reason="",
                      attempt=1, received_at=heard.received_at, finished_at=clock())  # fmt: skip
    await store.record([row])
    await store.change_status(before, before=[AthleteStatus.CONNECTED], athlete_id=ATHLETE)
    rejected, budget = Rejections(store), RateBudget(clock=clock, steady=clock.steady_s)
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(Mortal(dies=dies)), base_url="http://strava.test"
    ) as http:
        app = OAuthApp(http, client_id=1, client_secret="fake", oauth_url="/oauth")
        auth = StravaAuth(ATHLETE, tokens, app, on_rejected=rejected)

        def client_of(_: int, lane: Lane) -> StravaClient:
            return StravaClient(http, auth, api_url="/api/v3", budget=budget, lane=lane, clock=clock)

        checked = await check_each([ATHLETE], store, client_of, ReconcilePolicy(), clock=clock)
        with capture_logs() as logs:
            await follow_up(checked, store, client_of, rejected, clock=clock)
    assert checked[0].verdict is Verdict.COMPLETE
    [athlete] = await store.athletes()
    assert athlete.status == ("token_rejected" if dies else "connected")
    is_healed = before != "connected" and not dies
    assert [line["taken_up"] for line in logs if line["event"] == "athlete.token_accepted"] == [1] * is_healed
    waiting = [each.event_id for each in await store.deferred_events(due_by=clock(), how_many=9)]
    assert waiting == [heard.event_id] * is_healed
    assert len(await store.parked_events(ATHLETE)) == (not is_healed)


@pytest.mark.parametrize(
    ("verdicts", "error", "stale", "code"),
    [
        ([Verdict.COMPLETE], None, [], ExitCode.COMPLETE),
        ([], None, [], ExitCode.COMPLETE),
        ([Verdict.COMPLETE, Verdict.INCOMPLETE], None, [], ExitCode.DIFFERENT),
        ([Verdict.INCOMPLETE], None, ["reconciliations"], ExitCode.TRANSFORM_FAILED),
        ([Verdict.INCOMPLETE, Verdict.CUT_SHORT], None, ["reconciliations"], ExitCode.UNCHECKED),
        ([Verdict.CUT_SHORT], "a test failed", [], ExitCode.TRANSFORM_FAILED),
        ([Verdict.CUT_SHORT, Verdict.GUARDED], "a test failed", [], ExitCode.GUARDED),
    ],
)
def test_the_gravest_end_decides(verdicts: list[Verdict], error: str | None, stale: list[str], code: ExitCode) -> None:
    """One code for all athletes and dbt together."""
    report = DailyReport(
        checked=[judged(each) for each in verdicts],
        transformed=transformed(error),
        transform_error=error,
        stale=stale,
    )
    assert report.exit_code is code


def test_the_summary_is_made_of_numbers() -> None:
    """What an alert reads: verdicts by kind and differences over all athletes."""
    checked = [judged(Verdict.COMPLETE, missing=2, repaired=2), judged(Verdict.INCOMPLETE, extra=1)]
    assert DailyReport(checked=[*checked, Checked(athlete_id=9, error="x")], transformed=transformed()).facts() == {
        "exit_code": 4,
        "athletes": 3,
        "complete": 1,
        "incomplete": 1,
        "guarded": 0,
        "cut_short": 1,
        "missing": 2,
        "extra": 1,
        "changed": 0,
        "repaired": 2,
        "is_published": True,
        "stale": [],
        "pruned": 0,
    }


async def test_the_second_of_two_leaves(tmp_path: Path) -> None:
    """It says which process is at work, and does nothing; once that has ended, the next may run."""
    settings, transforms = WorkerSettings(data_dir=tmp_path), TransformSettings(data_dir=tmp_path)
    with alone(tmp_path / "daily.lock"), pytest.raises(AlreadyRunning, match=r"process \d+"):
        await run_daily(settings, transforms)
    assert not settings.pipeline_path.exists()
    report = await run_daily(settings, transforms)
    assert (report.checked, report.exit_code) == ((), ExitCode.COMPLETE)
    make_private(tmp_path)
    assert {path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077} == set()


async def test_old_rows_of_settled_events_leave_the_ledger(tmp_path: Path, make_event: Callable[..., Any]) -> None:
    """The report says how many rows went, and where the ledger could not be written; neither is a failed run."""
    store = SqliteRawStore(tmp_path / "pipeline.sqlite", clock=lambda: datetime.now(UTC) - timedelta(days=41))
    for activity_id, outcome in ((1, Outcome.STORED), (2, Outcome.PARKED), (3, Outcome.STORED)):
        heard = make_event(activity_id)
        row = LedgerEntry(
            delivery_id=heard.event_id,
            event_id=heard.event_id,
            event=heard.event,
            outcome=outcome,
            reason="",
            attempt=1,
            received_at=heard.received_at,
            finished_at=heard.received_at + timedelta(seconds=activity_id),
        )
        await store.record([replace(row, event=replace(heard.event, event_time=NOW + timedelta(seconds=activity_id)))])
    transforms = TransformSettings(data_dir=tmp_path)
    for ledger_days, pruned in ((42, 0), (40, 1), (40, 0)):
        report = await run_daily(WorkerSettings(data_dir=tmp_path, ledger_days=ledger_days), transforms)
        assert (report.pruned, report.exit_code) == (pruned, ExitCode.COMPLETE)
    kept = [entry.event.object_id for entry in await store.recent(LedgerFilter(), limit=9) if entry.event]
    assert kept == [3, 2]
    await store.close()
    told = [next(sentences(DailyReport(checked=[], pruned=pruned), ZoneInfo("UTC"))) for pruned in (None, 1_204)]
    assert "could not be written" in told[0]
    assert told[1] == "Rows of settled events removed from the ledger, older than LEDGER_DAYS: 1,204."


async def test_copies_of_deleted_recordings_go(tmp_path: Path) -> None:
    """Those of recordings that are stored stay, and so does what was kept just now: its row may be about to come."""
    settings, copies = WorkerSettings(data_dir=tmp_path), KeptFiles(tmp_path / "files")
    store = SqliteRawStore(settings.pipeline_path)
    await store.put_import(an_import())
    await store.put_archive_rows([listed()], "i1")
    await store.put_files([of_row("aa"), recorded("bb")], [item()])
    for sha256 in ("aa", "bb", "cc"):
        copies.keep(sha256, b"recorded")
    for sha256 in ("aa", "bb"):
        os.utime(copies.path(sha256), (0, 0))
    await run_daily(settings, None)
    assert set(copies.paths().values()) == {"aa", "bb", "cc"}
    await store.apply([gone()])
    await run_daily(settings, None)
    assert set(copies.paths().values()) == {"bb", "cc"}
    copies.keep("bb", b"recorded")
    assert copies.path("bb").stat().st_mtime > 0
    await store.close()


async def test_a_job_that_is_not_started_is_told_with_its_reason(tmp_path: Path) -> None:
    """A person at the terminal sees no log."""
    cloud = {"backend": "gcp", "google_cloud_project": "p", "data_dir": tmp_path}
    report = await start_transform(TransformSettings.model_validate(cloud), [], lambda *_: None)
    assert report.transform_error == "GOOGLE_CLOUD_REGION is empty, so no program starts a job."
    assert report.exit_code is ExitCode.TRANSFORM_FAILED


async def test_an_athlete_who_is_not_connected_cannot_be_checked(tmp_path: Path) -> None:
    """The command says so; nobody else is checked instead. Who imported own files alone is not asked for either."""
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    await store.put_athlete(Athlete(athlete_id=5, scope=frozenset(), status="archive_only", updated_at=NOW))
    await store.close()
    with pytest.raises(NotConnected):
        await run_daily(WorkerSettings(data_dir=tmp_path), TransformSettings(data_dir=tmp_path), athlete_id=5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "code", "said"), [({}, 0, "daily.finished"), ({"RECONCILE_LOOKS": "-1"}, 2, "RECONCILE_LOOKS")]
)
def test_the_program_ends_by_itself(tmp_path: Path, settings: dict[str, str], code: int, said: str) -> None:
    """Without anybody connected there is nothing to do; with a wrong setting it cannot begin, and says which."""
    command = (sys.executable, "-m", "worker.daily")
    environment = os.environ | {"DATA_DIR": str(tmp_path / "data"), "LOG_FORMAT": "json"} | settings
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr.splitlines()[-1]
