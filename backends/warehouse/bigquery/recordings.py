"""Streams, settings, gear, totals and athletes' own files in BigQuery."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from backends.warehouse import rows
from backends.warehouse.athlete_files import AthleteFile
from backends.warehouse.bigquery.database import BigQueryDatabase, bound
from backends.warehouse.bigquery.parameters import Parameter, array, int64s, scalar, timestamps
from backends.warehouse.bigquery.statements import Given, Statement, guarded, within
from backends.warehouse.last_write_wins import CLOCK_SKEW
from backends.warehouse.profile import SeenGear, SeenSettings, SeenTotals, StoredSettings, settings_after
from backends.warehouse.schema import ATHLETE_FILES, STRAVA_ATHLETE_SETTINGS, STRAVA_GEAR, STRAVA_STREAMS, STRAVA_TOTALS
from backends.warehouse.streams import DueStreams, StreamRule, Streams
from backends.warehouse.table import Table

_NOTHING = (
    "[]"  # what streams without a payload were fetched for: no activity is so, and the large column is not read for it
)
STREAMS = {name: kind for name, kind in STRAVA_STREAMS.types.items() if name != "ingested_at"}


class Recordings(BigQueryDatabase):
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
        """Return the activities that lack streams, newest start first; payloads are read of these alone."""
        is_named = any(rule.athlete_id in {None, athlete_id} for rule in rules)
        candidates = await self._read(
            "due_streams",
            *int64s(athlete_id=athlete_id),
            scalar("is_named", "bool", is_named),
            *timestamps(since=since, created_before=created_before, changed_since=changed_since),
        )
        if not candidates:
            return []
        ids = [row["activity_id"] for row in candidates]
        found = await self._read(
            "stream_facts",
            array("activity_ids", "int64", ids),
            ids=within(ids),
            activity_ids=within(ids, "activities.activity_id"),
        )
        facts = {row["activity_id"]: row for row in found}
        due = (_due(athlete_id, facts[each], rules) for each in ids if each in facts)
        return [each for each in due if each is not None]

    async def put_streams(self, streams: Streams) -> bool:
        """Store them, unless their activity or athlete is gone, or newer ones are stored.

        Those of a day-long recording may be too large for a request, and come by a load job.
        """
        seen = {"observed_at": streams.observed_at, "payload": streams.payload, "ingested_at": None}
        fetched_for = _NOTHING if streams.payload is None else streams.due.fetched_for
        due, latest = streams.due, self._latest()
        row, ids = rows.bound(STRAVA_STREAMS, due, **seen, fetched_for=fetched_for), [due.activity_id]
        texts = {"ids": within(ids), "kept_ids": within(ids, "kept.activity_id")}
        which = int64s(activity_id=due.activity_id, athlete_id=due.athlete_id)

        async def put(guard: Sequence[Parameter]) -> bool:
            sql, given = guarded("put_streams", **texts), Given("streams", STREAMS, [row])
            return await self._run(Statement("put_streams", sql, [*which, latest, *guard], given)) > 0

        is_put = await self._write_of_athlete(due.athlete_id, streams.observed_at, put)
        if is_put:
            await self._keep_one_of(STRAVA_STREAMS, ids)
        return is_put

    async def stream_count(self, athlete_id: int, *, since: datetime | None = None) -> int:
        """Return for how many living activities Strava was asked for streams."""
        [row] = await self._read("stream_count", *int64s(athlete_id=athlete_id), *timestamps(since=since))
        return int(row["streams"])

    async def newest_change(self) -> datetime | None:
        """Return the stamp of the newest row of an activity."""
        return await self._read_moment("newest_change")

    async def put_settings(self, seen: SeenSettings) -> bool:
        """Add a row where a value differs from the athlete's newest row."""

        async def put(guard: Sequence[Parameter]) -> bool:
            found = await self._read("newest_settings", scalar("athlete_id", "int64", seen.athlete_id))
            stored = _stored_settings(found[0]) if found else None
            if stored and stored.is_newer_than(seen, self._clock()):
                return False
            values = settings_after(stored, seen)
            if values is None:
                if stored and stored.is_shown_whole_by(seen):
                    await self._see_again(stored, seen.observed_at)
                return False
            given = {"settings_id": uuid4().hex, "payload": values, "ingested_at": None, "last_seen_at": None}
            row = rows.bound(STRAVA_ATHLETE_SETTINGS, seen, **given)
            known = scalar("known_ingested_at", "timestamp", found[0]["ingested_at"] if found else None)
            sql = guarded("put_settings")
            return await self._execute("put_settings", sql, *bound(STRAVA_ATHLETE_SETTINGS, row), known, *guard) > 0

        return await self._write_of_athlete(seen.athlete_id, seen.observed_at, put)

    async def due_gear(self, athlete_id: int, *, observed_before: datetime, not_found_before: datetime) -> list[str]:
        """Return the gear that is unknown, or was last asked for before a moment."""
        found = await self._read(
            "due_gear",
            *int64s(athlete_id=athlete_id),
            *timestamps(observed_before=observed_before, not_found_before=not_found_before),
        )
        return [row["gear_id"] for row in found]

    async def put_gear(self, seen: SeenGear) -> bool:
        """Add or replace it, unless something newer is stored or the athlete is not known."""
        not_found_at = seen.observed_at if seen.payload is None else None
        row = rows.bound(STRAVA_GEAR, seen, ingested_at=None, not_found_at=not_found_at)
        return await self._put_seen("put_gear", STRAVA_GEAR, row, seen.observed_at, self._latest())

    async def put_totals(self, seen: SeenTotals) -> bool:
        """Put them in the place of earlier ones, unless something newer is stored or the athlete is not known."""
        row = rows.bound(STRAVA_TOTALS, seen, ingested_at=None)
        return await self._put_seen("put_totals", STRAVA_TOTALS, row, seen.observed_at, self._latest())

    async def file_hashes(self) -> Mapping[int, str]:
        """Return the `file_hash` of each athlete's row."""
        return {row["athlete_id"]: row["file_hash"] for row in await self._read("file_hashes")}

    async def put_athlete_file(self, file: AthleteFile) -> bool:
        """Put it in the place of the athlete's earlier one, unless it says the same."""
        row = rows.bound(ATHLETE_FILES, file, ingested_at=None)
        return await self._put_seen("put_athlete_file", ATHLETE_FILES, row, file.read_at)

    async def _put_seen(self, name: str, table: Table, row: rows.Row, seen_at: datetime, *more: Parameter) -> bool:
        """Put a row by the merge of this name; return whether that changed anything."""

        async def put(guard: Sequence[Parameter]) -> bool:
            return await self._execute(name, guarded(name), *bound(table, row), *more, *guard) > 0

        return await self._write_of_athlete(row["athlete_id"], seen_at, put)

    def _latest(self) -> Parameter:
        """Return the moment after which a stored row is from the future, and gives way."""
        return scalar("latest", "timestamp", self._clock() + CLOCK_SKEW)

    async def _see_again(self, stored: StoredSettings, observed_at: datetime) -> None:
        which = scalar("settings_id", "string", stored.settings_id)
        await self._change("see_settings_again", which, scalar("last_seen_at", "timestamp", observed_at))


def _due(athlete_id: int, row: rows.Row, rules: Sequence[StreamRule]) -> DueStreams | None:
    """Return what `stream_facts.sql` found of an activity, if its streams are wanted or those stored are outdated."""
    facts = [row[name] for name in ("start_date", "distance", "moving_time", "elapsed_time")]
    fetched_for = json.dumps(facts, separators=(",", ":"), ensure_ascii=False)
    if row["stored_for"] is None:
        is_due = any(rule.names(athlete_id, row["sport_type"]) for rule in rules)
    else:
        is_due = row["stored_for"] != fetched_for
    if not is_due:
        return None
    return DueStreams(
        activity_id=row["activity_id"],
        athlete_id=athlete_id,
        fetched_for=fetched_for,
        activity_hash=row["payload_hash"],
    )


def _stored_settings(row: rows.Row) -> StoredSettings:
    return StoredSettings(
        settings_id=row["settings_id"],
        values=json.loads(row["payload"]),
        seen_at=datetime.fromisoformat(row["seen_at"]),
    )
