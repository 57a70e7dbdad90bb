"""Decides by Pub/Sub's rules what happens to a message after a delivery: acknowledge, retry or dead letter.

One rule differs: Pub/Sub ignores `retry-after`. Here it is the shortest wait, and such an attempt does not count
towards `max_delivery_attempts`. So an event outlives a spent quarter hour; the worker takes longer waits off the queue.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from backends.queue.embedded.messages import LeasedMessage, Settlement, State, epoch_ms
from runtime.clock import utc_text

ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})  # https://cloud.google.com/pubsub/docs/push#receive_push
LONGEST_RETRY_AFTER_S = 86_400.0  # Strava's longest window; a longer wait is cut to it


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a delivery was not acknowledged, and the wait that the answer asked for, if any."""

    reason: str
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RedeliveryPolicy:
    """The limits and waits of deliveries. Without a `dead_letter_url` dead letters are kept and not pushed.

    A stopped deliverer waits `stop_grace_s` for the pushes under way. Most process managers kill after ten seconds, and
    the leases of a killed deliverer block their messages until they end.
    """

    concurrency: int = 16
    max_delivery_attempts: int = 100
    min_backoff_s: float = 0.5
    max_backoff_s: float = 600.0
    ack_deadline_s: float = 60.0
    stop_grace_s: float = 8.0
    dead_letter_url: str | None = None

    def backoff_s(self, attempt: int, fraction: float) -> float:
        """Return the wait after that many attempts: `min_backoff_s` or more, doubling up to `max_backoff_s`.

        `fraction` (0 to 1) spreads it over the upper half, so that messages that failed together do not retry together.
        """
        ceiling = min(self.max_backoff_s, self.min_backoff_s * 2.0 ** min(attempt, 60))
        return ceiling * (1 + fraction) / 2

    def wait_s(self, attempt: int, failure: Failure, fraction: float) -> float:
        """Return the back-off, or the wait that the answer asked for, slightly spread, if that is longer."""
        backoff_s = self.backoff_s(attempt, fraction)
        if failure.retry_after_s is None:
            return backoff_s
        asked_s = min(max(failure.retry_after_s, 0.0), LONGEST_RETRY_AFTER_S)
        return max(backoff_s, asked_s + self.backoff_s(1, fraction))

    def is_exhausted(self, message: LeasedMessage) -> bool:
        """Whether the attempts were spent already: earlier deliverers were killed before they saw the last answers."""
        return message.state is State.WAITING and message.attempts - message.deferrals > self.max_delivery_attempts

    def settle(self, message: LeasedMessage, failure: Failure | None, *, now: datetime, fraction: float) -> Settlement:
        """Decide the message's new state after a delivery, which was acknowledged if `failure` is None."""
        is_waiting = message.state is State.WAITING
        if failure is None:
            return _settlement(message, None if is_waiting else State.DEAD, now, due=now)
        if is_waiting and failure.retry_after_s is not None:
            message = replace(message, deferrals=message.deferrals + 1)
        if is_waiting and message.attempts - message.deferrals >= self.max_delivery_attempts:
            state = State.UNDELIVERED if self.dead_letter_url else State.DEAD
            return _settlement(message, state, now, due=now, failure=failure.reason)
        tried = message.attempts if is_waiting else message.dead_letter_attempts
        due = now + timedelta(seconds=self.wait_s(tried, failure, fraction))
        return _settlement(message, message.state, now, due=due, failure=failure.reason)


def _settlement(
    message: LeasedMessage, state: State | None, now: datetime, *, due: datetime, failure: str | None = None
) -> Settlement:
    return Settlement(
        message_id=message.message_id,
        attempts=message.attempts,
        deferrals=message.deferrals,
        dead_letter_attempts=message.dead_letter_attempts,
        state=state,
        due_ms=epoch_ms(due),
        decided_ms=epoch_ms(now),
        failure=failure,
        died_at=utc_text(now) if failure and state is not message.state else None,
    )
