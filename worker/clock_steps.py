"""Notices that the wall clock was set, by the clock that only counts on: what was stamped before cannot be compared."""

from collections.abc import Callable
from datetime import datetime

from runtime.clock import steady_s

_TOLERANCE_S = 0.5  # more than two readings lie apart, less than an edit takes
_UNSETTLED_S = 300.0  # after a step: longer than an event is on its way


class ClockSteps:
    """Compares the wall clock with the steady one at each look."""

    def __init__(self, clock: Callable[[], datetime], steady: Callable[[], float] = steady_s) -> None:
        self._clock = clock
        self._steady = steady
        self._offset_s = self._measured()
        self._stepped_at_s = float("-inf")

    def has_stepped(self) -> bool:
        """Whether the wall clock was set since the last look, to either side."""
        before, self._offset_s = self._offset_s, self._measured()
        if abs(self._offset_s - before) <= _TOLERANCE_S:
            return False
        self._stepped_at_s = self._steady()
        return True

    def is_settled(self) -> bool:
        """Whether no step was noticed within the last minutes."""
        return self._steady() - self._stepped_at_s > _UNSETTLED_S

    def _measured(self) -> float:
        return self._clock().timestamp() - self._steady()
