"""Fetches of single activities that failed: each rests for longer and longer, and the others go on.

They are forgotten when the process ends, unless `told` is kept: a restart tries each once more. What fails while
nothing else succeeds may fail for no reason of its own: it is a suspect, and rests only once something else was fetched
and it fails again.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

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
from worker.kept import key_of
from worker.turns import in_turns

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
    """Remembers on which activities a fetch failed, how often, until when each is left alone, and who is a suspect."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._failures: dict[int, int] = {}
        self._until: dict[int, datetime] = {}
        self._suspects: set[int] = set()

    def told(self) -> dict[str, list[float] | None]:
        """Return of each its failures and until when it rests, None of a suspect: what `remember` takes."""
        failed = {
            key_of(each): [count, self._until[each].timestamp() if each in self._until else 0.0]
            for each, count in self._failures.items()
        }
        return failed | dict.fromkeys(map(key_of, self._suspects))

    def remember(self, told: dict[str, list[float] | None], activity_ids: Iterable[int]) -> None:
        """Take over what another program told of these, and remove it there."""
        for each in activity_ids:
            if (key := key_of(each)) not in told:
                continue
            kept = told.pop(key)
            if kept is None:
                self._suspects.add(each)
                continue
            self._failures[each] = int(kept[0])
            if kept[1]:
                self._until[each] = datetime.fromtimestamp(kept[1], UTC)

    @property
    def is_empty(self) -> bool:
        """Whether nothing failed that was not fetched since."""
        return not self._failures

    def tries(self, activity_id: int) -> int | None:
        """Return how often a call may be made at most: once where it failed before, else as ever."""
        return 1 if activity_id in self._failures or activity_id in self._suspects else None

    def ready(self, activity_ids: Iterable[int]) -> list[int]:
        """Return those that may be asked for now, in order, what failed before after all others.

        One that never failed comes before the suspects, to prove them; without one each is to prove itself.
        """
        now = self._clock()
        # A rest that a set clock made longer than any is over.
        ready = [each for each in activity_ids if not now < self._until.get(each, now) <= now + _LONGEST_REST]
        proof = next((each for each in ready if each not in self._failures and each not in self._suspects), None)
        if proof is None:
            self._failures |= dict.fromkeys(self._suspects.intersection(ready), 0)
            self._suspects.difference_update(ready)
        return sorted(ready, key=lambda each: (each in self._failures, each != proof))

    def add(self, activity_id: int) -> datetime:
        """Count a failure; return until when the activity rests."""
        failures = self._failures[activity_id] = self._failures.get(activity_id, 0) + 1
        until = self._clock() + min(_LONGEST_REST, _FIRST_REST * (1 << min(failures - 1, 30)))
        self._until[activity_id] = until
        self._suspects.discard(activity_id)
        return until

    def end(self, activity_id: int) -> None:
        """Forget the activity: it was fetched."""
        self._failures.pop(activity_id, None)
        self._until.pop(activity_id, None)
        self._suspects.discard(activity_id)

    def suspect(self, activity_ids: Iterable[int]) -> None:
        """Take the rests back of what failed for the first time."""
        for each in activity_ids:
            self.end(each)
            self._suspects.add(each)

    def has_suspect(self, activity_ids: Iterable[int]) -> bool:
        """Tell whether a suspect is among them."""
        return not self._suspects.isdisjoint(activity_ids)

    def is_known(self, activity_id: int, *, is_proven: bool) -> bool:
        """Tell whether it failed before this failure; a suspect did where something else was fetched meanwhile."""
        return activity_id in self._failures or (is_proven and activity_id in self._suspects)

    def ends(self, activity_ids: Iterable[int]) -> list[datetime]:
        """Return until when each rests of those that failed, the first end first."""
        return sorted(self._until[each] for each in set(activity_ids) if each in self._until)


class Attempts:
    """One round of fetches. It tells that Strava fails on one activity from that it fails on all."""

    def __init__(self, rests: Rests, event: str) -> None:
        self._rests = rests
        self._event = event
        self._in_a_row = 0
        self._for_the_first_time: list[int] = []  # of those in a row
        self._is_answered = False

    async def each(self, activity_ids: Iterable[int], fetch: Callable[[int], Awaitable[None]], *, at_once: int) -> None:
        """Fetch each that is ready, in order, some at a time, but what proves suspects first and alone.

        Raises what the fetch raises.
        """
        ready = self._rests.ready(activity_ids)
        alone = 1 if self._rests.has_suspect(ready) else 0
        await in_turns(ready[:alone], fetch, at_once=1)
        await in_turns(ready[alone:], fetch, at_once=at_once)

    @contextmanager
    def of(self, activity_id: int) -> Iterator[None]:
        """Have the activity rest where the fetch inside fails, and log why under the round's event.

        An error that may be about the activity alone ends here, until there are too many in a row; any other is raised.
        Once Strava answered in this round, any may be about the activity alone.
        """
        try:
            yield
        except _OF_EVERYTHING:
            raise
        except Exception as error:
            if not self._rests.is_known(activity_id, is_proven=self._is_answered):
                self._for_the_first_time.append(activity_id)
            reason = str(error) if isinstance(error, StravaError) else type(error).__name__
            retry_at = utc_text(self._rests.add(activity_id))
            log.warning(self._event, activity_id=activity_id, reason=reason, retry_at=retry_at)
            if isinstance(error, NotFound):
                self._succeed()
                return
            self._in_a_row += 1
            is_of_one_thing = self._is_answered or isinstance(error, OF_ONE_THING)
            if not is_of_one_thing or self._in_a_row >= _MOST_FAILURES:
                self._rests.suspect(self._for_the_first_time)
                log.info("attempts.rests_taken_back", activity_ids=self._for_the_first_time)
                raise
        else:
            self._rests.end(activity_id)
            self._succeed()

    def _succeed(self) -> None:
        """Note that Strava answers: what failed before did so for a reason of its own."""
        self._in_a_row, self._is_answered = 0, True
        self._for_the_first_time.clear()
