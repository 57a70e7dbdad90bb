"""The rows of the embedded queue: publishing, leasing and settling them inside a transaction of the caller's."""

import base64
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from backends.queue import QueueStatus
from backends.sqlite import statements
from runtime.clock import utc_text

_SQL = statements(Path(__file__).parent / "sql")
LARGEST_BATCH = 5_000  # SQLite binds no more than 32,766 values to a statement
_LIVE_MS = 5_000  # a message that became due since then may be somebody waiting at a page
_CLOCK_LEEWAY_MS = 5_000  # a decision farther in the future than this was made before the clock was set back


class State(StrEnum):
    """Where a message stands. Acknowledged messages have no row."""

    WAITING = "waiting"
    UNDELIVERED = "undelivered"  # given up; the dead-letter address has not acknowledged it yet
    DEAD = "dead"


Encoded = tuple[str, str]  # a message's data in base64, and its attributes as JSON


def encode(data: bytes, attributes: Mapping[str, str]) -> Encoded:
    """Return what `publish` takes."""
    return base64.b64encode(data).decode("ascii"), orjson.dumps(dict(attributes)).decode()


@dataclass(frozen=True, slots=True)
class LeasedMessage:
    """A message that is ours to deliver until the lease ends; the counts include the delivery that now begins."""

    message_id: int
    data: bytes
    attributes: dict[str, str]
    published_at: datetime
    state: State
    attempts: int
    deferrals: int  # those of the attempts whose answer named a time to come again
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
    """What becomes of one leased message. `state` None: acknowledged, so its row goes."""

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
    """Add up to LARGEST_BATCH messages in one statement. Their ids rise by one in their order; return the first."""
    due_ms = epoch_ms(published_at)
    moment = (utc_text(published_at), due_ms, due_ms)
    rows = ", ".join(["(?, ?, ?, ?, ?)"] * len(encoded))
    bound = [value for each in encoded for value in (*each, *moment)]
    last_id = connection.execute(f"{_SQL['publish']} {rows}", bound).lastrowid or 0
    return last_id - len(encoded) + 1


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
    """Remove what was acknowledged and give back the other leases, unless somebody else holds them by now."""
    acknowledged = [each.message_id for each in settlements if each.state is None]
    if acknowledged:
        connection.execute(_SQL["acknowledge"], {"message_ids": orjson.dumps(acknowledged).decode()})
    released = [each for each in settlements if each.state is not None]
    if released:
        connection.execute(_SQL["release"], {"settlements": orjson.dumps(released).decode()})


def any_due(connection: sqlite3.Connection, now: datetime) -> bool:
    """Tell whether a message waits to be taken; one look into each of two indexes."""
    due_ms, decided_ms = connection.execute(_SQL["next_due"]).fetchone()
    now_ms = epoch_ms(now)
    return due_ms is not None and (due_ms <= now_ms or decided_ms > now_ms + _CLOCK_LEEWAY_MS)


def status(connection: sqlite3.Connection, now: datetime) -> QueueStatus:
    """Count what waits and what died."""
    waiting, oldest, dead = connection.execute(_SQL["status"]).fetchone()
    age = max(0.0, (now.astimezone(UTC) - datetime.fromisoformat(oldest)).total_seconds()) if oldest else None
    return QueueStatus(waiting=waiting, oldest_age_s=age, dead=dead)
