"""`raw` in BigQuery: the whole store, and what is read of the ledger."""

from datetime import UTC, datetime, time, timedelta

from backends.warehouse import rows
from backends.warehouse.bigquery.activities import Activities
from backends.warehouse.bigquery.invites import Invites
from backends.warehouse.bigquery.own_files import ImportedFiles
from backends.warehouse.bigquery.parameters import int64s, scalar, timestamps
from backends.warehouse.bigquery.recordings import Recordings
from backends.warehouse.bigquery.retention import Retention
from backends.warehouse.bigquery.statements import SQL
from backends.warehouse.bigquery.watermark import Watermark
from backends.warehouse.last_write_wins import CLOCK_SKEW
from backends.warehouse.ledger import DueLook, LedgerEntry, LedgerFilter
from backends.warehouse.schema import STRAVA_EVENTS
from runtime.clock import utc_text

_MICROSECOND = timedelta(microseconds=1)


class BigQueryRawStore(Activities, Retention, ImportedFiles, Recordings, Watermark, Invites):
    """Implements `RawStore`."""

    async def dismiss(self, entry: LedgerEntry) -> None:
        """Add a row that settles its event, and forget what its message held."""
        await self.record([entry])
        await self._change("dismiss_message", scalar("event_id", "string", entry.event_id))

    async def prune_events(self, before: datetime) -> int:
        """Remove the rows of events that were settled before a moment."""
        return await self._change("prune_events", scalar("settled_before", "timestamp", before))

    async def recent(self, wanted: LedgerFilter, *, limit: int) -> list[LedgerEntry]:
        """Return the rows that were written last, newest first."""
        kinds = STRAVA_EVENTS.types | {"activity_id": "int64", "since": "timestamp", "until": "timestamp"}
        named = [scalar(name, kinds.get(name, "bool"), value) for name, value in rows.filter_row(wanted).items()]
        found = await self._read("recent_events", *named, scalar("how_many", "int64", limit))
        return [rows.ledger_entry(row) for row in found]

    async def parked_events(self, athlete_id: int) -> list[LedgerEntry]:
        """Return the newest rows of the athlete's parked events, oldest first."""
        found = await self._read("parked_events", scalar("athlete_id", "int64", athlete_id))
        return [rows.ledger_entry(row) for row in found]

    async def deferred_events(
        self, *, due_by: datetime | None, how_many: int, of_athletes: bool = False
    ) -> list[LedgerEntry]:
        """Return the newest rows of events that are off the queue and wait, due first.

        Where none is due yet, BigQuery's cache has told so, at no cost.
        """
        if due_by is not None:
            [first] = await self._read("next_deferred", off_queue=SQL["off_queue"])
            is_due = first["retry_at"] is not None and first["retry_at"] <= utc_text(due_by)
            is_of_future = first["finished_at"] is not None and first["finished_at"] > utc_text(due_by + CLOCK_SKEW)
            if not is_due and not is_of_future:
                return []
        found = await self._read(
            "deferred_events",
            *timestamps(due_by=due_by, future=due_by and due_by + CLOCK_SKEW),
            scalar("of_athletes", "bool", of_athletes),
            scalar("how_many", "int64", how_many),
            off_queue=SQL["off_queue"],
        )
        return [rows.ledger_entry(row) for row in found]

    async def due_looks(self, *, due_after: timedelta, within: timedelta, how_many: int) -> list[DueLook]:
        """Return activities whose create arrived longer ago than `due_after`, and that were not asked for since."""
        now = self._clock()
        begins = datetime.combine((now - within).date(), time(), UTC)
        found = await self._read(
            "due_looks", *int64s(due_after_us=due_after // _MICROSECOND), *timestamps(since=begins)
        )
        received_by, since = utc_text(now - due_after), utc_text(now - within)
        due = [row for row in found if row["received_at"] <= received_by and row["ingested_at"] >= since]
        return [rows.due_look(row) for row in due[:how_many]]
