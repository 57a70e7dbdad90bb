"""What a delivery's end means for its message, by Pub/Sub's rules: acknowledged, tried again later, or given up.

One rule is our own: Pub/Sub ignores an answer's `retry-after`; here it is the least wait, and such an attempt does not
count towards the most. So an event outlives a spent rate limit or a lapsed app without asking again in between.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from backends.queue.embedded.messages import LeasedMessage, Settlement, State, epoch_ms
from runtime.clock import utc_text

ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})  # https://cloud.google.com/pubsub/docs/push#receive_push
LONGEST_RETRY_AFTER_S = 86_400.0  # Strava's longest window; whoever asks for more is asked again tomorrow


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a delivery was not acknowledged, and how long a wait the answer asked for, if it did."""

    reason: str
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RedeliveryPolicy:
    """How hard to try. Without a `dead_letter_url` a message that was given up is only kept.

    A stopped deliverer waits `stop_grace_s` for the pushes under way: most process managers kill after ten seconds,
    and a killed deliverer's leases last until their end.
    """

    concurrency: int = 16
    max_delivery_attempts: int = 100
    min_backoff_s: float = 0.5
    max_backoff_s: float = 600.0
    ack_deadline_s: float = 60.0
    stop_grace_s: float = 8.0
    dead_letter_url: str | None = None

    def backoff_s(self, attempt: int, fraction: float) -> float:
        """Return the wait after that many attempts: at least `min_backoff_s`, doubling up to `max_backoff_s`.

        `fraction` (0 to 1) spreads it over the upper half, so that what failed together does not return together.
        """
        ceiling = min(self.max_backoff_s, self.min_backoff_s * 2.0 ** min(attempt, 60))
        return ceiling * (1 + fraction) / 2

    def wait_s(self, attempt: int, failure: Failure, fraction: float) -> float:
        """Return the back-off, or the wait that the answer asked for, a little spread, where that is longer."""
        backoff_s = self.backoff_s(attempt, fraction)
        if failure.retry_after_s is None:
            return backoff_s
        asked_s = min(max(failure.retry_after_s, 0.0), LONGEST_RETRY_AFTER_S)
        return max(backoff_s, asked_s + self.backoff_s(1, fraction))

    def is_exhausted(self, message: LeasedMessage) -> bool:
        """Tell whether this lease is one too many: the last deliveries ended without an answer that we lived to see."""
        return message.state is State.WAITING and message.attempts - message.deferrals > self.max_delivery_attempts

    def settle(self, message: LeasedMessage, failure: Failure | None, *, now: datetime, fraction: float) -> Settlement:
        """Decide what becomes of the message after a delivery that failed so, or (None) was acknowledged."""
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
