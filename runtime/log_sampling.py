"""Log lines that requests from outside cause: a few a second at most, so that a flood of requests fills no log."""

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class LogSampler:
    """Selects the first `lines_per_s` occurrences of each second for the log, and counts the others."""

    def __init__(self, *, lines_per_s: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._lines_per_s = lines_per_s
        self._clock = clock
        self._second_ends = float("-inf")
        self._lines = 0
        self.not_logged = 0  # occurrences since the last line

    def count(self) -> int:
        """Count one occurrence. Return how many its line stands for, itself included, or 0 when it gets no line."""
        now = self._clock()
        if now >= self._second_ends:
            self._second_ends, self._lines = now + 1, 0
        self.not_logged += 1
        if self._lines == self._lines_per_s:
            return 0
        self._lines += 1
        count, self.not_logged = self.not_logged, 0
        return count


class SampledWarnings:
    """Logs one kind of refusal at most once a second; `count` is how many there were since the line before."""

    def __init__(self, event: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._event = event
        self._sampler = LogSampler(clock=clock)

    def warning(self, **fields: object) -> None:
        """Log one refusal, or count it."""
        if count := self._sampler.count():
            log.warning(self._event, count=count, **fields)
