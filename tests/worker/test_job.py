"""How a program ends that ends by itself: with which code, and what the log says."""

import asyncio
import json
import os
import signal
from collections.abc import Callable

import pytest

from backends.sqlite import SchemaMismatch
from backends.warehouse import WarehouseBusy
from runtime.http_client import ProxyUnusable
from runtime.settings import LogFormat, PartMissing, SharedSettings
from worker.job import JobEnd, run_job, unless_stopped


def code_of(work: Callable[[asyncio.Event], object]) -> int:
    """Run a job, and return its code."""

    async def started(_: SharedSettings, stop: asyncio.Event) -> int:
        ended = work(stop)
        return await ended if asyncio.iscoroutine(ended) else JobEnd.DONE

    with pytest.raises(SystemExit) as left:
        run_job("sweep", lambda: SharedSettings(log_format=LogFormat.JSON), started)
    return int(left.value.code or 0)


def events(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the events of the log."""
    return [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]


def failing(error: Exception) -> Callable[[asyncio.Event], object]:
    """Work that fails so."""

    def work(_: asyncio.Event) -> None:
        raise error

    return work


def test_the_work_s_code_is_the_program_s(capsys: pytest.CaptureFixture[str]) -> None:
    """A job that did its work leaves with 0."""
    assert (code_of(asyncio.Event.is_set), events(capsys)) == (0, [])


@pytest.mark.parametrize(
    ("error", "event"),
    [(WarehouseBusy("Later."), "job.failed"), (OSError("disk"), "job.failed"), (ZeroDivisionError(), "job.fault")],
)
def test_a_failure_is_logged(error: Exception, event: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What happens to a store is one line, a fault of ours has its traceback; both are code 1."""
    assert (code_of(failing(error)), events(capsys)) == (1, [event])


@pytest.mark.parametrize("error", [PartMissing("Set this."), ProxyUnusable("Unset that."), SchemaMismatch("Upgrade.")])
def test_what_is_to_be_set_up_is_one_sentence(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    """It is code 2, as a wrong setting is."""
    assert code_of(failing(error)) == 2
    assert capsys.readouterr().err == f"sweep: {error}\n"


def test_a_signal_ends_it_so_that_the_next_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    """SIGTERM cancels the work, which cleans up after itself; the code is a shell's own for it."""
    cleaned: list[str] = []

    async def endless() -> str:
        try:
            await asyncio.sleep(60)
            return "done"
        finally:
            cleaned.append("up")

    async def work(stop: asyncio.Event) -> JobEnd:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)
        assert await unless_stopped(endless(), stop) is None
        return JobEnd.CUT_SHORT

    assert (code_of(work), events(capsys)) == (143, ["job.cut_short"])
    assert cleaned == ["up"]


async def test_work_that_ends_gives_what_it_returns() -> None:
    """So it is where nothing stops it, and what it raises is raised."""

    async def answer(number: int) -> float:
        return 1 / number

    assert await unless_stopped(answer(2), asyncio.Event(), within_s=9) == 0.5
    with pytest.raises(ZeroDivisionError):
        await unless_stopped(answer(0), asyncio.Event())
