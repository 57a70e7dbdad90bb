"""A deep health check is shared by all who ask within a few seconds, and never older than that."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from backends.health_check import CheckResult, HealthCheck


class Refusal(Exception):
    """The part does not answer."""


class Part:
    """Counts how often it is measured; can be broken, and can wait for a word."""

    def __init__(self) -> None:
        self.measured = 0
        self.fault: Exception | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.now = 0.0

    async def measure(self) -> Mapping[str, Any]:
        self.measured += 1
        await self.go_on.wait()
        if self.fault is not None:
            raise self.fault
        return {"number": self.measured}


@pytest.fixture
async def part() -> Part:
    """What is checked."""
    return Part()


@pytest.fixture
def check(part: Part) -> HealthCheck:
    """The check of it, on the part's own clock."""
    return HealthCheck("disk", part.measure, Refusal, clock=lambda: part.now)


async def test_those_who_ask_at_once_share_one_measurement(part: Part, check: HealthCheck) -> None:
    """A hundred requests that wait together cost one write."""
    part.go_on.clear()
    asking = [asyncio.create_task(check.result()) for _ in range(100)]
    await asyncio.sleep(0)
    part.now = 60.0  # also when it takes long
    asking.append(asyncio.create_task(check.result()))
    await asyncio.sleep(0)
    part.go_on.set()
    results = await asyncio.gather(*asking)
    assert (part.measured, results) == (1, [CheckResult(is_ok=True, facts={"number": 1})] * 101)


async def test_a_result_serves_for_five_seconds(part: Part, check: HealthCheck) -> None:
    """A fault is told at the latest five seconds after the last success began, and its end as late."""
    seen = []
    for now, fault in ((0.0, None), (0.1, Refusal("full")), (4.9, None), (5.0, Refusal("full")), (9.9, None)):
        part.now, part.fault = now, fault
        seen.append((await check.result()).is_ok)
    part.now = 10.0
    seen.append((await check.result()).is_ok)
    assert (seen, part.measured) == ([True, True, True, False, False, True], 3)


async def test_a_fault_is_logged_once_for_all_who_ask(part: Part, check: HealthCheck) -> None:
    """The reason is told to each, and the log has one line for each measurement."""
    part.fault = Refusal("the disk is full")
    with capture_logs() as logs:
        results = await asyncio.gather(*(check.result() for _ in range(10)))
    assert {result.facts["reason"] for result in results} == {"the disk is full"}
    assert logs == [{"event": "health.unreachable", "log_level": "error", "part": "disk", "reason": "the disk is full"}]


async def test_a_caller_who_leaves_ends_no_check(part: Part, check: HealthCheck) -> None:
    """The others still get the result."""
    part.go_on.clear()
    leaving, staying = (asyncio.create_task(check.result()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    part.go_on.set()
    assert (await staying).is_ok
    assert (leaving.cancelled(), part.measured) == (True, 1)


async def test_a_bug_is_not_told_as_a_fault(part: Part, check: HealthCheck) -> None:
    """What is no known fault comes out as it is, and the next measurement may pass."""
    part.fault = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await check.result()
    part.now, part.fault = 5.0, None
    assert (await check.result()).is_ok
