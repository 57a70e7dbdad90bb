"""An event that is parked in the very moment in which its athlete connects: it does not wait for the next connect."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from backends.queue.envelope import PushEnvelope
from backends.tokens.file import FileTokenStore
from backends.warehouse import WarehouseBusy
from backends.warehouse.athletes import Athlete, AthleteStatus
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery, take_up_parked
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.events import ReceivedEvent
from strava.tokens import TokenSet

ATHLETE = 4605555801
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)  # when the clock starts
FRESH = TokenSet(access_token="fresh", refresh_token="new", expires_at=datetime(2100, 1, 1, tzinfo=UTC))
OUTCOMES = "select outcome from strava_events order by ingested_at"
Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]
Rows = Callable[[str], list[dict[str, Any]]]
Connect = Callable[[int], None]


class StoreInBetween(SqliteRawStore):
    """Lets something happen once between an event's outcome and its ledger row; athletes may be unreadable."""

    in_between: Callable[[], Awaitable[None]] | None = None
    is_busy = False

    async def record(self, batch: Sequence[LedgerEntry | ObservedDelivery]) -> None:
        happen, self.in_between = self.in_between, None
        if happen is not None:
            await happen()
        await super().record(batch)

    async def athletes(self) -> list[Athlete]:
        if self.is_busy:
            raise WarehouseBusy("locked")
        return await super().athletes()


@pytest.fixture
async def store(tmp_path: Path, clock: Any) -> AsyncIterator[StoreInBetween]:
    """The real warehouse; the athlete connected in another year."""
    store = StoreInBetween(tmp_path / "pipeline.sqlite", clock=clock)
    await store.put_athlete(
        Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=datetime(2020, 1, 1, tzinfo=UTC))
    )
    yield store
    await store.close()


@pytest.fixture
async def connect_in_between(store: StoreInBetween, tokens: FileTokenStore) -> tuple[Connect, list[int]]:
    """Has an athlete connect before the next ledger row, as `athlete connect` does; how many events that took up."""
    taken_up: list[int] = []

    def prepare(athlete_id: int) -> None:
        async def connect() -> None:
            await tokens.save(athlete_id, FRESH)
            await store.put_athlete(
                Athlete(athlete_id=athlete_id, scope=frozenset(), status="connected", updated_at=datetime.now(UTC))
            )
            taken_up.append(await take_up_parked(store, athlete_id, datetime.now(UTC)))

        store.in_between = connect

    return prepare, taken_up


async def push(worker: httpx.AsyncClient, body: bytes) -> int:
    """Push one message and return the status of the answer."""
    return (await worker.post("/push", content=body)).status_code


async def test_an_athlete_who_connects_meanwhile(
    worker: httpx.AsyncClient,
    strava: Any,
    store: StoreInBetween,
    connect_in_between: tuple[Connect, list[int]],
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """The worker saw nobody, connect saw no parked row: the queue brings the event again, and it is stored."""
    prepare, taken_up = connect_in_between
    strava.shows(101, athlete={"id": 999})
    event = make_event(owner_id=999)
    prepare(999)
    with capture_logs() as logs:
        assert await push(worker, envelope(event)) == 503
    assert (taken_up, rows(OUTCOMES)) == ([0], [{"outcome": "parked"}])
    assert ("event.retried", "info") in [(line["event"], line["log_level"]) for line in logs]
    assert await push(worker, envelope(event, attempt=2)) == 204
    assert rows(OUTCOMES) == [{"outcome": "parked"}, {"outcome": "stored"}]
    assert rows("select activity_id, athlete_id from strava_activities") == [{"activity_id": 101, "athlete_id": 999}]
    assert await store.parked_events(999) == []


async def test_an_athlete_who_connects_again_meanwhile(
    worker: httpx.AsyncClient,
    strava: Any,
    recorded: Callable[[str], httpx.Response],
    connect_in_between: tuple[Connect, list[int]],
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """The old tokens were dead, the new ones are saved before the row is written: the event comes again too."""
    prepare, taken_up = connect_in_between
    strava.answers["activities/101"] = recorded("error_401")
    strava.answers["/oauth/token"] = httpx.Response(400, json={"errors": [{"resource": "RefreshToken"}]})
    event = make_event()
    prepare(ATHLETE)
    assert await push(worker, envelope(event)) == 503
    assert (taken_up, rows(OUTCOMES)) == ([0], [{"outcome": "parked"}])
    strava.shows(101)
    assert await push(worker, envelope(event, attempt=2)) == 204
    assert rows(OUTCOMES) == [{"outcome": "parked"}, {"outcome": "stored"}]


async def test_an_athlete_who_connects_while_a_dead_letter_is_recorded(
    worker: httpx.AsyncClient,
    store: StoreInBetween,
    connect_in_between: tuple[Connect, list[int]],
    make_event: Event,
    rows: Rows,
) -> None:
    """Connect saw no parked row, and the queue does not bring a dead letter again: the sweep takes the event up."""
    prepare, taken_up = connect_in_between
    event = make_event(owner_id=999)
    dead = PushEnvelope(
        data=event.to_message(), message_id="7", publish_time=datetime.now(UTC), subscription="dead-letter"
    ).to_json()
    prepare(999)
    assert (await worker.post("/dead-letter", content=dead)).status_code == 204
    assert (taken_up, rows(OUTCOMES)) == ([0], [{"outcome": "parked"}, {"outcome": "deferred"}])
    [waiting] = await store.deferred_events(due_by=datetime.now(UTC) + timedelta(days=99), how_many=9)
    assert (waiting.event_id, waiting.is_replay) == (event.event_id, False)


@pytest.mark.parametrize(
    ("status", "outcomes"),
    [(AthleteStatus.APP_INACTIVE, ["parked"]), (AthleteStatus.TOKEN_REJECTED, ["parked", "deferred"])],
)
async def test_a_dead_letter_that_was_tried_while_strava_could_not_be_asked(
    worker: httpx.AsyncClient,
    store: StoreInBetween,
    make_event: Event,
    rows: Rows,
    status: AthleteStatus,
    outcomes: list[str],
) -> None:
    """Tokens that work again are as good as a connect; after a lapse of the app nothing has changed for the event."""
    await store.change_status(status, before=[AthleteStatus.CONNECTED])
    await store.change_status(AthleteStatus.CONNECTED, before=[status])
    dead = PushEnvelope(
        data=make_event().to_message(), message_id="7", publish_time=NOON, subscription="dead-letter"
    ).to_json()
    assert (await worker.post("/dead-letter", content=dead)).status_code == 204
    assert [row["outcome"] for row in rows(OUTCOMES)] == outcomes


async def test_a_dead_letter_of_an_athlete_who_connected_before(
    worker: httpx.AsyncClient, make_event: Event, rows: Rows
) -> None:
    """Its attempts were made with the tokens of now, so it waits for a person."""
    dead = PushEnvelope(
        data=make_event().to_message(), message_id="7", publish_time=datetime.now(UTC), subscription="dead-letter"
    ).to_json()
    assert (await worker.post("/dead-letter", content=dead)).status_code == 204
    assert rows(OUTCOMES) == [{"outcome": "parked"}]


@pytest.mark.parametrize(("ago_s", "status"), [(1, 503), (120, 204)])
async def test_what_is_parked_for_another_reason(
    worker: httpx.AsyncClient,
    strava: Any,
    store: StoreInBetween,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    ago_s: int,
    status: int,
) -> None:
    """It is off the queue, except within the minute after a connect, since clocks may differ by so much."""
    connected_at = datetime.now(UTC) - timedelta(seconds=ago_s)
    await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=connected_at))
    strava.shows(101, athlete={"id": 999})
    assert await push(worker, envelope(make_event())) == status
    assert rows(OUTCOMES) == [{"outcome": "parked"}]


async def test_nobody_elses_connect_brings_an_event_again(
    worker: httpx.AsyncClient,
    connect_in_between: tuple[Connect, list[int]],
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """An athlete connects while another one's event is parked: that event is off the queue."""
    prepare, taken_up = connect_in_between
    prepare(ATHLETE)
    assert await push(worker, envelope(make_event(owner_id=999))) == 204
    assert (taken_up, rows(OUTCOMES)) == ([0], [{"outcome": "parked"}])


async def test_an_athlete_who_leaves_meanwhile(
    worker: httpx.AsyncClient, strava: Any, store: StoreInBetween, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Access that was taken back while the event was parked is no connect: the event is off the queue."""

    async def revoke() -> None:
        await store.put_athlete(
            Athlete(athlete_id=ATHLETE, scope=frozenset(), status="revoked", updated_at=datetime.now(UTC))
        )

    store.in_between = revoke
    strava.shows(101, athlete={"id": 999})
    assert await push(worker, envelope(make_event())) == 204
    assert rows(OUTCOMES) == [{"outcome": "parked"}]


async def test_whether_somebody_connected_cannot_be_read(
    worker: httpx.AsyncClient, store: StoreInBetween, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Then the queue keeps the event."""

    async def lock() -> None:
        store.is_busy = True

    store.in_between = lock
    assert await push(worker, envelope(make_event(owner_id=999))) == 503
    assert rows(OUTCOMES) == [{"outcome": "parked"}]
