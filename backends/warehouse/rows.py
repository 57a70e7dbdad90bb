"""How the ports' types become rows of plain values, and rows become types again; both engines take and give these.

A moment is a UTC text of one width, a bool may be a number, JSON is text.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

import orjson

from backends.warehouse.activities import Observation, StoredActivity
from backends.warehouse.athletes import Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.ledger import DueLook, LedgerEntry, LedgerFilter, Outcome
from backends.warehouse.readings import LimitUse, PipelineReading
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.schema import (
    BACKFILLS,
    PIPELINE_READINGS,
    RECONCILIATIONS,
    STRAVA_ACTIVITIES,
    STRAVA_ATHLETES,
    STRAVA_EVENTS,
)
from backends.warehouse.table import Table
from runtime.clock import utc_text
from strava.events import StravaEvent

Row = dict[str, Any]

_PLAIN_UPDATES = frozenset({"type", "private", "authorized"})  # words of Strava's, where a title is the athlete's


class FoundRow(Protocol):
    """A row as an engine gives it."""

    def keys(self) -> Iterable[str]:
        """Return the names of its columns."""

    def __getitem__(self, name: str, /) -> Any: ...


def bound(table: Table, source: object, /, **given: object) -> Row:
    """Return a row of plain values: the columns that are given, and all others from attributes of their names."""
    return {
        name: _to_plain(given[name] if name in given else getattr(source, name), kind)
        for name, kind in table.types.items()
    }


def read(table: Table, row: FoundRow) -> dict[str, Any]:
    """Return what a row holds of the table's columns, as Python's values."""
    return {name: _from_plain(row[name], table.types[name]) for name in row.keys()}  # noqa: SIM118 - a Row is no mapping


def _to_plain(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "timestamp":
        return utc_text(value)
    if kind == "json" and not isinstance(value, str):
        return orjson.dumps(value).decode()
    return int(value) if kind == "bool" else value


def _from_plain(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "timestamp":
        return datetime.fromisoformat(value)
    return bool(value) if kind == "bool" else value


def activity_row(seen: Observation, stored: StoredActivity, ingested_at: datetime) -> Row:
    """Return the row that an observation leaves; its times are those of `stored`, a tombstone keeps no payload."""
    activity = seen.activity
    return bound(
        STRAVA_ACTIVITIES,
        seen,
        resource_state=activity and activity.resource_state,
        start_date=activity and activity.start_date,
        observed_at=stored.observed_at,
        seen_alive_at=stored.seen_alive_at,
        is_deleted=activity is None,
        source=seen.source.value,
        payload_hash=activity and activity.payload_hash,
        ingested_at=ingested_at,
        payload=activity and activity.text,
    )


def stored_activity(row: FoundRow) -> StoredActivity:
    """Read a row of `activity_versions.sql`."""
    return StoredActivity(**read(STRAVA_ACTIVITIES, row))


def observed_row(stored: StoredActivity) -> Row:
    """Return the row's key and when it was last observed and last seen alive."""
    return {
        "activity_id": stored.activity_id,
        "observed_at": utc_text(stored.observed_at),
        "seen_alive_at": _to_plain(stored.seen_alive_at, "timestamp"),
    }


def ledger_row(entry: LedgerEntry, ingested_at: datetime) -> Row:
    """Return the row of one delivery; the event's columns are null when it could not be read."""
    event = entry.event
    return bound(
        STRAVA_EVENTS,
        entry,
        athlete_id=event and event.owner_id,
        object_type=event and event.object_type,
        object_id=event and event.object_id,
        aspect_type=event and event.aspect_type,
        updates=event and _without_texts(event.updates),
        subscription_id=event and event.subscription_id,
        event_time=event and event.event_time,
        outcome=entry.outcome.value,
        ingested_at=ingested_at,
    )


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
        "event_id": wanted.event_id,
        "since": _to_plain(wanted.since, "timestamp"),
        "until": _to_plain(wanted.until, "timestamp"),
        "is_newest": wanted.is_newest,
        "is_dead": wanted.is_dead,
    }


def ledger_entry(row: FoundRow) -> LedgerEntry:
    """Read a row of `recent_events.sql`, `deferred_events.sql` or `parked_events.sql`."""
    return LedgerEntry(
        delivery_id=row["delivery_id"],
        event_id=row["event_id"],
        event=None if row["object_type"] is None else _event(row),
        outcome=Outcome(row["outcome"]),
        reason=row["reason"],
        reason_kind=row["reason_kind"],
        attempt=row["attempt"],
        received_at=_from_plain(row["received_at"], "timestamp"),
        finished_at=datetime.fromisoformat(row["finished_at"]),
        retry_at=_from_plain(row["retry_at"], "timestamp"),
        message=row["message"],
    )


def _event(row: FoundRow) -> StravaEvent:
    return StravaEvent(
        object_type=row["object_type"],
        aspect_type=row["aspect_type"],
        object_id=row["object_id"],
        owner_id=row["athlete_id"],
        subscription_id=row["subscription_id"],
        event_time=datetime.fromisoformat(row["event_time"]),
        updates=orjson.loads(row["updates"]),
    )


def due_look(row: FoundRow) -> DueLook:
    """Read a row of `due_looks.sql`."""
    return DueLook(activity_id=row["activity_id"], athlete_id=row["athlete_id"], event_id=row["event_id"])


def reconciliation(row: FoundRow) -> Reconciliation:
    """Read a verdict."""
    fields = read(RECONCILIATIONS, row)
    return Reconciliation(**{**fields, "verdict": Verdict(fields["verdict"])})


def athlete_row(athlete: Athlete) -> Row:
    """Return an athlete's row, without the fence, of which the store alone knows."""
    return bound(STRAVA_ATHLETES, athlete, scope=",".join(sorted(athlete.scope)), fenced_until=None)


def athlete(row: FoundRow) -> Athlete:
    """Read what `athlete_row` wrote."""
    fields = read(STRAVA_ATHLETES, row)
    return Athlete(**{**fields, "scope": frozenset(fields["scope"].split(",")) - {""}})


def backfill(row: FoundRow) -> Backfill:
    """Read a backfill."""
    return Backfill(**read(BACKFILLS, row))


def reading_row(reading: PipelineReading) -> Row:
    """Return the row of the one current reading."""
    limits = {name: _limit_document(use) for name, use in reading.limits.items()}
    return bound(PIPELINE_READINGS, reading, reading="current", budget={**limits, "refused": dict(reading.refused)})


def _limit_document(use: LimitUse) -> dict[str, object]:
    return {"limit": use.limit, "used": use.used, "resets_at": utc_text(use.resets_at)}


def reading(row: FoundRow) -> PipelineReading:
    """Read what `reading_row` wrote."""
    fields = read(PIPELINE_READINGS, row)
    budget = orjson.loads(fields.pop("budget"))
    refused = budget.pop("refused")
    limits = {
        name: LimitUse(**{**use, "resets_at": datetime.fromisoformat(use["resets_at"])}) for name, use in budget.items()
    }
    return PipelineReading(**fields, limits=limits, refused=refused)
