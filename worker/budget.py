"""Remembers that Strava's rate limit is spent, so that nobody asks in vain before its reset."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from strava.errors import RateLimited
from strava.network import utc_now
from strava.rates import RateUsage

T = TypeVar("T")

_LONGEST_S = 86_400.0  # Strava's longest window


class CallBudget:
    """The app's limit, shared by all of its athletes, as one process knows it. A restart costs one call to learn it."""

    def __init__(self, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._spent_until: datetime | None = None
        self._limits: RateUsage | None = None

    async def spend(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what the call returns. Raises what it raises, and RateLimited without calling while that is known."""
        now = self._clock()
        if self._spent_until is not None and now < self._spent_until:
            raise RateLimited((self._spent_until - now).total_seconds(), self._limits)
        try:
            return await call()
        except RateLimited as error:
            self._remember(error)
            raise

    def _remember(self, error: RateLimited) -> None:
        until = self._clock() + timedelta(seconds=min(error.retry_after, _LONGEST_S))
        if self._spent_until is None or until > self._spent_until:
            self._spent_until, self._limits = until, error.limits
