"""Deep health: whether a part of a program answers now, found out at most once every few seconds.

A check writes to the disk, and a service's address is public: many requests must not become many writes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

MAX_AGE_S = 5.0
TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check measured, or the `reason` why the part does not answer."""

    is_ok: bool
    facts: Mapping[str, Any]


class HealthCheck:
    """Measures one part with a time limit. To be used from one event loop.

    Requests that come while it measures, or within MAX_AGE_S after it began, share its result, a fault as well as a
    success. So a fault is told at the latest MAX_AGE_S after the last success began. `faults` are the errors that mean
    that the part does not answer; any other is raised.
    """

    def __init__(
        self,
        part: str,
        measure: Callable[[], Awaitable[Mapping[str, Any]]],
        *faults: type[Exception],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.part = part
        self._measure = measure
        self._faults: tuple[type[Exception], ...] = (*faults, TimeoutError)
        self._clock = clock
        self._began_at = float("-inf")
        self._check: asyncio.Task[CheckResult] | None = None

    async def result(self) -> CheckResult:
        """Return the shared result, measuring if it is too old; a caller who leaves ends no check of the others."""
        now = self._clock()
        if self._check is None or (self._check.done() and now - self._began_at >= MAX_AGE_S):
            self._began_at = now
            self._check = asyncio.create_task(self._measured())
        return await asyncio.shield(self._check)

    async def _measured(self) -> CheckResult:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return CheckResult(is_ok=True, facts=await self._measure())
        except self._faults as error:
            reason = str(error) or f"no answer within {TIMEOUT_S:g} s"
            log.error("health.unreachable", part=self.part, reason=reason)
            return CheckResult(is_ok=False, facts={"reason": reason})
