"""Whether what the charts show is whole and new: dbt's last run, the marts, the daily comparison, the backfill."""

from contextlib import closing
from datetime import datetime, timedelta

from athlete.backends import open_marts
from athlete.backfill import NOT_TAKEN_UP, command_for, sentence, standings_of
from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, in_two, red, spoken_age, yellow
from athlete.doctor.programs import START
from athlete.transform import one_line
from backends.engine import is_on_gcp
from backends.warehouse import RawStore
from backends.warehouse.athletes import connected_ids
from backends.warehouse.marts import MartMissing, QueryFailed
from backends.warehouse.reconciliations import Reconciliation, Verdict, beside_files
from backends.warehouse.runs import TransformRun

_TRANSFORM = "Run `athlete transform`."
_DAILY = "Run `athlete daily`."
_SWEEP = "The sweep starts a job for it: see how the executions of the job athlete-sweep ended."
_TRIED_AGAIN = "The worker tries them again by itself; `{command}` tries them at once."
_CATCHES_UP = timedelta(minutes=2)
_SWEPT_EVERY = timedelta(minutes=5)  # by infra/scheduler.tf
_A_DAY = timedelta(hours=26)  # with an hour for daylight saving, and one for the run
_A_WEEK = timedelta(days=7)
_ANY_ROWS = "select count(*) as activities from mart.fct_activities"


async def check_transform(context: Context) -> list[Finding]:
    """Tell how dbt's last run ended."""
    last, error = await context.raw.last_run(), await context.raw.last_error()
    if error is not None:
        fix = "Run `athlete transform`, which tells all of it; the marts of the run before stay."
        return [red(f"dbt's last run failed: {one_line(error)}", fix)]
    if last is None:
        return [yellow("dbt has not run yet, so there are no charts.", _TRANSFORM)]
    return [green(f"dbt's last run ended {_ago(context, last.finished_at)} and was published.")]


async def check_marts(context: Context) -> list[Finding]:
    """Read the published marts, and compare their age with raw's."""
    with closing(open_marts(context.settings.worker)) as marts:
        try:
            [row] = marts.rows(_ANY_ROWS)
        except (MartMissing, QueryFailed) as error:
            return [red(in_two(one_line(str(error)))[0], _TRANSFORM)]
    told = f"The marts can be read and tell of {row['activities']:,} activities"
    if (last := await context.raw.last_run()) is None or (since := await _behind_since(context.raw, last)) is None:
        return [green(f"{told}.")]
    if (late := behind(context, since, last.finished_at - last.started_at)) is not None:
        return [late]
    return [green(f"{told}; the next build adds what came in the last {spoken_age(context.age_s(since))}.")]


def behind(context: Context, since: datetime, build: timedelta) -> Finding | None:
    """Tell that marts are behind raw for longer than builds explain, which take so long; None where they are not."""
    worker = context.settings.worker
    waits = _CATCHES_UP
    if is_on_gcp(worker):  # where a build begins an interval after the last, or with the next sweep
        waits += timedelta(seconds=worker.transform_interval_s) + _SWEPT_EVERY
    # What comes when a build has just begun waits for that one and for the next.
    if context.clock() - since <= waits + 2 * build:
        return None
    what = f"Raw is newer than the marts since {context.spoken(since)}"
    if context.running is None:
        return yellow(f"{what}.", "Run `athlete up`, or `athlete transform` alone.")
    took = f"the last build took {spoken_age(build.total_seconds())}"
    if is_on_gcp(worker):
        fix = f"See how the executions of the job {worker.transform_job} ended; `athlete transform` builds at once."
        return red(f"{what}, and {took}.", fix)
    return red(f"{what}, although `athlete up` runs and {took}.", _TRANSFORM)


async def _behind_since(raw: RawStore, last: TransformRun) -> datetime | None:
    """Return since when raw holds what the marts do not tell; None where they are level."""
    if last.watermark == await raw.watermark():
        return None
    return await raw.first_change(after=last.started_at)


async def check_daily(context: Context) -> list[Finding]:
    """Tell each athlete's last verdict of the comparison with Strava, and how old it is."""
    return [
        _verdict(
            context,
            athlete_id,
            await context.raw.last_reconciliation(athlete_id),
            await context.raw.file_only_count(athlete_id),
        )
        for athlete_id in await connected_ids(context.raw)
    ]


def _verdict(context: Context, athlete_id: int, last: Reconciliation | None, file_only: int) -> Finding:
    if last is None:
        return yellow(f"Athlete {athlete_id} has not been compared with Strava yet.", _DAILY)
    told = f"Athlete {athlete_id}: {last.verdict}, {_ago(context, last.finished_at)}"
    reason = f": {last.reason.rstrip('.')}" if last.reason else ""
    match last.verdict:
        case Verdict.GUARDED:
            fix = "Look at Strava whether so many are gone; if so, run `athlete daily --confirm`."
            return red(f"{told}{reason}.", fix)
        case Verdict.INCOMPLETE | Verdict.CUT_SHORT:
            return yellow(f"{told}{reason}.", _DAILY)
        case Verdict.COMPLETE:
            age = context.clock() - last.finished_at
            if age > _A_DAY:
                by_itself = f"`athlete up` does so every day at {context.settings.schedule.daily_at}"
                if is_on_gcp(context.settings.worker):
                    by_itself = "Cloud Scheduler has the job athlete-daily do so every day"
                fix = f"Run `athlete daily` now; {by_itself}."
                return (red if age > _A_WEEK else yellow)(f"{told}, which is too old.", fix)
            return green(f"{told}. {beside_files(last.counts, file_only)}.")


async def check_backfill(context: Context) -> list[Finding]:
    """Tell how far each athlete's history is."""
    athlete_ids = await connected_ids(context.raw)
    standings = {each.backfill.athlete_id: each for each in await standings_of(context.raw, athlete_ids)}
    now, zone = context.clock(), context.settings.dashboard.display_timezone
    found = []
    for athlete_id in athlete_ids:
        standing = standings.get(athlete_id)
        if standing is None:
            what = f"Athlete {athlete_id}: the history was never asked for."
            found.append(yellow(what, f"Run `athlete backfill --athlete {athlete_id}`."))
            continue
        told, backfill = sentence(standing, now, zone), standing.backfill
        is_untouched = backfill.started_at is None and now - backfill.requested_at > NOT_TAKEN_UP
        is_waiting = backfill.finished_at is None and context.running is None
        if is_untouched or is_waiting:
            found.append(yellow(told, _SWEEP if is_on_gcp(context.settings.worker) else START))
        else:
            fix = _TRIED_AGAIN.format(command=command_for(backfill))
            found.append(yellow(told, fix) if backfill.failed_count else green(told))
    return found


def _ago(context: Context, moment: datetime) -> str:
    return f"{spoken_age(context.age_s(moment))} ago"
