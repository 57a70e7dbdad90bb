"""Strava's rate limits: two budgets (all requests, reads), each over the natural quarter hour and the UTC day.

https://developers.strava.com/docs/rate-limits/
"""

from dataclasses import dataclass
from datetime import datetime

from simulator.journal import Journal

QUARTER_S = 900
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests allowed per quarter hour and per day."""

    quarter: int
    day: int

    @classmethod
    def from_text(cls, text: str) -> "Limits":
        """Read `"100,1000"`. Raises ValueError."""
        quarter, day = (int(part) for part in text.split(","))
        return cls(quarter, day)

    def __str__(self) -> str:
        return f"{self.quarter},{self.day}"


class Budget:
    """Counts requests against one pair of limits, remembered in the journal by name."""

    def __init__(self, journal: Journal, name: str, limits: Limits) -> None:
        self._journal, self._name, self.limits = journal, name, limits
        quarter_window, day_window, quarter, day = journal.of("rates").get(name, (-1, -1, 0, 0))
        self._windows, self._used = (quarter_window, day_window), (quarter, day)

    def spend(self, now: datetime) -> bool:
        """Count one request, over the limit or not; return whether it was within."""
        quarter, day = self.used(now)
        self._used = (quarter + 1, day + 1)
        self._journal.put("rates", self._name, [*self._windows, *self._used])
        return quarter < self.limits.quarter and day < self.limits.day

    def used(self, now: datetime) -> tuple[int, int]:
        """Return what was used of the quarter hour and of the day at `now`."""
        epoch = int(now.timestamp())
        windows = (epoch // QUARTER_S, epoch // DAY_S)
        old, used = self._windows, self._used
        self._used = (used[0] if windows[0] == old[0] else 0, used[1] if windows[1] == old[1] else 0)
        self._windows = windows
        return self._used


class RateMeter:
    """Both budgets of the application, and the headers that tell them."""

    def __init__(self, journal: Journal, *, overall: Limits, read: Limits) -> None:
        self._overall, self._read = Budget(journal, "overall", overall), Budget(journal, "read", read)

    def spend_read(self, now: datetime) -> bool:
        """Count one read against both budgets; return whether both had room."""
        within = [budget.spend(now) for budget in (self._overall, self._read)]
        return all(within)

    def headers(self, now: datetime) -> dict[str, str]:
        """Return the four headers."""
        named = (("X-RateLimit", self._overall), ("X-ReadRateLimit", self._read))
        limits = {f"{name}-Limit": str(budget.limits) for name, budget in named}
        return limits | {f"{name}-Usage": "{},{}".format(*budget.used(now)) for name, budget in named}
