"""The rows of the embedded queue: publishes, leases and settles them inside the caller's transaction."""

import base64
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from backends.queue import QueueStatus
from backends.sqlite import statements
from runtime.clock import utc_text

_SQL = statements(Path(__file__).parent / "sql")
LARGEST_BATCH = 5_000  # SQLite binds no more than 32,766 values to a statement
_LIVE_MS = 5_000  # a person may be waiting at a page for a message that became due since then
_CLOCK_LEEWAY_MS = 5_000  # a decision later than this was made before the clock was set back


class State(StrEnum):
    """The state of a message. An acknowledged message has no row."""

    WAITING = "waiting"
    UNDELIVERED = "undelivered"  # out of attempts; the dead-letter address has not acknowledged it yet
    DEAD = "dead"


Encoded = tuple[str, str]  # a message's data as base64, and its attributes as JSON


def encode(data: bytes, attributes: Mapping[str, str]) -> Encoded:
    """Encode a message for `publish`."""
    return base64.b64encode(data).decode("ascii"), orjson.dumps(dict(attributes)).decode()


@dataclass(frozen=True, slots=True)
class LeasedMessage:
    """A message that this deliverer holds until the lease ends. The counts include the delivery that begins now."""

    message_id: int
    data: bytes
    attributes: dict[str, str]
    published_at: datetime
    state: State
    attempts: int
    deferrals: int  # the attempts whose answer had a retry-after
    dead_letter_attempts: int
    last_failure: str | None

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> "LeasedMessage":
        """Decode a row of `take.sql`, whose columns are in the order of these fields."""
        message_id, data, attributes, published_at, state, *rest = row
        moment = datetime.fromisoformat(published_at)
        return cls(message_id, base64.b64decode(data), orjson.loads(attributes), moment, State(state), *rest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settlement:
    """The new state of one leased message; None means acknowledged, which deletes the row."""

    message_id: int
    attempts: int
    deferrals: int
    dead_letter_attempts: int
    state: State | None
    due_ms: int = 0
    decided_ms: int = 0
    failure: str | None = None
    died_at: str | None = None


def epoch_ms(moment: datetime) -> int:
    """Return the moment in whole milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def publish(connection: sqlite3.Connection, encoded: Sequence[Encoded], published_at: datetime) -> int:
    """Add up to LARGEST_BATCH messages in one statement. Return the first id; the others follow in order."""
    bound = [utc_text(published_at), epoch_ms(published_at), *chain.from_iterable(encoded)]
    last_id = connection.execute(_publish_sql(len(encoded)), bound).lastrowid or 0
    return last_id - len(encoded) + 1


@lru_cache(maxsize=256)
def _publish_sql(how_many: int) -> str:
    """Return the statement for so many messages, which share the moment: ?1 as text, ?2 in milliseconds."""
    rows = (f"(?{place}, ?{place + 1}, ?1, ?2, ?2)" for place in range(3, 2 * how_many + 3, 2))
    return f"{_SQL['publish']} {', '.join(rows)}"


def take(connection: sqlite3.Connection, *, how_many: int, now: datetime, lease_until: datetime) -> list[LeasedMessage]:
    """Lease up to `how_many` messages that are due: the newest if it is live, and those that are due for longest."""
    bound = {
        "how_many": how_many,
        "now_ms": epoch_ms(now),
        "live_since_ms": epoch_ms(now) - _LIVE_MS,
        "future_ms": epoch_ms(now) + _CLOCK_LEEWAY_MS,
        "lease_until_ms": epoch_ms(lease_until),
    }
    return [LeasedMessage.from_row(row) for row in connection.execute(_SQL["take"], bound).fetchall()]


def settle(connection: sqlite3.Connection, settlements: Sequence[Settlement]) -> None:
    """Delete acknowledged messages and release the other leases, unless another deliverer holds them by now."""
    acknowledged = [each.message_id for each in settlements if each.state is None]
    if acknowledged:
        connection.execute(_SQL["acknowledge"], {"message_ids": orjson.dumps(acknowledged).decode()})
    released = [each for each in settlements if each.state is not None]
    if released:
        connection.execute(_SQL["release"], {"settlements": orjson.dumps(released).decode()})


@dataclass(frozen=True, slots=True)
class NextDue:
    """When the next message is due, as long as nobody writes; None where none waits."""

    due_ms: int | None
    decided_ms: int | None  # when the last decision about one was made

    def has_come(self, now: datetime) -> bool:
        """Whether a message is due, or the clock was set back behind such a decision."""
        if self.due_ms is None or self.decided_ms is None:
            return False
        now_ms = epoch_ms(now)
        return self.due_ms <= now_ms or self.decided_ms > now_ms + _CLOCK_LEEWAY_MS


def next_due(connection: sqlite3.Connection) -> NextDue:
    """Look up when the next message is due. It costs one look into each of two indexes."""
    return NextDue(*connection.execute(_SQL["next_due"]).fetchone())


def status(connection: sqlite3.Connection, now: datetime) -> QueueStatus:
    """Count the messages that wait and the dead letters."""
    waiting, oldest, dead = connection.execute(_SQL["status"]).fetchone()
    age = max(0.0, (now.astimezone(UTC) - datetime.fromisoformat(oldest)).total_seconds()) if oldest else None
    return QueueStatus(waiting=waiting, oldest_age_s=age, dead=dead)
