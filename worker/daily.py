"""The daily job: reconciles every athlete, prunes the ledger, then builds and tests the marts, and ends by itself.

With `--check-only` it leaves the marts to the transformer that runs anyway, which publishes the verdicts. On Google
Cloud a job of their own builds them, which it starts.
Its exit code and the log line `daily.finished` tell an alert what a person must know: see `worker.daily_report`.
"""

import asyncio
import os
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog
from filelock import FileLock, Timeout

from backends.engine import is_on_gcp
from backends.engine.pipeline import (
    open_budget,
    open_queue_monitor,
    open_shared_marks,
    open_tokens,
    opened_store,
    prepare_store,
)
from backends.jobs import JobNotStarted
from backends.marks.lease import LeaseHeld, LeasePolicy, leased
from backends.warehouse import RawStore, WarehouseBusy
from backends.warehouse.athletes import WITHOUT_ACCESS, AthleteStore
from backends.warehouse.own_files import OwnFiles
from backends.warehouse.reconciliations import Verdict
from runtime.clock import steady_s, utc_now
from runtime.data_dir import make_private
from runtime.http_client import client_for
from strava.budget_state import Lane
from strava.errors import NotConnected
from worker.athletes import KnownEvents, note_accepted, note_rejected
from worker.daily_report import Checked, DailyReport, ExitCode
from worker.dbt_runner.settings import TransformSettings
from worker.findings import Progress, ReconcilePolicy
from worker.history import HistoryStore, load_what_is_left
from worker.importing.home import note_home
from worker.importing.kept_files import KeptFiles, remove_gone
from worker.job import JobEnd, run_job, unless_stopped
from worker.pipeline_reading import ReadingKeeper
from worker.profile import GEAR_IS_OLD_AFTER, KnownProfiles, ProfileSource, refresh_profile
from worker.reconcile import ReconcileSource, ReconcileStore, reconcile
from worker.retention import age_before_expiry, expire
from worker.settings import WorkerSettings
from worker.strava_clients import StravaClients
from worker.transform_start import open_transform_start

STRAVA_TIMEOUT_S = 30.0
_FAULT = "A fault of this program; its log tells more."

OnProgress = Callable[[str, Progress | None], None]  # whose turn it is, and how far that is
ClientOf = Callable[[int, Lane], ReconcileSource]

log = structlog.get_logger(__name__)


class DailyStore(ReconcileStore, HistoryStore, OwnFiles, Protocol):
    """The part of `raw` that checking athletes needs."""


class FollowUpStore(KnownProfiles, KnownEvents, Protocol):
    """The part of `raw` that what follows a check needs."""


class AlreadyRunning(Exception):
    """Another daily job runs on the folder."""


async def run_daily(
    settings: WorkerSettings,
    transforms: TransformSettings | None,
    *,
    athlete_id: int | None = None,
    is_confirmed: bool = False,
    on_progress: OnProgress = lambda *_: None,
) -> DailyReport:
    """Check one athlete or all, prune, then build and test the marts unless there are no settings for it.

    Raises AlreadyRunning, NotConnected, WarehouseBusy.
    """
    began_s = steady_s()
    policy = ReconcilePolicy(
        guard_share=settings.reconcile_guard_share,
        looks=settings.reconcile_looks,
        is_confirmed=is_confirmed,
        spares_archived=settings.spares_archived,
    )
    async with _alone(settings):
        log.info("daily.started")
        async with opened_store(settings) as store:
            checked = await _check_all(store, settings, policy, athlete_id, on_progress)
            pruned = await _prune(store, settings.ledger_days)
            await _remove_copies(store, settings)
        report = DailyReport(checked=tuple(checked))
        if checked and transforms is not None:
            bring_up_to_date = start_transform if is_on_gcp(settings) else _transform
            report = await bring_up_to_date(transforms, checked, on_progress)
        report = replace(report, pruned=pruned)
    tell = log.info if report.exit_code is ExitCode.COMPLETE else log.error
    tell("daily.finished", **report.facts(), duration_ms=round((steady_s() - began_s) * 1000))
    return report


@asynccontextmanager
async def _alone(settings: WorkerSettings) -> AsyncIterator[None]:
    """Hold the right to run, among the processes of this machine or the programs on Google Cloud.

    Raises AlreadyRunning, OSError, WarehouseBusy.
    """
    if not is_on_gcp(settings):
        with alone(settings.data_dir / "daily.lock"):
            yield
        return
    await prepare_store(settings)  # the right is kept in it
    async with AsyncExitStack() as held:
        try:
            await held.enter_async_context(leased(open_shared_marks(settings), "daily", LeasePolicy()))
        except LeaseHeld as error:
            raise AlreadyRunning("A daily job is running already somewhere else; this one did nothing.") from error
        yield


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock, which the kernel releases when this process ends. Raises AlreadyRunning, OSError."""
    make_private(path.parent)
    try:
        lock = FileLock(path, fallback_to_soft=False).acquire(timeout=0)
    except Timeout as error:
        holder = path.read_text(encoding="utf-8").strip() or "unknown"
        raise AlreadyRunning(f"A daily job is running already (process {holder}); this one did nothing.") from error
    with lock:
        path.write_text(f"{os.getpid()}\n", encoding="utf-8")
        yield


async def check_each(  # noqa: PLR0913, PLR0917 - four collaborators, and what may be left as it is
    athlete_ids: Sequence[int],
    store: DailyStore,
    client_of: ClientOf,
    policy: ReconcilePolicy,
    on_progress: OnProgress = lambda *_: None,
    clock: Callable[[], datetime] = utc_now,
) -> list[Checked]:
    """Reconcile one athlete after the other; what goes wrong with one does not stop the others."""
    checked: list[Checked] = []
    for athlete_id in athlete_ids:
        whose = f"athlete {athlete_id}"

        def tell(progress: Progress, whose: str = whose) -> None:
            on_progress(whose, progress)

        try:
            listing, details = client_of(athlete_id, Lane.RECONCILE), client_of(athlete_id, Lane.DETAIL)
            row = await reconcile(listing, details, store, athlete_id, policy=policy, on_progress=tell, clock=clock)
            file_only = await store.file_only_count(athlete_id)
        except WarehouseBusy as error:
            log.warning("reconcile.failed", athlete_id=athlete_id, reason=str(error))
            checked.append(Checked(athlete_id=athlete_id, error=str(error)))
        except Exception:
            log.exception("reconcile.fault", athlete_id=athlete_id)
            checked.append(Checked(athlete_id=athlete_id, error=_FAULT))
        else:
            checked.append(Checked(athlete_id=athlete_id, reconciliation=row, file_only=file_only))
            if file_only or policy.spares_archived:
                await _take_home_again(store, athlete_id)
            if row.missing:
                with suppress(WarehouseBusy):  # `athlete backfill` does it too
                    await load_what_is_left(store, athlete_id, clock(), spares_archived=policy.spares_archived)
    return checked


async def _take_home_again(store: DailyStore, athlete_id: int) -> None:
    """Look what is nearest to own files now and tells their zone; what fails is told, and the next run does it too."""
    try:
        await note_home(store, await store.match_facts(athlete_id))
    except WarehouseBusy as error:
        log.warning("home.waiting", athlete_id=athlete_id, reason=str(error))
    except Exception:
        log.exception("home.fault", athlete_id=athlete_id)


class Rejections:
    """Notes of whose tokens Strava rejects the refresh, and remembers them for the run."""

    def __init__(self, athletes: AthleteStore) -> None:
        self._athletes = athletes
        self.athlete_ids: set[int] = set()

    async def __call__(self, athlete_id: int) -> None:
        """Note it. Raises WarehouseBusy."""
        self.athlete_ids.add(athlete_id)
        await note_rejected(self._athletes, athlete_id)


async def follow_up(  # noqa: PLR0913 - what was checked, three collaborators, and what may be left as it is
    checked: Sequence[Checked],
    store: FollowUpStore,
    client_of: Callable[[int, Lane], ProfileSource],
    rejected: Rejections,
    *,
    retention_days: int | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> list[Checked]:
    """Where the list was read: note that the tokens are accepted, unless they died since, and read the profile."""
    ended = list(checked)
    for place, each in enumerate(checked):
        if each.verdict is Verdict.CUT_SHORT:
            continue
        if each.athlete_id not in rejected.athlete_ids:
            await note_accepted(store, each.athlete_id, clock=clock)
        source = client_of(each.athlete_id, Lane.RECONCILE)
        ended[place] = await with_profile(each, store, source, retention_days=retention_days, clock=clock)
    return ended


async def with_profile(
    checked: Checked,
    store: KnownProfiles,
    source: ProfileSource,
    *,
    retention_days: int | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Checked:
    """Bring the athlete's settings, totals and gear up to date, and add what could not be read."""
    old_after = age_before_expiry(retention_days, GEAR_IS_OLD_AFTER)
    try:
        notes = await refresh_profile(source, store, checked.athlete_id, gear_is_old_after=old_after, clock=clock)
    except WarehouseBusy as error:
        notes = [str(error)]
        log.warning("profile.failed", athlete_id=checked.athlete_id, reason=str(error))
    return replace(checked, notes=notes)


async def _check_all(
    store: RawStore,
    settings: WorkerSettings,
    policy: ReconcilePolicy,
    athlete_id: int | None,
    on_progress: OnProgress,
) -> list[Checked]:
    # Also those whose tokens Strava rejected, with one call a day: a person reads that they were not checked.
    everyone = [each.athlete_id for each in await store.athletes() if each.status not in WITHOUT_ACCESS]
    if athlete_id is not None and athlete_id not in everyone:
        raise NotConnected(athlete_id)
    chosen = everyone if athlete_id is None else [athlete_id]
    async with client_for(settings.strava_api_url, settings.strava_oauth_url, timeout=STRAVA_TIMEOUT_S) as http:
        budget = open_budget(settings, settings.budget_shares)
        tokens, rejected = open_tokens(settings), Rejections(store)
        client_of = StravaClients(settings, http, tokens, budget, on_rejected=rejected)
        try:
            checked = await check_each(chosen, store, client_of, policy, on_progress)
            checked = await follow_up(checked, store, client_of, rejected, retention_days=settings.retention_days)
        finally:
            await client_of.end_refreshes()
            await tokens.close()
    if settings.retention_days is not None:  # last: what the check has just seen again is not old
        await expire(store, settings.retention_days, utc_now())
    with suppress(WarehouseBusy):  # the worker keeps the next one
        await ReadingKeeper(store, open_queue_monitor(settings), budget, is_brief=is_on_gcp(settings)).take()
    return checked


async def _remove_copies(store: RawStore, settings: WorkerSettings) -> None:
    """Remove copies of recordings that were deleted; what cannot be removed now is by the next run."""
    try:
        removed = await remove_gone(KeptFiles(settings.files_path), store)
    except (WarehouseBusy, OSError) as error:
        log.warning("copies.not_removed", reason=str(error))
        return
    if removed:
        log.info("copies.removed", files=removed)


async def _prune(store: RawStore, days: int) -> int | None:
    """Remove what the ledger need not keep any longer; None where it cannot be written now: the next run does it."""
    try:
        return await store.prune_events(utc_now() - timedelta(days=days))
    except WarehouseBusy as error:
        log.warning("ledger.not_pruned", reason=str(error))
        return None


async def _transform(settings: TransformSettings, checked: Sequence[Checked], on_progress: OnProgress) -> DailyReport:
    """Publish the verdicts, then build with tests and look how fresh the sources are."""
    from worker.dbt_runner.main import open_transformer  # noqa: PLC0415 - dbt, for which a check need not wait

    on_progress("dbt", None)
    try:
        async with open_transformer(settings) as transformer:
            await transformer.run_if_stale()  # the pages need not wait for the tests
            done = await transformer.run(tests=True)
            stale = await transformer.stale_sources()
    except (WarehouseBusy, OSError) as error:
        return DailyReport(checked=checked, transform_error=str(error))
    return DailyReport(checked=checked, transformed=done, transform_error=done.run.error, stale=stale)


async def start_transform(settings: TransformSettings, checked: Sequence[Checked], _: OnProgress) -> DailyReport:
    """Have the job on Google Cloud do the same, which has the right to; it tells of itself how it ended."""
    try:
        async with client_for(settings.cloud_run_api_endpoint, timeout=STRAVA_TIMEOUT_S) as http:
            await open_transform_start(settings, http).with_tests()
    except (JobNotStarted, WarehouseBusy) as error:
        log.error("transform.not_started", reason=str(error))
        return DailyReport(checked=checked, transform_error=str(error))
    return DailyReport(checked=checked, transform_job=settings.transform_job)


def main() -> None:
    """Start the program."""
    arguments = ArgumentParser(prog="python -m worker.daily", description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--check-only", action="store_true", help="do not build the marts: the transformer does")
    is_check_only = arguments.parse_args().check_only

    async def check(settings: WorkerSettings, stop: asyncio.Event) -> int:
        transforms = None if is_check_only else TransformSettings()
        try:
            report = await unless_stopped(run_daily(settings, transforms), stop)
        except AlreadyRunning as error:
            log.warning("daily.already_running", reason=str(error))
            return ExitCode.ALREADY_RUNNING
        return JobEnd.CUT_SHORT if report is None else report.exit_code

    run_job("daily job", WorkerSettings, check)


if __name__ == "__main__":
    main()
