"""When the job that builds the marts is started: by fresh data, once in a while, and by one program."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from backends.jobs import JobNotStarted
from tests.shared_marks import MemoryMarks
from worker.transform_start import TESTED, TESTS_WANTED, TransformStart

INTERVAL = timedelta(minutes=5)


class FakeJobs:
    """Notes what is started; while `fault` is set nothing is."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.fault = ""

    async def start(self, job: str) -> None:
        if self.fault:
            raise JobNotStarted(self.fault)
        await asyncio.sleep(0)
        self.started.append(job)


@pytest.fixture
def jobs() -> FakeJobs:
    """Where jobs are started."""
    return FakeJobs()


@pytest.fixture
def marks() -> MemoryMarks:
    """What the programs share."""
    return MemoryMarks()


@pytest.fixture
def programs(jobs: FakeJobs, marks: MemoryMarks, clock: Any) -> list[TransformStart]:
    """Two instances of the worker."""
    return [TransformStart(jobs, marks, job="t", interval=INTERVAL, clock=clock) for _ in range(2)]


async def test_fresh_data_starts_it_once(jobs: FakeJobs, programs: list[TransformStart], clock: Any) -> None:
    """Of many pushes at once in two programs one starts it, and none within the interval."""
    told = await asyncio.gather(*(each.if_due() for each in programs * 20))
    assert (told.count(True), jobs.started) == (1, ["t"])
    clock.advance(299)
    assert [await each.if_due() for each in programs] == [False, False]
    clock.advance(2)
    assert [await each.if_due() for each in programs] == [True, False]


async def test_what_is_known_is_not_asked(marks: MemoryMarks, programs: list[TransformStart]) -> None:
    """Within the interval a push costs no call."""
    await programs[0].if_due()
    marks.is_down = True
    with capture_logs() as logs:
        assert not await programs[0].if_due()
    assert logs == []


@pytest.mark.parametrize("is_down", [True, False])
async def test_a_failure_is_only_logged(
    jobs: FakeJobs, marks: MemoryMarks, programs: list[TransformStart], clock: Any, is_down: bool
) -> None:
    """The push is answered as ever; after the interval it is tried again."""
    jobs.fault, marks.is_down = "Nobody may.", is_down
    with capture_logs() as logs:
        assert not await programs[0].if_due()
        assert not await programs[0].if_due()
    assert [(log["event"], log["log_level"]) for log in logs] == [("transform.not_started", "warning")]
    jobs.fault, marks.is_down = "", False
    clock.advance(301)
    assert await programs[0].if_due()


async def test_a_clock_that_is_a_little_behind_starts_no_second_one(
    jobs: FakeJobs, programs: list[TransformStart], clock: Any
) -> None:
    """Two machines' clocks differ; so may one machine's, when it is set right."""
    assert await programs[0].if_due()
    for behind_s in (0.03, 30):
        clock.set(-behind_s)
        assert [await each.if_due() for each in programs] == [False, False]
    assert jobs.started == ["t"]


async def test_a_clock_that_was_wrong_holds_nothing_up(
    marks: MemoryMarks, programs: list[TransformStart], clock: Any
) -> None:
    """A start that is noted for tomorrow counts for nothing."""
    clock.set(86_400)
    assert await programs[0].if_due()
    clock.set(-86_400)
    assert await programs[1].if_due()
    assert not await programs[0].if_due()


async def test_tests_are_asked_for_at_any_time(
    jobs: FakeJobs, marks: MemoryMarks, programs: list[TransformStart]
) -> None:
    """The daily job has everything built with tests, also right after another start; that counts as a start."""
    assert await programs[0].if_due()
    await programs[1].with_tests()
    assert jobs.started == ["t", "t"]
    assert marks.read(TESTS_WANTED) > marks.read(TESTED)
    assert not await programs[0].if_due()
    jobs.fault = "Nobody may."
    with pytest.raises(JobNotStarted, match="Nobody may"):
        await programs[1].with_tests()


async def test_without_a_region_nothing_is_started(marks: MemoryMarks) -> None:
    """Where no job can be started none is claimed either."""
    nowhere = TransformStart(None, marks, job="t", interval=INTERVAL)
    assert (await nowhere.if_due(), marks.texts) == (False, {})
    with pytest.raises(JobNotStarted, match="GOOGLE_CLOUD_REGION is empty"):
        await nowhere.with_tests()
