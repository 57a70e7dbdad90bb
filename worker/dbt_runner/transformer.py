"""One run of the transforms: alone among all processes, published as a whole, and written down."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog

from backends.athlete_file.sync import OwnFile
from backends.marks import Marks
from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartMissing, MartSnapshot
from backends.warehouse.runs import TransformRun, TransformRuns, changed_tables
from runtime.clock import utc_now, utc_text
from worker.dbt_runner.port import Build, Models, Node

log = structlog.get_logger(__name__)

_RUN, _PURGE, _ERASED = "last_run", "last_purge", "last_erased"  # only compared, so that no clock needs to be right
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


async def _nothing() -> None:
    """Have nothing done."""


class Transformer:
    """Runs the models and publishes them, one run at a time.

    The marts also depend on the time of day: they end with today, and count the last 24 hours. So a run serves only
    while the clock is between the same whole multiples of `max_age`, by default in the same hour.

    In that hour only what comes of the tables that changed is built, if the run before was published: a mark keeps
    which run built all tables last, and nothing of it once another has begun.

    What was removed from raw stays in the bytes of the files that were built before. `erase`
    rewrites them. A mark keeps which removal was handled last.

    What the athlete's `own_file` says is brought into raw before each run, and when the file was edited. So is, by
    `relink`, which activities recordings are of.
    """

    def __init__(  # noqa: PLR0913 - six collaborators
        self,
        store: TransformRuns,
        models: Models,
        snapshot: MartSnapshot,
        *,
        single_flight: Callable[[], AbstractAsyncContextManager[None]],
        marks: Marks,
        own_file: OwnFile | None = None,
        relink: Callable[[], Awaitable[object]] = _nothing,
        max_age: timedelta = timedelta(hours=1),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._models = models
        self._snapshot = snapshot
        self._single_flight = single_flight
        self._marks = marks
        self._own_file = own_file
        self._relink = relink
        self._max_age = max_age
        self._clock = clock

    async def is_stale(self) -> bool:
        """Whether raw or the hour has changed since the run that readers see began, or there is none of this version.

        Raises WarehouseBusy, OSError.
        """
        if not await asyncio.to_thread(self._is_of_this_version):
            return True
        if self._own_file:
            await self._own_file.push_if_edited()
        last = await self._store.last_run()
        return last is None or self._is_outdated(last, self._clock()) or last.watermark != await self._store.watermark()

    async def run_if_stale(self) -> Transformed | None:
        """Run unless somebody else has done so meanwhile. Raises WarehouseBusy, OSError."""
        async with self._alone():
            return await self._run(only_changed=True) if await self.is_stale() else None

    async def run(self, *, full_refresh: bool = False, tests: bool = False) -> Transformed:
        """Run now, with dbt's tests if wanted: a failed test is an error, and what was built is not published.

        Waits for a run that is under way in any process. Raises WarehouseBusy, OSError.
        """
        async with self._alone():
            removal = await self._removal()
            done = await self._run(full_refresh=full_refresh, tests=tests)
            if done.is_published:
                await self._erase(removal)
            return done

    async def stale_sources(self) -> list[str]:
        """Return the tables of raw that are older than they may be. Raises OSError."""
        async with self._alone():
            return await asyncio.to_thread(self._models.stale_sources)

    async def erase(self) -> bool:
        """Rewrite the files if they may hold bytes of what was removed from raw; return False when that failed.

        Raises WarehouseBusy, OSError.
        """
        if await self._removal() == self._marks.read(_ERASED):
            return True
        async with self._alone():
            removal = await self._removal()
            if await self.is_stale() and not (await self._run()).is_published:
                return False
            await self._erase(removal)
            return True

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Let one at a time build, in a file that is not the one readers see. Raises WarehouseBusy."""
        async with self._single_flight():
            await asyncio.to_thread(self._snapshot.separate)  # a kill may have left it so
            yield
            with suppress(WarehouseBusy):  # the next one tells
                await asyncio.to_thread(self._snapshot.separate)

    async def _removal(self) -> str:
        return _mark_of(await self._store.last_removal())

    async def _erase(self, removal: str) -> None:
        """Leave in the files only what their tables hold; the removal must be older than the last run."""
        if removal == self._marks.read(_ERASED):
            return
        try:
            await asyncio.to_thread(self._snapshot.compact)
            await asyncio.to_thread(self._snapshot.publish)
        except MartMissing as error:
            raise WarehouseBusy(str(error)) from error
        self._marks.write(_ERASED, removal)
        log.info("transform.erased")

    async def _run(self, *, full_refresh: bool = False, tests: bool = False, only_changed: bool = False) -> Transformed:
        if self._own_file:
            await self._own_file.push()
        await self._relink()
        watermark = await self._store.watermark()
        started_at = self._clock()
        changed = await self._changed_tables(watermark, started_at) if only_changed else None
        purge = _mark_of(await self._store.last_purge())
        # Tables may still hold an athlete who was purged: only building them from nothing removes the rows.
        everything = full_refresh or purge != self._marks.read(_PURGE)
        self._marks.write(_RUN, "")
        build = await asyncio.to_thread(self._models.build, full_refresh=everything, tests=tests, changed=changed)
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
        if error is None:
            self._marks.write(_PURGE, purge)
            self._marks.write(_RUN, run.run_id)
        await self._store.put_run(run)
        _tell(run, build)
        return Transformed(run=run, nodes=build.nodes)

    async def _changed_tables(self, watermark: str, now: datetime) -> frozenset[str] | None:
        """Return the tables of raw that changed since all models were built; None where more than these may be behind.

        So it is after a run that was cut short or not published, in another hour, and without a snapshot.
        """
        last = await self._store.last_run()
        if last is None or last.run_id != self._marks.read(_RUN) or self._is_outdated(last, now):
            return None
        if not await asyncio.to_thread(self._snapshot.is_published):
            return None
        return changed_tables(last.watermark, watermark)

    def _is_of_this_version(self) -> bool:
        """Whether readers have marts of the shape that this version's pages ask for."""
        return self._snapshot.is_published() and self._models.is_built()

    def _is_outdated(self, last: TransformRun, now: datetime) -> bool:
        """Whether it is another hour than when the run began: a later one, or an earlier one by a clock set back."""
        return self._periods_before(now) != self._periods_before(last.started_at)

    def _periods_before(self, moment: datetime) -> int:
        return (moment - _EPOCH) // self._max_age

    def _published(self) -> str | None:
        try:
            self._snapshot.publish()
        except (MartMissing, WarehouseBusy) as error:
            return str(error)
        return None


def _mark_of(moment: datetime | None) -> str:
    return utc_text(moment) if moment else ""


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
