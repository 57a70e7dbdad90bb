"""How the ports' types become rows of `raw` in SQLite, and rows become types again."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from backends.warehouse.activities import Observation, StoredActivity
from backends.warehouse.athletes import Athlete, IngestionState, PurgeReceipt
from backends.warehouse.ledger import DueLook, LedgerEntry, LedgerFilter, Outcome
from backends.warehouse.runs import TransformRun
from runtime.clock import utc_text
from strava.events import ReceivedEvent, StravaEvent

Row = dict[str, Any]

_PLAIN_UPDATES = frozenset({"type", "private", "authorized"})  # words of Strava's, where a title is the athlete's


def activity_row(seen: Observation, stored: StoredActivity, ingested_at: datetime) -> Row:
    """Return the row that an observation leaves; its times are those of `stored`, a tombstone keeps no payload."""
    activity = seen.activity
    return {
        "activity_id": seen.activity_id,
        "athlete_id": seen.athlete_id,
        "resource_state": activity and activity.resource_state,
        "start_date": _text(activity.start_date if activity else None),
        "event_time": _text(seen.event_time),
        "observed_at": utc_text(stored.observed_at),
        "seen_alive_at": _text(stored.seen_alive_at),
        "is_deleted": int(activity is None),
        "source": seen.source.value,
        "payload_hash": activity and activity.payload_hash,
        "event_id": seen.event_id,
        "ingested_at": utc_text(ingested_at),
        "payload": activity and activity.text,
    }


def stored_activity(row: sqlite3.Row) -> StoredActivity:
    """Read a row of `activity_versions.sql`."""
    return StoredActivity(
        activity_id=row["activity_id"],
        athlete_id=row["athlete_id"],
        resource_state=row["resource_state"],
        observed_at=datetime.fromisoformat(row["observed_at"]),
        is_deleted=bool(row["is_deleted"]),
        payload_hash=row["payload_hash"],
        seen_alive_at=_moment(row["seen_alive_at"]),
        event_time=_moment(row["event_time"]),
    )


def observed_row(stored: StoredActivity) -> Row:
    """Return the row's key and when it was last observed and last seen alive."""
    return {
        "activity_id": stored.activity_id,
        "observed_at": utc_text(stored.observed_at),
        "seen_alive_at": _text(stored.seen_alive_at),
    }


def ledger_row(entry: LedgerEntry, ingested_at: datetime) -> Row:
    """Return the row of one delivery; the event's columns are null when it could not be read."""
    event = entry.event
    return {
        "delivery_id": entry.delivery_id,
        "event_id": entry.event_id,
        "athlete_id": event and event.owner_id,
        "object_type": event and event.object_type,
        "object_id": event and event.object_id,
        "aspect_type": event and event.aspect_type,
        "updates": event and orjson.dumps(_without_texts(event.updates)).decode(),
        "subscription_id": event and event.subscription_id,
        "event_time": _text(event.event_time if event else None),
        "received_at": _text(entry.received_at),
        "outcome": entry.outcome.value,
        "reason": entry.reason,
        "attempt": entry.attempt,
        "finished_at": utc_text(entry.finished_at),
        "ingested_at": utc_text(ingested_at),
    }


def _without_texts(updates: Mapping[str, object]) -> dict[str, object]:
    """Keep what changed, but of the athlete's own words only that they did: the ledger outlives a deletion."""
    return {name: value if name in _PLAIN_UPDATES and _is_plain(value) else None for name, value in updates.items()}


def _is_plain(value: object) -> bool:
    return isinstance(value, str | bool | int)


def filter_row(wanted: LedgerFilter) -> Row:
    """Return the parameters of `recent_events.sql`."""
    return {
        "athlete_id": wanted.athlete_id,
        "activity_id": wanted.activity_id,
        "outcome": wanted.outcome,
        "since": _text(wanted.since),
    }


def ledger_entry(row: sqlite3.Row) -> LedgerEntry:
    """Read a row of `recent_events.sql`."""
    return LedgerEntry(
        delivery_id=row["delivery_id"],
        event_id=row["event_id"],
        event=None if row["object_type"] is None else _event(row),
        outcome=Outcome(row["outcome"]),
        reason=row["reason"],
        attempt=row["attempt"],
        received_at=_moment(row["received_at"]),
        finished_at=datetime.fromisoformat(row["finished_at"]),
    )


def parked_event(row: sqlite3.Row) -> ReceivedEvent:
    """Read a row of `parked_events.sql`."""
    received_at = datetime.fromisoformat(row["received_at"])
    return ReceivedEvent(event=_event(row), received_at=received_at, event_id=row["event_id"])


def _event(row: sqlite3.Row) -> StravaEvent:
    return StravaEvent(
        object_type=row["object_type"],
        aspect_type=row["aspect_type"],
        object_id=row["object_id"],
        owner_id=row["athlete_id"],
        subscription_id=row["subscription_id"],
        event_time=datetime.fromisoformat(row["event_time"]),
        updates=orjson.loads(row["updates"]),
    )


def due_look(row: sqlite3.Row) -> DueLook:
    """Read a row of `due_looks.sql`."""
    return DueLook(activity_id=row["activity_id"], athlete_id=row["athlete_id"], event_id=row["event_id"])


def athlete_row(athlete: Athlete) -> Row:
    """Return an athlete's row."""
    return {
        "athlete_id": athlete.athlete_id,
        "scope": ",".join(sorted(athlete.scope)),
        "status": athlete.status,
        "updated_at": utc_text(athlete.updated_at),
    }


def athlete(row: sqlite3.Row) -> Athlete:
    """Read what `athlete_row` wrote."""
    return Athlete(
        athlete_id=row["athlete_id"],
        scope=frozenset(row["scope"].split(",")) - {""},
        status=row["status"],
        updated_at=datetime.fromisoformat(row["updated_at"]),
    )


def ingestion_state_row(state: IngestionState) -> Row:
    """Return an ingestion state's row."""
    return {
        "athlete_id": state.athlete_id,
        "complete_as_of": _text(state.complete_as_of),
        "listing_began_at": _text(state.listing_began_at),
        "backfill_cursor": _text(state.backfill_cursor),
        "updated_at": utc_text(state.updated_at),
    }


def ingestion_state(row: sqlite3.Row) -> IngestionState:
    """Read what `ingestion_state_row` wrote."""
    return IngestionState(
        athlete_id=row["athlete_id"],
        complete_as_of=_moment(row["complete_as_of"]),
        listing_began_at=_moment(row["listing_began_at"]),
        backfill_cursor=_moment(row["backfill_cursor"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
    )


def receipt_row(receipt: PurgeReceipt) -> Row:
    """Return a purge receipt's row."""
    return {
        "purge_id": receipt.purge_id,
        "athlete_hash": receipt.athlete_hash,
        "purged_at": utc_text(receipt.purged_at),
        "removed": orjson.dumps(dict(receipt.removed)).decode(),
    }


def run_row(run: TransformRun) -> Row:
    """Return a transform run's row."""
    return {
        "run_id": run.run_id,
        "watermark": run.watermark,
        "started_at": utc_text(run.started_at),
        "finished_at": utc_text(run.finished_at),
        "published_at": _text(run.published_at),
        "is_full_refresh": int(run.is_full_refresh),
        "error": run.error,
    }


def transform_run(row: sqlite3.Row) -> TransformRun:
    """Read what `run_row` wrote."""
    return TransformRun(
        run_id=row["run_id"],
        watermark=row["watermark"],
        started_at=datetime.fromisoformat(row["started_at"]),
        finished_at=datetime.fromisoformat(row["finished_at"]),
        published_at=_moment(row["published_at"]),
        is_full_refresh=bool(row["is_full_refresh"]),
        error=row["error"],
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else utc_text(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
