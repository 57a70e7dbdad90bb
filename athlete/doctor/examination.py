"""Makes every check; one that fails is a red line of its own, and hides none of the others."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime

from athlete.backends import examine_database, is_budget_damaged, open_budget, open_store, open_tokens
from athlete.data_dir import running_process
from athlete.doctor import (
    athlete_file,
    athletes,
    calls,
    clock,
    data_folder,
    database,
    events,
    freshness,
    programs,
    versions,
    webhook,
)
from athlete.doctor.context import Context, Machine
from athlete.doctor.findings import REPORT, Finding, red, red_of, yellow
from athlete.doctor.settings import check_settings, read_settings
from athlete.doctor.strava_look import StravaLook
from athlete.errors import EXPECTED
from backends.engine import is_on_gcp
from runtime.clock import utc_now
from worker.clock_steps import ClockSteps

Check = Callable[[Context], Awaitable[Sequence[Finding]]]

# In the order of the lines. Those of Strava come before the budget, which may learn from their answers.
CHECKS: Mapping[str, Check] = {
    "settings": check_settings,
    "data folder": data_folder.check_folder,
    "disk": data_folder.check_disk,
    "programs": programs.check_programs,
    "database": database.check_database,
    "subscription": webhook.check_subscription,
    "verify token": webhook.check_verify_token,
    "callback": webhook.check_callback_from_outside,
    "athletes": athletes.check_athletes,
    "token": athletes.check_tokens,
    "scopes": athletes.check_scopes,
    "lapse": calls.check_lapse,
    "budget": calls.check_budget,
    "clock": clock.check_clock,
    "athlete.toml": athlete_file.check_athlete_file,
    "queue": events.check_queue,
    "waiting events": events.check_waiting_events,
    "transform": freshness.check_transform,
    "marts": freshness.check_marts,
    "daily": freshness.check_daily,
    "backfill": freshness.check_backfill,
    "python": versions.check_python,
    "packages": versions.check_packages,
    "dbt project": versions.check_project,
}
# What can only be told where the database is open.
OF_THE_STORE = frozenset(
    {
        "athletes",
        "token",
        "scopes",
        "athlete.toml",
        "queue",
        "waiting events",
        "transform",
        "marts",
        "daily",
        "backfill",
    }
)
# What is of no account on Google Cloud: there Cloud Monitoring looks at the programs and the queue.
OF_THIS_MACHINE = frozenset(
    {
        "data folder",
        "disk",
        "programs",
        "database",
        "verify token",
        "callback",
        "lapse",
        "budget",
        "queue",
        "packages",
        "dbt project",
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the check's name and what it found."""

    check: str
    finding: Finding


@asynccontextmanager
async def opened(
    machine: Machine, *, is_offline: bool, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[Context]:
    """Open everything that can be opened, to be looked at only."""
    settings = read_settings()
    worker = settings.worker
    budget = open_budget(worker, worker.budget_shares)
    is_cloud = is_on_gcp(worker)
    running = "on Google Cloud" if is_cloud else running_process(worker.data_dir)
    has_file = not is_cloud and worker.pipeline_path.exists()
    state = examine_database(worker, is_at_rest=running is None) if has_file else None
    is_usable = is_cloud or (state is not None and state.fault is None and 0 < state.version == state.newest)
    looked_into = open_store(worker, read_only=True, leaves_no_trace=running is None) if is_usable else nullcontext()
    async with looked_into as store, open_tokens(worker, read_only=True) as tokens:
        yield Context(
            settings=settings,
            machine=machine,
            is_offline=is_offline,
            clock=clock,
            clock_steps=ClockSteps(clock),
            running=running,
            database=state,
            store=store,
            tokens=tokens,
            budget=budget,
            is_budget_damaged=await is_budget_damaged(worker),
            strava=StravaLook(worker, budget, machine.http_for, clock),
        )


async def examine(context: Context, checks: Mapping[str, Check] = CHECKS) -> list[Line]:
    """Make all the checks, one after the other."""
    lines: list[Line] = []
    left_out = OF_THIS_MACHINE if is_on_gcp(context.settings.worker) else frozenset[str]()
    for name, check in checks.items():
        if name in left_out:
            continue
        lines += [Line(name, finding) for finding in await _made(context, name, check)]
    return lines


async def _made(context: Context, name: str, check: Check) -> Sequence[Finding]:
    if name in OF_THE_STORE and context.store is None:
        if context.database is None:
            return []  # nothing is stored that could be wrong
        return [yellow("Not known, for the database cannot be used.", "Mend what is told of database.")]
    try:
        return await check(context)
    except EXPECTED as error:
        return [red_of(error)]
    except Exception as error:  # noqa: BLE001 - one bad check hides none of the others
        return [red(f"This could not be checked ({type(error).__name__}: {error}).", REPORT)]
