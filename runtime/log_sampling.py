"""Warnings that a stranger can cause: at most one line a second, so that a flood of requests is no flood of lines."""

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class SampledWarnings:
    """Logs one kind of refusal at most once a second; `count` is how many there were since the line before."""

    def __init__(self, event: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._event = event
        self._clock = clock
        self._next_at = float("-inf")
        self._count = 0

    def warning(self, **fields: object) -> None:
        """Log one refusal, or count it."""
        self._count += 1
        now = self._clock()
        if now >= self._next_at:
            log.warning(self._event, count=self._count, **fields)
            self._next_at, self._count = now + 1, 0
