"""The demo's daily job: an edit of which Strava tells no event, and the check that finds and repairs it."""

import asyncio
import json

from athlete.daily import verdict_sentence
from athlete.demo.session import DemoSession
from athlete.schedule import DailyRuns, Schedule
from athlete.settings import ScheduleSettings
from athlete.supervisor import Program, run_to_end

LOOKED_AT = 50
LONG_M = 2_000.0
FIRST_CHECK_S = 20.0  # after the start; the others are a day apart, at DAILY_AT


async def crop_silently(session: DemoSession) -> int | None:
    """Cut a recent activity in half, and return its id; None where none is long enough."""
    recent = (await session.store.activity_ids(session.athlete_id))[:LOOKED_AT]
    payloads = await session.store.payloads(recent)
    for activity_id in recent:
        distance = json.loads(payloads[activity_id]).get("distance") or 0
        if distance >= LONG_M:
            await session.simulator.edit(activity_id, distance=round(distance / 2, 1))
            return activity_id
    return None


async def run_daily_job(session: DemoSession, *options: str) -> int:
    """Run the daily job to its end, as the scheduler of `athlete up` does, and return its exit code. Raises OSError."""
    config = session.config
    job = Program(
        name="daily",
        module="worker.daily",
        arguments=options,
        environment=config.environment,
        folder=config.data_dir,
    )
    return await run_to_end(job, asyncio.Event(), config.data_dir / "logs" / "daily.log")


async def check_every_day(session: DemoSession) -> None:
    """Run the daily job soon after the start, and then once a day, until this is cancelled."""
    kept = session.config.data_dir / "daily.json"
    kept.unlink(missing_ok=True)  # who starts the demo again sees the job again
    schedule = Schedule(ScheduleSettings().daily_time, session.config.display_timezone)
    await DailyRuns(schedule, kept, lambda: run_daily_job(session)).keep_on(asyncio.Event(), first_s=FIRST_CHECK_S)


async def last_check(session: DemoSession) -> str:
    """Say what the newest check found; nothing before the first."""
    row = await session.store.last_reconciliation(session.athlete_id)
    if row is None:
        return ""
    zone = session.config.display_timezone
    return f"Daily job, {row.finished_at.astimezone(zone):%H:%M:%S}: {verdict_sentence(row, zone)}"
