"""The retry policy: when a message is tried again, and when it becomes a dead letter."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.queue.embedded.messages import LeasedMessage, State, epoch_ms
from backends.queue.embedded.retry_policy import ACKNOWLEDGED, Failure, RedeliveryPolicy

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
FRACTIONS = st.floats(min_value=0, max_value=1)


def leased(
    state: State = State.WAITING, attempts: int = 1, dead_letter_attempts: int = 0, deferrals: int = 0
) -> LeasedMessage:
    """A message that is being delivered."""
    return LeasedMessage(7, b"", {}, NOW, state, attempts, deferrals, dead_letter_attempts, None)


def test_acknowledging_answers_are_pubsubs() -> None:
    """Pub/Sub's five status codes acknowledge, and no others."""
    assert {102, 200, 201, 202, 204} == ACKNOWLEDGED


@pytest.mark.parametrize(
    ("attempt", "least", "most"), [(1, 0.5, 1), (2, 1, 2), (3, 2, 4), (10, 256, 512), (11, 300, 600), (99, 300, 600)]
)
def test_backoff_doubles_up_to_the_most(attempt: int, least: float, most: float) -> None:
    """The wait doubles with each attempt up to the maximum, spread over its upper half."""
    policy = RedeliveryPolicy(min_backoff_s=0.5, max_backoff_s=600)
    assert (policy.backoff_s(attempt, 0), policy.backoff_s(attempt, 1)) == (least, most)


@given(st.integers(1, 10**6), FRACTIONS, st.floats(0.001, 10), st.floats(10, 10**5))
def test_backoff_stays_in_bounds(attempt: int, fraction: float, least: float, most: float) -> None:
    """For every attempt the wait is at most the maximum and at least the minimum or half of the maximum."""
    waited = RedeliveryPolicy(min_backoff_s=least, max_backoff_s=most).backoff_s(attempt, fraction)
    assert min(least, most / 2) <= waited <= most


def test_acknowledged_message_goes() -> None:
    """An acknowledged message has no state."""
    assert RedeliveryPolicy().settle(leased(), None, now=NOW, fraction=0).state is None


def test_failed_message_waits() -> None:
    """After a failed delivery the message waits for its back-off and keeps the reason."""
    settlement = RedeliveryPolicy(min_backoff_s=1).settle(
        leased(attempts=3), Failure("answered 503"), now=NOW, fraction=0.5
    )
    assert settlement.state is State.WAITING
    assert settlement.due_ms == epoch_ms(NOW) + 6000
    assert (settlement.failure, settlement.died_at) == ("answered 503", None)


@pytest.mark.parametrize(("url", "state"), [("http://worker/dead-letter", State.UNDELIVERED), (None, State.DEAD)])
def test_last_attempt_gives_up(url: str | None, state: State) -> None:
    """After the last attempt the message is pushed to the dead-letter address at once, or is dead without one."""
    policy = RedeliveryPolicy(max_delivery_attempts=5, dead_letter_url=url)
    settlement = policy.settle(leased(attempts=5), Failure("ReadTimeout"), now=NOW, fraction=0.5)
    assert (settlement.state, settlement.due_ms) == (state, epoch_ms(NOW))
    assert settlement.died_at == "2026-11-24T08:00:00.000000Z"


def test_dead_letter_is_tried_for_ever() -> None:
    """A refused dead letter waits by its own count of attempts and is tried for ever."""
    policy = RedeliveryPolicy(min_backoff_s=1, max_backoff_s=600, dead_letter_url="http://worker/dead-letter")
    settlement = policy.settle(leased(State.UNDELIVERED, 100, 1), Failure("answered 503"), now=NOW, fraction=1)
    assert (settlement.state, settlement.due_ms) == (State.UNDELIVERED, epoch_ms(NOW) + 2000)
    assert policy.settle(leased(State.UNDELIVERED, 100, 10**6), None, now=NOW, fraction=0).state is State.DEAD


@pytest.mark.parametrize(
    ("attempts", "asked_s", "wait_ms"),
    [(1, 43_200, 43_201_000), (1, 10**9, 86_401_000), (1, 0, 1000), (12, 1, 600_000)],
)
def test_a_wait_that_the_answer_asks_for_is_the_least(attempts: int, asked_s: float, wait_ms: int) -> None:
    """The message waits for `retry-after`, at most a day, or for the back-off if that is longer."""
    failure = Failure("answered 429", asked_s)
    settlement = RedeliveryPolicy().settle(leased(attempts=attempts), failure, now=NOW, fraction=1)
    assert settlement.due_ms == epoch_ms(NOW) + wait_ms


@pytest.mark.parametrize("failure", [Failure("answered 429", 60.0), Failure("answered 503")])
def test_an_attempt_that_is_told_to_wait_does_not_count(failure: Failure) -> None:
    """After any number of such answers the message still waits and keeps its other attempts."""
    policy = RedeliveryPolicy(max_delivery_attempts=3)
    settlement = policy.settle(leased(attempts=1000, deferrals=998), failure, now=NOW, fraction=0)
    assert settlement.state is State.WAITING
    assert settlement.attempts - settlement.deferrals == (1 if failure.retry_after_s else 2)
    assert not policy.is_exhausted(leased(attempts=1001, deferrals=998))
    assert policy.is_exhausted(leased(attempts=1002, deferrals=998))
