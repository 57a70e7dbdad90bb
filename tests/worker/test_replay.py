"""`athlete replay` and what a person does with parked events, from the command to the row that the worker leaves."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from typer.testing import CliRunner

from athlete.events import EXPLAINED
from athlete.main import app
from athlete.replay import Replay, sentences
from backends.queue.embedded import EmbeddedQueue
from backends.queue.envelope import PushEnvelope
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget_state import Lane
from strava.events import ReceivedEvent
from tests.worker.histories import created
from worker.deferred_events import DeferredEvents

ATHLETE = 4605555801
Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]
Rows = Callable[[str], list[dict[str, Any]]]
Run = Callable[..., Awaitable[str]]


@pytest.fixture
def clock(clock: Any) -> Any:
    """The worker's clock, which the command shares: it reads the machine's."""
    clock.now = datetime.now(UTC)
    return clock


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command on the store, and return what it printed; `code` is how it must end."""

    async def _run(*arguments: str, code: int = 0) -> str:
        environment = {"DATA_DIR": str(tmp_path), "COLUMNS": "200"}
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment)
        assert result.exit_code == code, result.output
        return result.stdout if code == 0 else result.stderr

    return _run


@pytest.fixture
async def queue(tmp_path: Path) -> AsyncIterator[EmbeddedQueue]:
    """The real queue, in the store's own file."""
    queue = EmbeddedQueue(tmp_path / "pipeline.sqlite")
    yield queue
    await queue.close()


async def room(_: Lane) -> int:
    """Return the calls that may be made."""
    return 100


async def push(worker: httpx.AsyncClient, body: bytes, path: str = "/push") -> int:
    """Push one message and return the status of the answer."""
    return (await worker.post(path, content=body)).status_code


async def dead_letter(event: ReceivedEvent, queue: EmbeddedQueue, tmp_path: Path) -> str:
    """Leave the event in the queue as one that was given up, and return its message's id."""
    message_id = await queue.publish(event.to_message(), event.attributes())
    with closing(sqlite3.connect(tmp_path / "pipeline.sqlite")) as connection, connection:
        connection.execute("update queue_messages set state = 'dead' where message_id = ?", (message_id,))
    return message_id


@pytest.mark.slow
async def test_a_dead_letter_is_stored_once_its_fault_is_mended(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    queue: EmbeddedQueue,
    run: Run,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    clock: Any,
    tmp_path: Path,
) -> None:
    """Told with its reason, listed by a dry run that changes nothing, replayed once however often that is asked for."""
    strava.answers["activities/101"] = ZeroDivisionError("a fault of ours")
    event = make_event(updates={"title": "Sunrise"})
    message_id = await dead_letter(event, queue, tmp_path)
    assert await push(worker, envelope(event, message_id=message_id)) == 500
    assert await push(worker, envelope(event, message_id=message_id), "/dead-letter") == 204
    [told] = [json.loads(line) for line in (await run("events", "--dead", "--json")).splitlines()]
    assert (told["event_id"], told["outcome"]) == (event.event_id, "parked")
    assert "ZeroDivisionError" in told["reason"]

    before = rows("select * from strava_events")
    dry = json.loads(await run("replay", "--dead", "--dry-run", "--json"))
    assert (dry["events"], dry["calls"], dry["skipped"]) == ([event.event_id], 1, {})
    assert "Nothing was changed." in await run("replay", "--dead", "--dry-run")
    assert rows("select * from strava_events") == before

    strava.shows(101)
    assert "Events that come again: 1," in await run("replay", "--event", event.event_id)
    assert "Left as they are: 1 under way already." in await run("replay", "--event", event.event_id)
    clock.now = datetime.now(UTC)
    sweep = DeferredEvents(store, queue, room, clock=clock)
    assert await sweep.publish_due() == 1
    assert "Left as they are: 1 under way already." in await run("replay", "--event", event.event_id)
    [message] = rows("select data, attributes from queue_messages where state = 'waiting'")
    again = replace(event, event=replace(event.event, updates={"title": None}))
    assert message["data"] == json.loads(envelope(again))["message"]["data"]
    assert (await queue.status()).dead == 1
    assert await push(worker, envelope(again, message_id="99", **json.loads(message["attributes"]))) == 204
    assert rows("select outcome from strava_events order by ingested_at")[-1] == {"outcome": "stored"}
    assert (await queue.status()).dead == 0
    assert await run("events", "--dead") == "No rows.\n"
    assert "No event comes again." in await run("replay", "--dead")


@pytest.fixture
async def ledger(store: SqliteRawStore, make_event: Event, clock: Any) -> dict[str, str]:
    """Events of every kind by a name, with their ids."""

    def row(name: str, heard: ReceivedEvent, outcome: Outcome, **fields: Any) -> LedgerEntry:
        ids[name] = heard.event_id
        told = LedgerEntry(
            delivery_id=f"{heard.event_id}/1/1",
            event_id=heard.event_id,
            event=heard.event,
            outcome=outcome,
            reason="because",
            attempt=1,
            received_at=heard.received_at,
            finished_at=clock.now,
        )
        return replace(told, **fields)

    ids: dict[str, str] = {}
    later = clock.now + timedelta(days=9)
    profile = make_event(ATHLETE, "update", object_type="athlete", updates={"weight": "70"})
    left = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"})
    await store.record(
        [
            row("create", make_event(1), Outcome.STORED, finished_at=clock.now - timedelta(days=3)),
            row("update", make_event(1, "update"), Outcome.UNCHANGED),
            row("parked", make_event(2), Outcome.PARKED),
            row("strange", make_event(3, owner_id=999), Outcome.PARKED),
            row("queued", make_event(4), Outcome.DEFERRED),
            row("waits", make_event(5), Outcome.DEFERRED, retry_at=later),
            row("profile", profile, Outcome.IGNORED),
            row("left", left, Outcome.IGNORED),
            row("unread", make_event(6), Outcome.PARKED, event=None, received_at=None, message="?"),
        ]
    )
    return {event_id: name for name, event_id in ids.items()}


@pytest.mark.parametrize(
    ("options", "names", "calls", "skipped"),
    [
        (["--activity", "1"], ["create", "update"], 1, {}),
        (["--activity", "1", "--since", "2d"], ["update"], 1, {}),
        (["--until", "2d"], ["create"], 1, {}),
        (["--parked"], ["parked"], 1, {"unreadable": 1, "not_connected": 1}),
        (["--parked", "--athlete", "999"], [], 0, {"not_connected": 1}),
        (["--since", "9d", "--athlete", str(ATHLETE)], ["create", "update", "parked", "waits"], 3,
         {"under_way": 1, "not_kept": 1, "settled": 1}),
        (["--event", "nobody's"], [], 0, {}),
    ],
)  # fmt: skip
async def test_what_comes_again_is_chosen_by_the_options(
    run: Run, ledger: dict[str, str], options: list[str], names: list[str], calls: int, skipped: dict[str, int]
) -> None:
    """Options narrow one another; an activity costs one call however many events it has; what cannot help stays."""
    found = json.loads(await run("replay", *options, "--dry-run", "--json"))
    assert ([ledger[event_id] for event_id in found["events"]], found["calls"]) == (names, calls)
    assert found["skipped"] == skipped


async def test_a_replay_of_everything_is_asked_for_by_name(run: Run, ledger: dict[str, str]) -> None:
    """No option means no event, and an athlete alone only narrows what others choose."""
    for options in ((), ("--athlete", str(ATHLETE)), ("--dry-run",)):
        assert "Say what to replay" in await run("replay", *options, code=1)


async def test_an_event_that_waits_for_days_comes_at_once(
    run: Run, ledger: dict[str, str], store: SqliteRawStore
) -> None:
    """A person who has mended what it waits for need not wait."""
    [event_id] = [event_id for event_id, name in ledger.items() if name == "waits"]
    await run("replay", "--event", event_id)
    [due] = await store.deferred_events(due_by=datetime.now(UTC), how_many=9)
    assert (due.event_id, due.is_replay, due.reason[:15]) == (event_id, True, "A person asked ")


async def test_a_message_that_cannot_be_read_is_looked_at_and_dismissed(
    worker: httpx.AsyncClient, run: Run, clock: Any, rows: Rows
) -> None:
    """Its bytes disturb no terminal; once dismissed nothing of it is parked, and it is not dismissed twice."""
    data = '\x1b]0;title\x07{"owner_id": 1, "\u202e": \x00}'.encode()
    body = PushEnvelope(data=data, message_id="17", publish_time=clock.now, subscription="events").to_json()
    assert await push(worker, body) == 204
    for options in (("--parked",), ("--event", "unreadable/17")):
        printed = await run("events", *options)
        assert r'\x1b]0;title\x07{"owner_id": 1, "\u202e": \x00}' in printed
        assert "unreadable/17" in printed
        assert all(each.isprintable() or each == "\n" for each in printed)
    assert "parked because: The message cannot be read" in await run("events", "--dismiss", "unreadable/17")
    assert rows("select outcome, message from strava_events order by ingested_at") == [
        {"outcome": "parked", "message": None},
        {"outcome": "ignored", "message": None},
    ]
    assert await run("events", "--parked") == "No rows.\n"
    assert "is ignored, so nothing of it waits" in await run("events", "--dismiss", "unreadable/17", code=1)
    assert "No event has the id" in await run("events", "--dismiss", "unreadable/1", code=1)


@pytest.mark.usefixtures("ledger")
async def test_each_outcome_is_explained(run: Run, project_root: Path) -> None:
    """Below the list, each outcome of it once, in the glossary's words; a program that reads JSON gets none."""
    glossary = (project_root / "docs" / "glossary.md").read_text()
    assert [each for each in Outcome if f"| {each} | {EXPLAINED[each]} |" not in glossary] == []
    printed = await run("events")
    told = [each for each in Outcome if f"{each}: {EXPLAINED[each]}\n" in printed]
    assert told == [Outcome.STORED, Outcome.UNCHANGED, Outcome.DEFERRED, Outcome.PARKED, Outcome.IGNORED]
    assert EXPLAINED[Outcome.PARKED] not in await run("events", "--json")


def test_who_takes_events_up_is_told() -> None:
    """On Google Cloud the sweep does, which comes every five minutes."""
    now = datetime.now(UTC)
    found = Replay(events=[created(7, now, athlete_id=ATHLETE)], skipped={}, calls=1, done_by=None)
    told = [list(sentences(found, now, ZoneInfo("UTC"), is_cloud=is_cloud))[1] for is_cloud in (False, True)]
    assert [each.partition(",")[0] for each in told] == [
        "The worker of `athlete up` takes them up within seconds",
        "The sweep takes them up within some minutes",
    ]
