"""Starts the job that builds the marts when data is fresh, on Google Cloud: at most once in a while, by one program.

Which program starts it is decided by a mark that all share, so that several at once start one execution. What comes in
the meantime is found by the sweep, which compares raw with the last published run. See docs/decisions/0020.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import structlog

from backends.engine.pipeline import open_jobs, open_shared_marks
from backends.jobs import JobNotStarted, JobStarter
from backends.marks import SharedMarks
from backends.warehouse import WarehouseBusy
from runtime.clock import utc_now, utc_text
from runtime.settings import SharedSettings

log = structlog.get_logger(__name__)

NO_REGION = "GOOGLE_CLOUD_REGION is empty, so no program starts a job."
_STARTED_AT = "transform_started_at"
TESTS_WANTED = "transform_tests_wanted"
TESTED = "transform_tested"
_SKEW = timedelta(seconds=60)  # what two machines' clocks may differ by


class TransformStart:
    """Starts the job."""

    def __init__(
        self,
        jobs: JobStarter | None,
        marks: SharedMarks,
        *,
        job: str,
        interval: timedelta,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._jobs = jobs
        self._marks = marks
        self._job = job
        self._interval = interval
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._not_before: datetime | None = None  # what this program knows of it, which saves asking

    async def if_due(self) -> bool:
        """Start it unless it was started within the interval; return whether it was started.

        Nothing is raised: the data is stored, and the sweep finds what was not started. It is tried again after the
        interval.
        """
        if self._jobs is None or self._one_at_a_time.locked():
            return False
        async with self._one_at_a_time:
            now = self._clock()
            if self._not_before is not None and now < self._not_before <= now + self._interval + _SKEW:
                return False
            try:
                return await self._is_claimed(now) and await self._started(self._jobs)
            except (JobNotStarted, WarehouseBusy) as error:
                self._not_before = now + self._interval
                log.warning("transform.not_started", reason=str(error))
                return False

    async def with_tests(self) -> None:
        """Have the marts built and tested, also where they were built just now. Raises JobNotStarted, WarehouseBusy."""
        if self._jobs is None:
            raise JobNotStarted(NO_REGION)
        now = utc_text(self._clock())
        await asyncio.to_thread(self._marks.write, TESTS_WANTED, now)
        await asyncio.to_thread(self._marks.write, _STARTED_AT, now)
        await self._started(self._jobs)

    async def _is_claimed(self, now: datetime) -> bool:
        """Whether it is due, and this program is the one that starts it."""
        told = await asyncio.to_thread(self._marks.read, _STARTED_AT)
        due_at = datetime.fromisoformat(told) + self._interval if told else now
        if now < due_at <= now + self._interval + _SKEW:  # what a wrong clock put farther ahead counts for nothing
            self._not_before = due_at
            return False
        self._not_before = now + self._interval
        return await asyncio.to_thread(self._marks.replace, _STARTED_AT, told, utc_text(now))

    async def _started(self, jobs: JobStarter) -> bool:
        await jobs.start(self._job)
        log.info("transform.started", job=self._job)
        return True


def open_transform_start(
    settings: SharedSettings, http: httpx.AsyncClient, *, at_least: timedelta = timedelta(0)
) -> TransformStart:
    """Return what starts the job that the settings name, as often as they say or less. Raises PartMissing."""
    jobs = open_jobs(settings, http)
    if jobs is None:
        log.warning("transform.not_started", reason=NO_REGION)
    interval = max(timedelta(seconds=settings.transform_interval_s), at_least)
    return TransformStart(jobs, open_shared_marks(settings), job=settings.transform_job, interval=interval)
