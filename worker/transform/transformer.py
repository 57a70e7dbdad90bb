"""One run of the transforms: alone among all processes, published as a whole, and written down."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import structlog
from filelock import AsyncFileLock

from backends.data_folder import make_private
from backends.warehouse import MartMissing, TransformRun, TransformRuns, WarehouseBusy
from strava.network import utc_now
from worker.transform.models import Build, Models, Node

log = structlog.get_logger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Transformed:
    """What a run did: its ledger row, and the nodes it built with their times."""

    run: TransformRun
    nodes: tuple[Node, ...]

    @property
    def is_published(self) -> bool:
        """Whether readers see its result."""
        return self.run.published_at is not None


class Transformer:
    """Runs the models and publishes them. `mart_path` tells whether there is a snapshot at all.

    The marts also depend on the time of day: they end with today, and count the last 24 hours. So a run serves only
    until the clock next passes a whole multiple of `max_age`, by default the full hour, and with it midnight.
    """

    def __init__(  # noqa: PLR0913 - four collaborators and where their files lie
        self,
        store: TransformRuns,
        models: Models,
        publish: Callable[[], None],
        *,
        mart_path: Path,
        lock_path: Path,
        max_age: timedelta = timedelta(hours=1),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._models = models
        self._publish = publish
        self._mart_path = mart_path
        self._lock_path = lock_path
        self._max_age = max_age
        self._clock = clock

    async def is_behind(self) -> bool:
        """Whether raw or the hour has changed since the run that readers see began, or there is none.

        Raises WarehouseBusy.
        """
        if not self._mart_path.exists():
            return True
        last = await self._store.last_run()
        return last is None or self._is_outdated(last) or last.watermark != await self._store.watermark()

    async def catch_up(self) -> Transformed | None:
        """Run unless somebody else has done so meanwhile. Raises WarehouseBusy."""
        async with self._alone():
            return await self._run(full_refresh=False, tests=False) if await self.is_behind() else None

    async def once(self, *, full_refresh: bool = False, tests: bool = False) -> Transformed:
        """Run now, with dbt's tests if wanted: a failed test is an error, and what was built is not published.

        Waits for a run that is under way in any process. Raises WarehouseBusy.
        """
        async with self._alone():
            return await self._run(full_refresh=full_refresh, tests=tests)

    async def _run(self, *, full_refresh: bool, tests: bool) -> Transformed:
        watermark = await self._store.watermark()
        started_at = self._clock()
        everything = full_refresh or await self._has_purged()
        build = await asyncio.to_thread(self._models.build, full_refresh=everything, tests=tests)
        error = build.error or await asyncio.to_thread(self._published)
        finished_at = self._clock()
        run = TransformRun(
            run_id=uuid4().hex,
            watermark=watermark,
            started_at=started_at,
            finished_at=finished_at,
            published_at=finished_at if error is None else None,
            is_full_refresh=build.is_full_refresh,
            error=error,
        )
        await self._store.put_run(run)
        _tell(run, build)
        return Transformed(run=run, nodes=build.nodes)

    def _is_outdated(self, last: TransformRun) -> bool:
        """Whether a later hour has begun; never of a run from the future, after a clock was set back."""
        return self._periods_before(self._clock()) > self._periods_before(last.started_at)

    def _periods_before(self, moment: datetime) -> int:
        return (moment - _EPOCH) // self._max_age

    async def _has_purged(self) -> bool:
        """Whether tables may still hold an athlete who was purged: only building them anew removes the rows."""
        purged_at = await self._store.last_purge()
        last = await self._store.last_run()
        return purged_at is not None and (last is None or purged_at >= last.started_at)

    def _published(self) -> str | None:
        try:
            self._publish()
        except (MartMissing, WarehouseBusy) as error:
            return str(error)
        return None

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        make_private(self._lock_path.parent)
        async with AsyncFileLock(self._lock_path, poll_interval=0.05):
            yield


def _tell(run: TransformRun, build: Build) -> None:
    facts = {
        "nodes": len(build.nodes),
        "is_full_refresh": run.is_full_refresh,
        "duration_ms": round((run.finished_at - run.started_at).total_seconds() * 1000),
    }
    if run.error is None:
        log.info("transform.published", **facts)
    else:
        log.error("transform.failed", error=run.error, **facts)
