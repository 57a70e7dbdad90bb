"""Streams, settings, gear, totals and athletes' own files in the pipeline's SQLite file."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from backends.warehouse import rows
from backends.warehouse.athlete_files import AthleteFile
from backends.warehouse.last_write_wins import CLOCK_SKEW
from backends.warehouse.profile import SeenGear, SeenSettings, SeenTotals, StoredSettings, settings_after
from backends.warehouse.schema import ATHLETE_FILES, STRAVA_ATHLETE_SETTINGS, STRAVA_GEAR, STRAVA_STREAMS, STRAVA_TOTALS
from backends.warehouse.sqlite.database import SQL, SqliteDatabase
from backends.warehouse.sqlite.transactions import Clock, next_stamp
from backends.warehouse.streams import DueStreams, StreamRule, Streams
from runtime.clock import utc_text


class Recordings(SqliteDatabase):
    """Implements `StreamStore`, `ProfileStore` and `AthleteFiles`."""

    async def due_streams(
        self,
        athlete_id: int,
        rules: Sequence[StreamRule],
        *,
        since: datetime | None = None,
        created_before: datetime | None = None,
        changed_since: datetime | None = None,
    ) -> list[DueStreams]:
        """Return the activities that lack streams, newest start first."""
        pairs = json.dumps([[rule.athlete_id, rule.sport_type] for rule in rules])
        bounds = {"since": since, "created_before": created_before, "changed_since": changed_since}
        moments = {name: moment and utc_text(moment) for name, moment in bounds.items()}
        found = await self._read("due_streams", athlete_id=athlete_id, rules=pairs, **moments)
        return [DueStreams(**dict(row)) for row in found]

    async def put_streams(self, streams: Streams) -> bool:
        """Store them, unless their activity or athlete is gone, or newer ones are stored."""
        return await self._put_seen(
            "put_streams",
            streams.due.athlete_id,
            streams.observed_at,
            lambda stamp: rows.bound(STRAVA_STREAMS, streams.due, **_seen(streams.observed_at, streams.payload, stamp)),
        )

    async def stream_count(self, athlete_id: int, *, since: datetime | None = None) -> int:
        """Return for how many living activities Strava was asked for streams."""
        [row] = await self._read("stream_count", athlete_id=athlete_id, since=since and utc_text(since))
        return int(row[0])

    async def newest_change(self) -> datetime | None:
        """Return the stamp of the newest row of an activity."""
        [row] = await self._read("newest_change")
        return None if row[0] is None else datetime.fromisoformat(row[0])

    async def put_settings(self, seen: SeenSettings) -> bool:
        """Add a row where a value differs from the athlete's newest row."""
        put = await self._write_of_athlete(
            lambda connection: _put_settings(connection, seen, self._clock), seen.athlete_id, seen_at=seen.observed_at
        )
        return bool(put)

    async def due_gear(self, athlete_id: int, *, observed_before: datetime, not_found_before: datetime) -> list[str]:
        """Return the gear that is unknown, or was last asked for before a moment."""
        moments = {"observed_before": utc_text(observed_before), "not_found_before": utc_text(not_found_before)}
        found = await self._read("due_gear", athlete_id=athlete_id, **moments)
        return [row[0] for row in found]

    async def put_gear(self, seen: SeenGear) -> bool:
        """Add or replace it, unless something newer is stored or the athlete is not known."""
        not_found_at = seen.observed_at if seen.payload is None else None
        return await self._put_seen(
            "put_gear",
            seen.athlete_id,
            seen.observed_at,
            lambda stamp: rows.bound(STRAVA_GEAR, seen, ingested_at=stamp, not_found_at=not_found_at),
        )

    async def put_totals(self, seen: SeenTotals) -> bool:
        """Put them in the place of earlier ones, unless something newer is stored or the athlete is not known."""
        return await self._put_seen(
            "put_totals",
            seen.athlete_id,
            seen.observed_at,
            lambda stamp: rows.bound(STRAVA_TOTALS, seen, ingested_at=stamp),
        )

    async def file_hashes(self) -> Mapping[int, str]:
        """Return the `file_hash` of each athlete's row."""
        return {row[0]: row[1] for row in await self._read("file_hashes")}

    async def put_athlete_file(self, file: AthleteFile) -> bool:
        """Put it in the place of the athlete's earlier one, unless it says the same."""
        return await self._put_seen(
            "put_athlete_file",
            file.athlete_id,
            file.read_at,
            lambda stamp: rows.bound(ATHLETE_FILES, file, ingested_at=stamp),
        )

    async def _put_seen(
        self, statement: str, athlete_id: int, seen_at: datetime, row_of: Callable[[datetime], rows.Row]
    ) -> bool:
        def put(connection: sqlite3.Connection) -> bool:
            row = row_of(next_stamp(connection, self._clock))
            latest = {"latest": utc_text(self._clock() + CLOCK_SKEW)}
            return connection.execute(SQL[statement], {**row, **latest}).rowcount > 0

        return bool(await self._write_of_athlete(put, athlete_id, seen_at=seen_at))


def _seen(observed_at: datetime, payload: Mapping[str, Any] | None, stamp: datetime) -> dict[str, Any]:
    return {"observed_at": observed_at, "payload": payload, "ingested_at": stamp}


def _put_settings(connection: sqlite3.Connection, seen: SeenSettings, clock: Clock) -> bool:
    found = connection.execute(SQL["newest_settings"], {"athlete_id": seen.athlete_id}).fetchone()
    stored = found and StoredSettings(
        settings_id=found[0], values=json.loads(found[1]), seen_at=datetime.fromisoformat(found[2])
    )
    if stored and stored.is_newer_than(seen, clock()):
        return False
    values = settings_after(stored, seen)
    if values is None:
        if stored and stored.is_shown_whole_by(seen):
            again = {"settings_id": stored.settings_id, "at": utc_text(seen.observed_at)}
            connection.execute(SQL["see_settings_again"], again)
        return False
    stamp = next_stamp(connection, clock)
    given = {"settings_id": uuid4().hex, "payload": values, "ingested_at": stamp, "last_seen_at": None}
    row = rows.bound(STRAVA_ATHLETE_SETTINGS, seen, **given)
    return connection.execute(SQL["put_settings"], row).rowcount > 0
