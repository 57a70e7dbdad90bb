"""A clock that is set back delays no message of the embedded queue, and an idle deliverer reads two index rows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backends.queue.embedded import messages
from backends.queue.embedded.messages import LeasedMessage
from backends.queue.embedded.retry_policy import Failure, RedeliveryPolicy
from backends.sqlite import MIGRATIONS, open_database

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOURS = timedelta(hours=2)
MILLISECOND = timedelta(milliseconds=1)
SQL = Path(messages.__file__).parent / "sql"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An empty queue's file."""
    with closing(open_database(tmp_path / "pipeline.sqlite")) as connection:
        yield connection


def publish(queue: sqlite3.Connection, at: datetime, *datas: bytes) -> None:
    """Publish messages while the clock shows this moment."""
    messages.publish(queue, [messages.encode(data, {}) for data in datas], at)


def take(queue: sqlite3.Connection, now: datetime, how_many: int = 10) -> list[LeasedMessage]:
    """Lease the due messages for a minute."""
    return messages.take(queue, how_many=how_many, now=now, lease_until=now + timedelta(minutes=1))


def defer(queue: sqlite3.Connection, message: LeasedMessage, now: datetime) -> None:
    """Release it after an answer with a retry-after of ten minutes."""
    settlement = RedeliveryPolicy().settle(message, Failure("answered 429", 600.0), now=now, fraction=0.0)
    messages.settle(queue, [settlement])


def test_a_message_published_by_a_clock_ahead_is_due_when_the_clock_is_right(queue: sqlite3.Connection) -> None:
    """It is delivered at once and only once, with its id and its attempt."""
    publish(queue, NOON + HOURS, b"a")
    assert messages.next_due(queue).has_come(NOON)
    assert [(each.data, each.attempts) for each in take(queue, NOON)] == [(b"a", 1)]
    assert not messages.next_due(queue).has_come(NOON)
    assert take(queue, NOON) == []


def test_a_deferred_message_is_due_when_the_clock_was_set_back(queue: sqlite3.Connection) -> None:
    """The wait is not added to the hours by which the clock was wrong. With a correct clock the wait holds."""
    publish(queue, NOON + HOURS, b"a")
    [message] = take(queue, NOON + HOURS)
    defer(queue, message, NOON + HOURS)
    [again] = take(queue, NOON)
    defer(queue, again, NOON)
    assert not messages.next_due(queue).has_come(NOON + timedelta(minutes=9))
    assert [each.attempts for each in take(queue, NOON + timedelta(minutes=11))] == [3]


def test_a_lease_of_a_clock_ahead_ends_when_the_clock_is_set_back(queue: sqlite3.Connection) -> None:
    """The message under way is delivered once more, and the first acknowledgement counts."""
    publish(queue, NOON + HOURS, b"a")
    [first] = take(queue, NOON + HOURS)
    assert [each.attempts for each in take(queue, NOON)] == [2]
    assert take(queue, NOON) == []
    messages.settle(queue, [RedeliveryPolicy().settle(first, None, now=NOON, fraction=0.0)])
    assert messages.status(queue, NOON).waiting == 0


def test_a_few_seconds_are_no_step(queue: sqlite3.Connection) -> None:
    """A clock that is corrected by up to five seconds delivers nothing twice."""
    publish(queue, NOON, b"a")
    take(queue, NOON)
    leeway = timedelta(seconds=5)
    assert not messages.next_due(queue).has_come(NOON - leeway)
    assert take(queue, NOON - leeway) == []
    assert messages.next_due(queue).has_come(NOON - leeway - MILLISECOND)
    assert len(take(queue, NOON - leeway - MILLISECOND)) == 1


def test_due_ones_come_first_and_no_more_than_wanted(queue: sqlite3.Connection) -> None:
    """The newest goes first, then messages due by their time, then those due by a clock set back, in order of time."""
    publish(queue, NOON + HOURS, b"e", b"f")
    publish(queue, NOON, b"b", b"c", b"d")
    publish(queue, NOON - HOURS, b"a")
    taken = [[each.data for each in sorted(take(queue, NOON, 2), key=lambda each: each.message_id)] for _ in range(4)]
    assert taken == [[b"d", b"a"], [b"b", b"c"], [b"e", b"f"], []]


def test_a_live_message_does_not_wait_behind_a_backlog(queue: sqlite3.Connection) -> None:
    """For five seconds the newest is the first of each lot; then it waits its turn, and none is taken twice."""
    publish(queue, NOON - HOURS, *(b"%d" % number for number in range(8)))
    publish(queue, NOON, b"live")
    assert [each.data for each in take(queue, NOON + timedelta(seconds=5), 1)] == [b"live"]
    publish(queue, NOON, b"late")
    assert {each.data for each in take(queue, NOON + timedelta(seconds=5) + MILLISECOND, 3)} == {b"0", b"1", b"2"}
    soon = NOON + timedelta(seconds=30)
    publish(queue, soon, b"first", b"second")
    assert {each.data for each in take(queue, soon, 3)} == {b"second", b"3", b"4"}
    assert len(take(queue, soon)) == 5


def test_dead_letters_are_not_due_by_a_clock_set_back(queue: sqlite3.Connection) -> None:
    """A dead letter stays a dead letter."""
    publish(queue, NOON + HOURS, b"a")
    [message] = take(queue, NOON + HOURS)
    spent = replace(message, deferrals=0, attempts=1)
    policy = RedeliveryPolicy(max_delivery_attempts=1)
    messages.settle(queue, [policy.settle(spent, Failure("answered 500"), now=NOON + HOURS, fraction=0.0)])
    assert not messages.next_due(queue).has_come(NOON)
    assert take(queue, NOON) == []
    assert messages.status(queue, NOON).dead == 1


def test_age_is_never_negative(queue: sqlite3.Connection) -> None:
    """A message that was published while the clock was ahead is 0 s old and not younger."""
    publish(queue, NOON + HOURS, b"a")
    assert messages.status(queue, NOON).oldest_age_s == 0
    assert messages.status(queue, NOON + 2 * HOURS).oldest_age_s == 7200


def test_the_next_due_of_an_empty_a_future_and_a_due_queue(queue: sqlite3.Connection) -> None:
    """An idle deliverer takes no lock. A message is due from its exact millisecond on."""
    assert not messages.next_due(queue).has_come(NOON)
    publish(queue, NOON, b"a")
    assert not messages.next_due(queue).has_come(NOON - MILLISECOND)
    assert messages.next_due(queue).has_come(NOON)
    [message] = take(queue, NOON)
    messages.settle(queue, [RedeliveryPolicy().settle(message, None, now=NOON, fraction=0.0)])
    assert not messages.next_due(queue).has_come(NOON + HOURS)


def test_moments_are_milliseconds_since_1970() -> None:
    """A file of an earlier version keeps its meaning."""
    assert messages.epoch_ms(datetime(2026, 5, 1, 12, 0, 0, 7_999, tzinfo=UTC)) == 1_777_636_800_007


@pytest.mark.parametrize("statement", ["take", "next_due"])
def test_looking_for_work_reads_no_more_than_it_returns(queue: sqlite3.Connection, statement: str) -> None:
    """Both kinds of due messages are found in an index, however many messages wait."""
    parameters = {"how_many": 1, "now_ms": 1, "future_ms": 1, "lease_until_ms": 1, "live_since_ms": 1}
    sql = (SQL / f"{statement}.sql").read_text()
    plan = [row[3] for row in queue.execute(f"explain query plan {sql}", parameters)]
    indexes = {f"queue_messages_by_{name}" for name in ("due", "decision")}
    assert indexes <= {word for step in plan for word in step.split()}
    assert not [step for step in plan if step.startswith("SCAN queue_messages")]


def test_messages_of_an_older_file_keep_their_time(tmp_path: Path) -> None:
    """The time of their decision is unknown, so their due time counts."""
    older = tmp_path / "older"
    older.mkdir()
    for file in sorted(MIGRATIONS.glob("*.sql"))[:4]:
        (older / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "pipeline.sqlite"
    with closing(open_database(path, migrations=older)) as queue:
        moment = messages.epoch_ms(NOON)
        queue.execute(
            "insert into queue_messages (data, attributes, published_at, due_ms) values ('YQ==', '{}', 't', ?)",
            (moment,),
        )
    with closing(open_database(path)) as queue:
        assert not messages.next_due(queue).has_come(NOON - MILLISECOND)
        assert messages.next_due(queue).has_come(NOON)
