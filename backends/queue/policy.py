"""What a delivery's end means for its message, by Pub/Sub's rules: acknowledged, tried again later, or given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from backends.queue.messages import LeasedMessage, Settlement, State, epoch_ms
from backends.sqlite import utc_text

ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})  # https://cloud.google.com/pubsub/docs/push#receive_push


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryPolicy:
    """How hard to try. Without a `dead_letter_url` a message that was given up is only kept."""

    concurrency: int = 16
    max_delivery_attempts: int = 100
    min_backoff_s: float = 0.5
    max_backoff_s: float = 600.0
    ack_deadline_s: float = 60.0
    dead_letter_url: str | None = None

    def backoff_s(self, attempt: int, fraction: float) -> float:
        """Return the wait after that many attempts: at least `min_backoff_s`, doubling up to `max_backoff_s`.

        `fraction` (0 to 1) spreads it over the upper half, so that what failed together does not return together.
        """
        ceiling = min(self.max_backoff_s, self.min_backoff_s * 2.0 ** min(attempt, 60))
        return ceiling * (1 + fraction) / 2

    def is_exhausted(self, message: LeasedMessage) -> bool:
        """Tell whether this lease is one too many: the last deliveries ended without an answer that we lived to see."""
        return message.state is State.WAITING and message.attempts > self.max_delivery_attempts

    def settle(self, message: LeasedMessage, failure: str | None, *, now: datetime, fraction: float) -> Settlement:
        """Decide what becomes of the message after a delivery that failed so, or (None) was acknowledged."""
        attempts, state, due, died = message.attempts, message.state, now, False
        if failure is None:
            return _settlement(message, None if state is State.WAITING else State.DEAD, now)
        if state is State.WAITING and attempts >= self.max_delivery_attempts:
            state, died = State.UNDELIVERED if self.dead_letter_url else State.DEAD, True
        else:
            tried = attempts if state is State.WAITING else message.dead_letter_attempts
            due = now + timedelta(seconds=self.backoff_s(tried, fraction))
        return _settlement(message, state, due, failure=failure, died_at=utc_text(now) if died else None)


def _settlement(
    message: LeasedMessage,
    state: State | None,
    due: datetime,
    *,
    failure: str | None = None,
    died_at: str | None = None,
) -> Settlement:
    return Settlement(
        message_id=message.message_id,
        attempts=message.attempts,
        dead_letter_attempts=message.dead_letter_attempts,
        state=state,
        due_ms=epoch_ms(due),
        failure=failure,
        died_at=died_at,
    )
