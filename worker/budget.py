"""Remembers that Strava answers nobody for a while, so that nobody asks in vain: a spent rate limit, a lapsed app."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from strava.errors import AppInactive, AppRejected, RateLimited
from worker.clock_steps import steady_s

T = TypeVar("T")

_LONGEST_S = 86_400.0  # Strava's longest window

_Closing = RateLimited | AppInactive | AppRejected


class CallBudget:
    """The app's calls, shared by all of its athletes, as one process knows them.

    While nobody knows whether Strava answers (at the start, and when a wait has ended) one call probes and all others
    wait for its end: a thousand waiting events cost one call. Waits are counted by a clock that is never set.
    """

    def __init__(self, *, steady: Callable[[], float] = steady_s) -> None:
        self._steady = steady
        self._is_open = False
        self._closed_by: _Closing | None = None
        self._closed_until_s = float("-inf")
        self._probe = asyncio.Lock()

    async def spend(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what the call returns.

        Raises what it raises, and without calling RateLimited, AppInactive or AppRejected while that is known.
        """
        self._refuse_while_closed()
        if self._is_open:
            return await self._watched(call)
        async with self._probe:
            self._refuse_while_closed()
            return await self._watched(call)

    async def _watched(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            answer = await call()
        except (RateLimited, AppInactive, AppRejected) as error:
            self._close(error)
            raise
        except Exception:  # it is about this call, not about all
            self._note_answer()
            raise
        self._note_answer()
        return answer

    def _note_answer(self) -> None:
        """Strava answers somebody; a call that began before the refusal says nothing about what is after it."""
        self._is_open = self._closed_by is None

    def _close(self, error: _Closing) -> None:
        until_s = self._steady() + min(error.retry_after, _LONGEST_S)
        if self._closed_by is None or until_s > self._closed_until_s:
            self._closed_by, self._closed_until_s = error, until_s
        self._is_open = False

    def _refuse_while_closed(self) -> None:
        left_s = self._closed_until_s - self._steady()
        if self._closed_by is None or left_s <= 0:
            self._closed_by = None
        elif isinstance(self._closed_by, RateLimited):
            raise RateLimited(left_s, self._closed_by.limits)
        else:
            raise type(self._closed_by)(left_s)
