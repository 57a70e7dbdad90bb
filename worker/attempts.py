"""Fetches of single activities that failed: each rests for longer and longer, and the others go on.

They are forgotten when the process ends: a restart tries each once more.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from runtime.clock import utc_now, utc_text
from strava.errors import (
    OF_ONE_THING,
    AccessTokenRefused,
    AppInactive,
    AppRejected,
    NotFound,
    RateLimited,
    StravaError,
    TokenRejected,
)

log = structlog.get_logger(__name__)

_FIRST_REST = timedelta(minutes=15)
_LONGEST_REST = timedelta(days=1)
_MOST_FAILURES = 5  # in a row, before Strava itself is thought to fail
# What says nothing about the activity that was asked for.
_OF_EVERYTHING = (
    RateLimited,
    AppInactive,
    AppRejected,
    AccessTokenRefused,
    TokenRejected,
    TokensUnavailable,
    WarehouseBusy,
)


class Rests:
    """Remembers on which activities a fetch failed, how often, and until when each is left alone."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._failures: dict[int, int] = {}
        self._until: dict[int, datetime] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing failed that was not fetched since."""
        return not self._failures

    def tries(self, activity_id: int) -> int | None:
        """Return how often a call may be made at most: once where it failed before, else as ever."""
        return 1 if activity_id in self._failures else None

    def ready(self, activity_ids: Iterable[int]) -> list[int]:
        """Return those that may be asked for now, in order, what failed before after all others."""
        now = self._clock()
        # A rest that a set clock made longer than any is over.
        ready = [each for each in activity_ids if not now < self._until.get(each, now) <= now + _LONGEST_REST]
        return sorted(ready, key=lambda each: each in self._failures)

    def add(self, activity_id: int) -> datetime:
        """Count a failure; return until when the activity rests."""
        failures = self._failures[activity_id] = self._failures.get(activity_id, 0) + 1
        until = self._clock() + min(_LONGEST_REST, _FIRST_REST * (1 << min(failures - 1, 30)))
        self._until[activity_id] = until
        return until

    def end(self, activity_id: int) -> None:
        """Forget the activity: it was fetched."""
        self._failures.pop(activity_id, None)
        self._until.pop(activity_id, None)

    def ends(self, activity_ids: Iterable[int]) -> list[datetime]:
        """Return until when each rests of those that failed, the first end first."""
        return sorted(self._until[each] for each in set(activity_ids) if each in self._until)


class Attempts:
    """One round of fetches. It tells that Strava fails on one activity from that it fails on all."""

    def __init__(self, rests: Rests, event: str) -> None:
        self._rests = rests
        self._event = event
        self._in_a_row = 0

    @contextmanager
    def of(self, activity_id: int) -> Iterator[None]:
        """Have the activity rest where the fetch inside fails, and log why under the round's event.

        An error that may be about the activity alone ends here, until there are too many in a row; any other is raised.
        """
        try:
            yield
        except _OF_EVERYTHING:
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, StravaError) else type(error).__name__
            retry_at = utc_text(self._rests.add(activity_id))
            log.warning(self._event, activity_id=activity_id, reason=reason, retry_at=retry_at)
            if isinstance(error, NotFound):
                return
            self._in_a_row += 1
            if not isinstance(error, OF_ONE_THING) or self._in_a_row >= _MOST_FAILURES:
                raise
        else:
            self._rests.end(activity_id)
            self._in_a_row = 0
