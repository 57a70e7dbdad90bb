"""Pushes waiting messages to the worker over HTTP, like a Pub/Sub push subscription. Several may run at once."""

import asyncio
import math
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import structlog

from backends.group_commit import SqliteWriter
from backends.queue.embedded import messages
from backends.queue.embedded.http_pool import HttpPool
from backends.queue.embedded.messages import LeasedMessage, NextDue, Settlement, State
from backends.queue.embedded.retry_policy import ACKNOWLEDGED, Failure, RedeliveryPolicy
from backends.queue.envelope import PushEnvelope
from backends.sqlite import BUSY_TIMEOUT_S, DatabaseMoved, connect, file_identity, last_write
from runtime.clock import utc_now, utc_text

SUBSCRIPTION = "strava-events"
DEAD_LETTER_SUBSCRIPTION = "dead-letter"
_POLL_S = 0.1  # how often it looks for messages that another process published
_SETTLE_S = 5.0  # the lease outlives the push by the longest time that settling takes
_UNAVAILABLE_S = 1.0
_EMPTIED_WITHIN_S = 20.0  # an acknowledged event, perhaps with a title, leaves the write-ahead log in this time
_CUT_SHORT = "the deliverer was stopped before the worker answered"
_HEADERS = {"content-type": "application/json"}

log = structlog.get_logger(__name__)


class Deliverer:
    """Delivers each message at least once until it is acknowledged or out of attempts.

    It leases a message while it pushes it. If it is killed, its leases end and another deliverer takes the messages.
    `push_client` makes the HTTP client.
    """

    def __init__(  # noqa: PLR0913 - the last three have defaults that only tests change
        self,
        path: Path,
        http: httpx.AsyncClient,
        push_url: str,
        *,
        policy: RedeliveryPolicy | None = None,
        clock: Callable[[], datetime] = utc_now,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self._path = path
        self._http = http
        self._push_url = push_url
        self._policy = policy or RedeliveryPolicy()
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        self._in_flight = 0
        self._waits: set[asyncio.Timeout] = set()  # the time limits of the pushes under way
        self._is_cut_short = False
        self._settled: list[Settlement] = []  # the deliveries that ended since the last transaction
        self._wake = asyncio.Event()
        self._looked_after: object = None  # the last write before it was asked when the next message is due
        self._due = NextDue(None, None)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set, then finish the pushes under way; one that hangs fails after `stop_grace_s`.

        Opening the file raises SchemaMismatch, sqlite3.Error or OSError. Later errors of the file are logged, and it
        tries again. Only DatabaseMoved ends it: its leases belong to the old file, and the new file may use the same
        ids for other messages.
        """
        writer = SqliteWriter(self._path, busy_timeout_s=self._busy_timeout_s)
        try:
            with closing(connect(self._path, read_only=True)) as reader:
                await self._deliver_all(writer, reader, stop)
        except ExceptionGroup as group:
            if not isinstance(error := group.exceptions[0], DatabaseMoved):
                raise
            log.error("queue.file_moved", reason=str(error))
            raise error from None
        finally:
            await writer.close()

    async def _deliver_all(self, writer: SqliteWriter, reader: sqlite3.Connection, stop: asyncio.Event) -> None:
        identity = file_identity(self._path)
        async with asyncio.TaskGroup() as pushes:
            pushes.create_task(self._wake_at(stop))
            while self._in_flight or self._settled or not stop.is_set():
                if file_identity(self._path) != identity:
                    raise DatabaseMoved(f"{self._path} was moved or replaced while it was open")
                for message in await self._exchange(writer, reader, stop):
                    self._in_flight += 1
                    pushes.create_task(self._deliver(message))
                await self._pause(_POLL_S)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()
        asyncio.get_running_loop().call_later(self._policy.stop_grace_s, self._cut_short)

    def _cut_short(self) -> None:
        """Let every push fail now: those under way, and those that still begin."""
        self._is_cut_short = True
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(0)

    async def _pause(self, longest_s: float) -> None:
        """Wait until a push ends, `stop` is set, or it is time to look for messages."""
        alarm = asyncio.get_running_loop().call_later(longest_s, self._wake.set)
        await self._wake.wait()
        alarm.cancel()
        self._wake.clear()

    async def _exchange(
        self, writer: SqliteWriter, reader: sqlite3.Connection, stop: asyncio.Event
    ) -> list[LeasedMessage]:
        """Settle the deliveries that ended and lease messages for the free places, in one transaction."""
        settled, self._settled = self._settled, []
        try:
            return await self._settle_and_take(writer, reader, settled, may_take=not stop.is_set())
        except DatabaseMoved:
            raise
        except sqlite3.Error as error:
            log.warning("queue.unavailable", reason=str(error), unsettled=len(settled))
            if not stop.is_set():  # after a stop the leases end by themselves
                self._settled = settled + self._settled
                await asyncio.sleep(_UNAVAILABLE_S)
            return []

    async def _settle_and_take(
        self, writer: SqliteWriter, reader: sqlite3.Connection, settled: list[Settlement], *, may_take: bool
    ) -> list[LeasedMessage]:
        now = self._clock()
        free = self._policy.concurrency - self._in_flight if may_take and self._next_due(reader).has_come(now) else 0
        if not settled and not free:
            return []
        lease_until = now + timedelta(seconds=self._policy.ack_deadline_s + _SETTLE_S)

        def work(connection: sqlite3.Connection) -> list[LeasedMessage]:
            messages.settle(connection, settled)
            return messages.take(connection, how_many=free, now=now, lease_until=lease_until) if free else []

        acknowledges = any(each.state is None for each in settled)
        return await writer.submit(work, log_emptied_within_s=_EMPTIED_WITHIN_S if acknowledges else math.inf)

    def _next_due(self, reader: sqlite3.Connection) -> NextDue:
        """Return when the next message is due, which is asked only after something was written."""
        written = last_write(self._path)
        if written is None or written != self._looked_after:
            self._looked_after, self._due = written, messages.next_due(reader)
        return self._due

    async def _deliver(self, message: LeasedMessage) -> None:
        url, envelope = self._address(message)
        if self._policy.is_exhausted(message):
            failure: Failure | None = Failure(message.last_failure or "the deliverer was killed")
        else:
            failure = await self._push(url, envelope)
        settlement = self._policy.settle(message, failure, now=self._clock(), fraction=random.random())  # noqa: S311 - jitter
        _log_end(message, envelope.subscription, settlement)
        self._settled.append(settlement)
        self._in_flight -= 1
        self._wake.set()

    def _address(self, message: LeasedMessage) -> tuple[str | None, PushEnvelope]:
        if message.state is State.WAITING:
            return self._push_url, _envelope(message)
        return self._policy.dead_letter_url, _dead_letter(message)

    async def _push(self, url: str | None, envelope: PushEnvelope) -> Failure | None:
        """POST the message. Return None if it was acknowledged or has no address, otherwise the failure."""
        if url is None:
            return None
        deadline_s = self._policy.ack_deadline_s
        try:
            async with self._answer_within(0 if self._is_cut_short else deadline_s):
                answer = await self._http.post(url, content=envelope.to_json(), headers=_HEADERS, timeout=deadline_s)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # the worker did not see the message
            return Failure(f"the worker cannot be reached ({type(error).__name__})", retry_after_s=0)
        except (httpx.HTTPError, TimeoutError) as error:
            return Failure(_CUT_SHORT if self._is_cut_short else type(error).__name__)
        if answer.status_code in ACKNOWLEDGED:
            return None
        return Failure(f"answered {answer.status_code}", _retry_after_s(answer))

    @asynccontextmanager
    async def _answer_within(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(seconds) as wait:
            self._waits.add(wait)
            try:
                yield
            finally:
                self._waits.discard(wait)


def push_client(token: str = "") -> httpx.AsyncClient:
    """Return the HTTP client of a deliverer; it opens as many connections as there are pushes under way.

    The worker checks the token, as it checks Pub/Sub's.
    """
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(headers=headers, transport=HttpPool(), trust_env=False)


def _retry_after_s(answer: httpx.Response) -> float | None:
    """Read `retry-after` in seconds; the worker never sends a date."""
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None


def _envelope(message: LeasedMessage) -> PushEnvelope:
    return PushEnvelope(
        data=message.data,
        attributes=message.attributes,
        message_id=str(message.message_id),
        publish_time=message.published_at,
        subscription=SUBSCRIPTION,
        delivery_attempt=message.attempts,
    )


def _dead_letter(message: LeasedMessage) -> PushEnvelope:
    """Add the attributes that Pub/Sub adds: https://cloud.google.com/pubsub/docs/handling-failures#dead_letter_topic."""
    source = {
        "CloudPubSubDeadLetterSourceDeliveryCount": str(message.attempts),
        "CloudPubSubDeadLetterSourceSubscription": SUBSCRIPTION,
        "CloudPubSubDeadLetterSourceTopicPublishTime": utc_text(message.published_at),
    }
    changes = {
        "attributes": {**message.attributes, **source},
        "subscription": DEAD_LETTER_SUBSCRIPTION,
        "delivery_attempt": message.dead_letter_attempts,
    }
    return _envelope(message).model_copy(update=changes)


def _log_end(message: LeasedMessage, subscription: str, settlement: Settlement) -> None:
    event_id = message.attributes.get("event_id")
    bound = log.bind(message_id=str(message.message_id), event_id=event_id, attempt=message.attempts)
    if settlement.failure is None:
        bound.debug("queue.delivered", subscription=subscription)
    elif settlement.died_at is not None:
        bound.error("queue.dead", reason=settlement.failure)
    else:
        until = utc_text(datetime.fromtimestamp(settlement.due_ms / 1000, UTC))
        bound.warning("queue.deferred", reason=settlement.failure, until=until, subscription=subscription)
