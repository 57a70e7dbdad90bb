"""Strava's rate headers, read without trust: any casing, any of them absent.

Windows end on the quarter hour and at midnight UTC: https://developers.strava.com/docs/rate-limits/.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Self

QUARTER_S = 900.0
DAY_S = 86_400.0
LEEWAY_S = 5.0  # between our clock and Strava's: a wait ends so long after the reset
_JUST_RESET_S = 60.0  # a limit cannot be spent so soon after a reset, so by Strava's clock the reset is still to come


@dataclass(frozen=True, kw_only=True, slots=True)
class RateWindow:
    """Calls allowed and calls made in one window."""

    limit: int
    used: int

    @property
    def left(self) -> int:
        """How many calls remain, never below zero."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, kw_only=True, slots=True)
class RateUsage:
    """What one answer said of the app's limits: overall and for reads, each by quarter hour and by day."""

    quarter: RateWindow | None = None
    day: RateWindow | None = None
    read_quarter: RateWindow | None = None
    read_day: RateWindow | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self | None:
        """Read the headers of an answer, or return None when it says nothing of limits."""
        lowered = {name.lower(): value for name, value in headers.items()}
        quarter, day = _windows(lowered, "x-ratelimit")
        read_quarter, read_day = _windows(lowered, "x-readratelimit")
        if quarter is day is read_quarter is read_day is None:
            return None
        return cls(quarter=quarter, day=day, read_quarter=read_quarter, read_day=read_day)

    @property
    def is_day_spent(self) -> bool:
        """Whether only midnight UTC brings new calls."""
        return any(window is not None and window.left == 0 for window in (self.day, self.read_day))


def wait_for_next_window(now: datetime) -> float:
    """Return the seconds from `now` (aware) until a spent quarter hour is surely over, by either clock."""
    return _wait(_seconds_of_day(now) % QUARTER_S, QUARTER_S)


def wait_for_next_day(now: datetime) -> float:
    """Return the seconds from `now` (aware) until a spent UTC day is surely over, by either clock."""
    return _wait(_seconds_of_day(now), DAY_S)


def _wait(passed_s: float, whole_s: float) -> float:
    return _JUST_RESET_S - passed_s if passed_s < _JUST_RESET_S else whole_s - passed_s + LEEWAY_S


def _seconds_of_day(now: datetime) -> float:
    moment = now.astimezone(UTC)
    return (moment - datetime.combine(moment.date(), time.min, moment.tzinfo)) / timedelta(seconds=1)


def _windows(headers: Mapping[str, str], family: str) -> tuple[RateWindow | None, RateWindow | None]:
    limits = _numbers(headers.get(f"{family}-limit", ""))
    used = _numbers(headers.get(f"{family}-usage", ""))
    pairs = [RateWindow(limit=limit, used=use) for limit, use in zip(limits, used, strict=False)]
    quarter, day, *_ = [*pairs, None, None]
    return quarter, day


def _numbers(value: str) -> list[int]:
    parts = [part.strip() for part in value.split(",")]
    return [int(part) for part in parts] if all(part.isascii() and part.isdigit() for part in parts) else []
