"""The job that builds the marts: how often it runs, when with tests, and how it ends."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backends.warehouse.runs import TransformRun
from tests.shared_marks import MemoryMarks
from worker.dbt_runner.transformer import Transformed
from worker.job import JobEnd
from worker.transform import bring_up_to_date
from worker.transform_start import TESTED, TESTS_WANTED

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
GOOD = Transformed(
    run=TransformRun(
        run_id="r",
        watermark="w",
        started_at=NOON,
        finished_at=NOON,
        published_at=NOON,
        is_full_refresh=False,
        error=None,
    ),
    nodes=(),
)
BAD = replace(GOOD, run=replace(GOOD.run, published_at=None, error="dbt failed"))


class FakeTransformer:
    """Is behind as often as `changes` says."""

    def __init__(self, *, changes: int = 0, ended: Transformed = GOOD, stale: tuple[str, ...] = ()) -> None:
        self.changes = changes
        self.ended = ended
        self.stale = stale
        self.runs: list[str] = []

    async def run_if_stale(self) -> Transformed | None:
        if not self.changes:
            return None
        self.changes -= 1
        self.runs.append("refresh")
        return self.ended

    async def run(self, *, tests: bool) -> Transformed:
        assert tests
        self.runs.append("tests")
        return self.ended

    async def stale_sources(self) -> list[str]:
        return list(self.stale)


async def ended(transformer: FakeTransformer, marks: MemoryMarks | None = None, *, stop: bool = False) -> JobEnd:
    """Run the job."""
    signal = asyncio.Event()
    if stop:
        signal.set()
    return await bring_up_to_date(transformer, marks or MemoryMarks(), signal)  # type: ignore[arg-type]


@pytest.mark.parametrize(("changes", "runs"), [(0, 0), (1, 1), (2, 2), (9, 2)])
async def test_it_runs_as_often_as_is_needed(changes: int, runs: int) -> None:
    """Not at all where the marts are level, once more for what came meanwhile, and never without end."""
    transformer = FakeTransformer(changes=changes)
    assert await ended(transformer) is JobEnd.DONE
    assert transformer.runs == ["refresh"] * runs


async def test_a_failed_run_fails_the_job() -> None:
    """An alert tells a person; nothing more is tried."""
    transformer = FakeTransformer(changes=9, ended=BAD)
    assert await ended(transformer) is JobEnd.FAILED
    assert transformer.runs == ["refresh"]


async def test_tests_run_when_they_were_asked_for() -> None:
    """What is fresh is published first; the same wish is met once."""
    marks, transformer = MemoryMarks(), FakeTransformer(changes=1)
    marks.write(TESTS_WANTED, "today")
    assert await ended(transformer, marks) is JobEnd.DONE
    assert (transformer.runs, marks.read(TESTED)) == (["refresh", "tests"], "today")
    transformer = FakeTransformer()
    assert await ended(transformer, marks) is JobEnd.DONE
    assert transformer.runs == []


@pytest.mark.parametrize(
    "transformer", [FakeTransformer(ended=BAD), FakeTransformer(stale=("strava_events: too old",))]
)
async def test_failed_tests_and_old_sources_fail_the_job_once(transformer: FakeTransformer) -> None:
    """They are told by this end; the next start only refreshes, until the daily job asks again."""
    marks = MemoryMarks()
    marks.write(TESTS_WANTED, "today")
    assert await ended(transformer, marks) is JobEnd.FAILED
    assert await ended(FakeTransformer(), marks) is JobEnd.DONE


async def test_a_signal_ends_it_between_runs() -> None:
    """What is left is found again by the next start."""
    transformer = FakeTransformer(changes=2)
    assert await ended(transformer, stop=True) is JobEnd.CUT_SHORT
    assert transformer.runs == []
