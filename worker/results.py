"""How one delivery ended, and the one table that maps an error to such an end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

from backends.queue.envelope import UnreadableEnvelope
from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Decision, Observation
from backends.warehouse.ledger import Outcome
from strava.errors import (
    AppInactive,
    AppRejected,
    NotConnected,
    RateLimited,
    Refused,
    Retryable,
    UnreadableAnswer,
)
from strava.events import UnreadableEvent
from worker.reason_kinds import OWN_FAULT, kind_of

ACKNOWLEDGED = HTTPStatus.NO_CONTENT
SHORT_RETRY_ATTEMPTS = 10  # after so many an event waits off the queue, for `LONG_RETRY_S` or longer
LONG_RETRY_S = 600.0
LONGEST_IN_QUEUE_S = 1200.0  # a spent quarter hour waits in the queue; a spent day or a lapsed app does not


class TryLater(Exception):
    """The event cannot be finished now, but most likely can in a while; the sentence says why.

    `kind` is the word for it. `retry_after` is in seconds, where more than the queue's own back-off is wanted.
    """

    def __init__(self, kind: str, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What the ledger keeps (`outcome`, `reason`, `kind`) and what the queue is answered (`status`, `retry_after_s`).

    What is deferred and acknowledged is off the queue: the ledger keeps when it is published again.
    """

    outcome: Outcome
    reason: str
    status: HTTPStatus = ACKNOWLEDGED
    retry_after_s: float | None = None
    kind: str | None = None

    @property
    def is_off_queue(self) -> bool:
        """Whether it waits in the ledger and not in the queue."""
        return self.outcome is Outcome.DEFERRED and self.status is ACKNOWLEDGED


OF_PURGED = Result(outcome=Outcome.PURGED, reason="It is of an athlete whose data was removed; nothing was kept.")
ResultOf = Callable[[Decision], Result]
# Stores an observation together with the ledger row of the delivery, once, and returns the result. What its `ResultOf`
# raises is looked up as any error. Raises WarehouseBusy.
Record = Callable[[Observation, ResultOf], Awaitable[Result]]


# The first row that fits decides. 204 takes a message off the queue, all else brings it again.
_TABLE: tuple[tuple[type[Exception], Outcome, HTTPStatus], ...] = (
    (RateLimited, Outcome.DEFERRED, HTTPStatus.TOO_MANY_REQUESTS),
    (Retryable, Outcome.DEFERRED, HTTPStatus.SERVICE_UNAVAILABLE),
    (UnreadableAnswer, Outcome.DEFERRED, HTTPStatus.SERVICE_UNAVAILABLE),
    (AppInactive, Outcome.DEFERRED, HTTPStatus.SERVICE_UNAVAILABLE),
    (AppRejected, Outcome.DEFERRED, HTTPStatus.SERVICE_UNAVAILABLE),
    (TokensUnavailable, Outcome.DEFERRED, HTTPStatus.SERVICE_UNAVAILABLE),
    (WarehouseBusy, Outcome.DEFERRED, HTTPStatus.SERVICE_UNAVAILABLE),
    (
        NotConnected,
        Outcome.DEFERRED,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),  # of a known athlete: see `event_router`
    (TryLater, Outcome.DEFERRED, HTTPStatus.SERVICE_UNAVAILABLE),
    (Refused, Outcome.PARKED, ACKNOWLEDGED),
    (UnreadableEvent, Outcome.PARKED, ACKNOWLEDGED),
    (UnreadableEnvelope, Outcome.PARKED, ACKNOWLEDGED),
)


def result_of_error(error: Exception, attempt: int = 1) -> Result:
    """Look an error up. One that is not in the table is a fault of ours: 500, so that nothing is lost by it.

    What time alone can cure is never given up: where it takes longer than minutes, or was tried often already, the
    event leaves the queue, whose attempts are counted, and comes again from the ledger.
    """
    for kind, outcome, status in _TABLE:
        if isinstance(error, kind):
            result = Result(outcome=outcome, reason=_sentence(error), status=status, kind=kind_of(error))
            return _with_wait(result, error, attempt) if outcome is Outcome.DEFERRED else result
    return Result(
        outcome=Outcome.DEFERRED,
        reason=f"A fault of this program ({type(error).__name__}); its log tells more. It will be tried again.",
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        kind=OWN_FAULT,
    )


def _with_wait(result: Result, error: Exception, attempt: int) -> Result:
    wait_s = _retry_after_s(error)
    if attempt <= SHORT_RETRY_ATTEMPTS and (wait_s is None or wait_s <= LONGEST_IN_QUEUE_S):
        return replace(result, retry_after_s=wait_s)
    return replace(result, status=ACKNOWLEDGED, retry_after_s=LONG_RETRY_S if wait_s is None else wait_s)


def _retry_after_s(error: Exception) -> float | None:
    """Return the wait before which another try is in vain, where that is known."""
    return error.retry_after if isinstance(error, RateLimited | AppInactive | AppRejected | TryLater) else None


def _sentence(error: Exception) -> str:
    if isinstance(error, UnreadableEvent | UnreadableEnvelope):
        return f"The message cannot be read: {error}."
    return str(error)
