"""`athlete purge` as a person runs it, against a Strava simulator: afterwards no file knows the athlete."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.queue.embedded import EmbeddedQueue
from backends.warehouse.activities import Observation, Source
from backends.warehouse.athletes import CONNECTED, Athlete
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.own_file_tables import FIRST_OWN_ID
from backends.warehouse.purge_receipts import is_receipt_of
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.clock import utc_now
from strava.events import ReceivedEvent, StravaEvent
from strava.payload import ActivityPayload
from tests.athlete.simulated import ATHLETE_ID, connect, run_command
from tests.contracts.test_own_files import an_import, item, recorded
from tests.parsed_project import give, give_built
from worker.dbt_runner.main import open_transformer
from worker.dbt_runner.settings import TransformSettings
from worker.importing.kept_files import KeptFiles


def forms(number: int) -> list[bytes]:
    """Return how files may hold a number: as text, as SQLite and DuckDB store it, and as DuckDB's statistics do."""
    groups = [number >> shift & 0x7F for shift in range(0, number.bit_length() + 1, 7)]
    varint = bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])
    return [str(number).encode(), number.to_bytes(5, "big"), number.to_bytes(5, "little"), varint]


def holding(folder: Path) -> set[str]:
    """Name the files that hold the athlete's number, as text or as a database writes it."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {
        str(file.relative_to(folder)) for file in files if any(form in file.read_bytes() for form in forms(ATHLETE_ID))
    }


async def leave_work(folder: Path) -> None:
    """Leave activities, and what may be under way: queued events, a deferred and a parked one, and an invitation."""
    store, queue = SqliteRawStore(folder / "pipeline.sqlite"), EmbeddedQueue(folder / "pipeline.sqlite")
    now = datetime.now(UTC)
    for number in range(1, 4):
        fields = {
            "id": number,
            "athlete": {"id": ATHLETE_ID},
            "resource_state": 3,
            "start_date": "2026-05-01T06:00:00Z",
        }
        shown = ActivityPayload.from_json({**fields, "sport_type": "Run", "distance": 5000.0, "moving_time": 1500})
        seen: dict[str, Any] = {"activity_id": number, "athlete_id": ATHLETE_ID, "observed_at": now}
        await store.apply([Observation(**seen, source=Source.WEBHOOK, activity=shown)])
    for number, outcome in enumerate((Outcome.DEFERRED, Outcome.PARKED)):
        fields = {"object_type": "activity", "aspect_type": "create", "object_id": number, "owner_id": ATHLETE_ID}
        event = StravaEvent.from_json({**fields, "subscription_id": 1, "event_time": 1_777_888_999})
        received = ReceivedEvent.of(event, now)
        told: dict[str, Any] = {"received_at": now, "finished_at": now, "attempt": 1, "outcome": outcome}
        reason = f"Athlete {ATHLETE_ID} …"
        row = LedgerEntry(delivery_id=str(number), event_id=event.event_id, event=event, reason=reason, **told)
        await store.record([row])
        await queue.publish(received.to_message(), received.attributes())
    await store.claim_invite("invite", now + timedelta(hours=1))
    await store.settle_invite("invite", ATHLETE_ID)
    await queue.close()
    await store.close()


async def leave_import(folder: Path, sha256: str, athlete_id: int) -> None:
    """Leave an import with a recording."""
    store = SqliteRawStore(folder / "pipeline.sqlite")
    await store.put_import(an_import(sha256, athlete_id=athlete_id, started_at=datetime.now(UTC)))
    own_id = FIRST_OWN_ID + athlete_id
    ids = {"import_id": sha256, "athlete_id": athlete_id, "activity_id": own_id, "own_activity_id": own_id}
    await store.put_files([recorded(sha256, **ids)], [item(import_id=sha256, athlete_id=athlete_id)])
    await store.close()


@pytest.mark.slow
async def test_nothing_is_left_but_the_receipt(strava: str, tmp_path: Path, built_project: Path) -> None:
    """The grant has ended at Strava, each layer counts nothing, and no byte of any file tells who it was."""
    folder, url = tmp_path / "data", strava
    give_built(built_project, folder)
    await connect(url, folder)
    await leave_work(folder)
    copies = KeptFiles(folder / "files")
    for sha256, athlete_id in (("aa", ATHLETE_ID), ("bb", 8)):
        await leave_import(folder, sha256, athlete_id)
        copies.keep(sha256, str(athlete_id).encode())
    async with open_transformer(TransformSettings(data_dir=folder)) as transformer:
        assert (await transformer.run()).run.error is None
    assert holding(folder) >= {"pipeline.sqlite", "transform.duckdb", "mart.duckdb", "tokens.json"}

    code, _, errors = await run_command(url, folder, "purge", str(ATHLETE_ID))
    assert (code, "add --yes" in errors) == (1, True)
    code, said, errors = await run_command(url, folder, "purge", str(ATHLETE_ID), "--yes", "--json")
    assert (code, errors) == (0, "")
    told = json.loads(said)
    assert told["rows_left"] == {"raw": 0, "staging": 0, "mart": 0}
    assert told["access"] == "The access at Strava was ended."
    removed = told["receipt"]["removed"]
    assert (removed["queue_messages"], removed["strava_events"], removed["connect_invites"]) == (2, 2, 1)
    assert is_receipt_of(told["receipt"]["athlete_hash"], ATHLETE_ID)
    assert holding(folder) == set()
    assert (removed["imports"], removed["activity_files"], list(copies.paths().values())) == (1, 1, ["bb"])
    async with httpx.AsyncClient() as http:
        assert not (await http.get(f"{url}/simulator/health")).json()["is_connected"]

    code, said, errors = await run_command(url, folder, "purge", str(ATHLETE_ID))
    assert (code, errors) == (0, "")
    assert "was purged before" in said
    assert "Rows left: raw 0, staging 0, mart 0." in said


@pytest.mark.slow
async def test_the_receipt_is_told_where_the_marts_cannot_be_built(tmp_path: Path, parsed_project: Path) -> None:
    """A second run has none: the athlete is gone by then."""
    give(parsed_project, tmp_path / "dbt")
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    await store.put_athlete(Athlete(athlete_id=77, scope=frozenset(), status=CONNECTED, updated_at=utc_now()))
    await store.close()
    (tmp_path / "transform.duckdb").mkdir()
    code, said, errors = await run_command("http://127.0.0.1:9", tmp_path, "purge", "77", "--yes", "--json")
    told = json.loads(said)
    assert (code, told["rows_left"], bool(errors)) == (1, None, True)
    assert is_receipt_of(told["receipt"]["athlete_hash"], 77)


async def test_who_was_never_here(tmp_path: Path) -> None:
    """A number mistyped removes nothing and leaves no receipt."""
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    code, said, errors = await run_command("http://127.0.0.1:9", tmp_path, "purge", "77", "--yes")
    assert (code, said) == (1, "")
    assert "Nothing is kept of athlete 77" in errors
    assert await store.last_purge() is None
    await store.close()
