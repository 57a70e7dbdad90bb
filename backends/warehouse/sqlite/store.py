"""`raw` in the pipeline's SQLite file: one writer thread that commits in groups, and one thread that reads."""

import asyncio
import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from backends.warehouse import recording, rows
from backends.warehouse.activities import Applied, Expired, Observation, StoredActivity
from backends.warehouse.athletes import Athlete, AthleteStatus, IngestionState, InviteUse, PurgeReceipt
from backends.warehouse.backfills import Backfill
from backends.warehouse.event_basis import EventBasis
from backends.warehouse.last_write_wins import CLOCK_SKEW
from backends.warehouse.ledger import DueLook, LedgerEntry, LedgerFilter, ObservedDelivery
from backends.warehouse.purge_receipts import hash_athlete
from backends.warehouse.readings import PipelineReading
from backends.warehouse.reconciliations import Reconciliation
from backends.warehouse.runs import TransformRun
from backends.warehouse.schema import (
    BACKFILLS,
    INGESTION_STATE,
    PIPELINE_READINGS,
    STRAVA_SUBSCRIPTIONS,
    TRANSFORM_RUNS,
)
from backends.warehouse.sqlite import athletes, retention, transactions, watermark
from backends.warehouse.sqlite.database import SQL
from backends.warehouse.sqlite.fence import purges_of
from backends.warehouse.sqlite.own_files import ImportedFiles
from backends.warehouse.sqlite.recordings import Recordings
from backends.warehouse.subscriptions import KnownSubscription
from runtime.clock import utc_text

_PRUNED_AT_ONCE = 500  # rows; others wait for the file no longer than for so many


class SqliteRawStore(Recordings, ImportedFiles):
    """Implements `RawStore`."""

    async def apply(self, observations: Sequence[Observation]) -> list[Applied]:
        """Fold the observations in, in one transaction; one answer each, in order."""
        if not observations:
            return []
        decisions = await self._write_fenced(
            lambda connection: transactions.apply(
                connection, observations, self._clock, self._receipts, archive_follows=self._archive_follows
            ),
            removes=_remove(observations),
        )
        return [decision.applied for decision in decisions]

    async def record(self, batch: Sequence[LedgerEntry | ObservedDelivery]) -> None:
        """Store observations and ledger rows in one transaction."""
        await self._write_fenced(
            lambda connection: transactions.record(
                connection, batch, self._clock, self._receipts, archive_follows=self._archive_follows
            ),
            removes=_remove(recording.observed(batch)),
        )

    async def dismiss(self, entry: LedgerEntry) -> None:
        """Add a row that settles its event, and forget what its message held."""
        await self._write_fenced(
            lambda connection: transactions.dismiss(connection, entry, self._clock, self._receipts), removes=True
        )

    async def prune_events(self, before: datetime) -> int:
        """Remove the rows of events that were settled before a moment, some at a time."""
        lasting = json.dumps([row[0] for row in await self._read("lasting_events")])
        step = {"before": utc_text(before), "lasting": lasting, "how_many": _PRUNED_AT_ONCE}
        removed = 0
        while count := await self._write(lambda connection: connection.execute(SQL["prune_events"], step).rowcount):
            removed += count
        return removed

    async def stored(self, activity_ids: Collection[int]) -> Mapping[int, StoredActivity]:
        """Return what is stored of the activities, tombstones included."""
        return await self._in_reader(lambda reader: transactions.versions(reader, activity_ids))

    async def event_basis(self, activity_ids: Collection[int]) -> EventBasis:
        """Return every athlete, and what is stored of the activities."""

        def read(reader: sqlite3.Connection) -> EventBasis:
            everyone = [rows.athlete(row) for row in reader.execute(SQL["athletes"])]
            return EventBasis(everyone, transactions.versions(reader, activity_ids))

        return await self._in_reader(read)

    async def counts(self, athlete_id: int) -> Mapping[int, int]:
        """Return how many living activities are stored, by `resource_state`."""
        return {row[0]: row[1] for row in await self._read("counts", athlete_id=athlete_id)}

    async def activity_ids(
        self, athlete_id: int, *, resource_state: int | None = None, since: datetime | None = None
    ) -> list[int]:
        """Return the ids of living activities, newest start first."""
        bound = {"resource_state": resource_state, "since": since and utc_text(since)}
        found = await self._read("activity_ids", athlete_id=athlete_id, **bound)
        return [row[0] for row in found]

    async def payloads(self, activity_ids: Collection[int]) -> Mapping[int, str]:
        """Return what is stored of the living ones among these."""
        found = await self._read("living_payloads", activity_ids=json.dumps(list(activity_ids)))
        return {row[0]: row[1] for row in found}

    async def least_recently_observed(
        self, athlete_id: int, *, observed_before: datetime, first_since: datetime, how_many: int
    ) -> list[int]:
        """Return living details that were last observed before a moment."""
        found = await self._read(
            "least_recently_observed",
            athlete_id=athlete_id,
            observed_before=utc_text(observed_before),
            first_since=utc_text(first_since),
            how_many=how_many,
        )
        return [row[0] for row in found]

    async def expire(self, *, observed_before: datetime, how_many: int) -> Expired:
        """Remove `how_many` at most of what was last seen at Strava before the moment."""
        return await self._write(
            lambda connection: retention.expire(connection, observed_before, how_many, self._clock), removes=True
        )

    async def reload_expired(self) -> list[int]:
        """Ask for the whole history of each athlete whose payloads expired since it was."""
        if not await self._in_reader(retention.to_reload):  # as a rule, and this is asked often
            return []
        return await self._write(lambda connection: retention.reload_expired(connection, self._clock))

    async def recent(self, wanted: LedgerFilter, *, limit: int) -> list[LedgerEntry]:
        """Return the rows that were written last, newest first."""
        found = await self._read("recent_events", **rows.filter_row(wanted), limit=limit)
        return [rows.ledger_entry(row) for row in found]

    async def parked_events(self, athlete_id: int) -> list[LedgerEntry]:
        """Return the athlete's events that were parked last, oldest first."""
        return [rows.ledger_entry(row) for row in await self._read("parked_events", athlete_id=athlete_id)]

    async def deferred_events(
        self, *, due_by: datetime | None, how_many: int, of_athletes: bool = False
    ) -> list[LedgerEntry]:
        """Return the newest rows of events that are off the queue and wait, due first."""
        statement = "deferred_deauthorizations" if of_athletes else "deferred_events"
        moments = {"due_by": due_by, "future": due_by and due_by + CLOCK_SKEW}
        texts = {name: moment and utc_text(moment) for name, moment in moments.items()}
        return [rows.ledger_entry(row) for row in await self._read(statement, **texts, how_many=how_many)]

    async def due_looks(self, *, due_after: timedelta, within: timedelta, how_many: int) -> list[DueLook]:
        """Return activities whose create arrived longer ago than `due_after`, and that were not asked for since."""
        now = self._clock()
        found = await self._read(
            "due_looks",
            since=utc_text(now - within),
            received_by=utc_text(now - due_after),
            due_after_s=due_after.total_seconds(),
            how_many=how_many,
        )
        return [rows.due_look(row) for row in found]

    async def athletes(self) -> list[Athlete]:
        """Return every athlete ever connected and not purged."""
        return [rows.athlete(row) for row in await self._read("athletes")]

    async def put_athlete(self, athlete: Athlete) -> None:
        """Add or replace one athlete."""
        await self._write_fenced(
            lambda connection: athletes.put_athlete(connection, athlete, self._receipts, self._clock)
        )

    async def connect(self, athlete: Athlete, backfill: Backfill) -> None:
        """Add or replace the athlete and ask for the history, whose list begins again."""
        await self._write_fenced(
            lambda connection: athletes.connect(connection, athlete, backfill, self._receipts, self._clock)
        )

    async def change_status(
        self,
        status: AthleteStatus,
        *,
        before: Collection[AthleteStatus],
        athlete_id: int | None = None,
        reason: str | None = None,
    ) -> int:
        """Move the athlete, or all, from one of these statuses to another; return how many were moved."""
        whose = {"before": json.dumps(list(before)), "athlete_id": athlete_id}
        change = {"status": status, "status_since": utc_text(self._clock()), "status_reason": reason}
        return await self._write(lambda connection: connection.execute(SQL["change_status"], whose | change).rowcount)

    async def purge(self, athlete_id: int, *, keeps_own_files: bool = False) -> PurgeReceipt:
        """Remove every row of the athlete from `raw` and its queued work, and keep the receipt."""
        mark = await asyncio.to_thread(hash_athlete, athlete_id)
        receipt = await self._write(
            lambda connection: athletes.purge(
                connection, athlete_id, mark, self._clock, keeps_own_files=keeps_own_files
            ),
            removes=True,
        )
        await asyncio.to_thread(self._empty_log)
        return receipt

    async def purged_at(self, athlete_id: int) -> datetime | None:
        """Return when an athlete who is unknown was purged; None for one who is known, or was never purged."""
        if any(each.athlete_id == athlete_id for each in await self.athletes()):
            return None
        found = await self._checked(
            lambda: self._in_reader(lambda reader: purges_of(reader, [athlete_id], self._receipts))
        )
        return found.get(athlete_id)

    async def row_count(self, athlete_id: int) -> int:
        """Count the athlete's rows in all of `raw`."""
        return await self._in_reader(lambda reader: athletes.row_count(reader, athlete_id))

    async def claim_invite(self, invite_id: str, expires_at: datetime) -> bool:
        """Use the invitation, or return False because it is used."""
        return await self._write(
            lambda connection: transactions.claim_invite(connection, invite_id, expires_at, self._clock)
        )

    async def release_invite(self, invite_id: str) -> None:
        """Let an invitation be used again, unless it connected somebody."""
        await self._execute("release_invite", invite_id=invite_id)

    async def settle_invite(self, invite_id: str, athlete_id: int) -> None:
        """Write down whom the claimed invitation connected."""
        await self._execute("settle_invite", invite_id=invite_id, athlete_id=athlete_id)

    async def invite_use(self, invite_id: str) -> InviteUse | None:
        """Return the invitation's use, or None while it can be used."""
        found = await self._read("invite_use", invite_id=invite_id)
        return InviteUse(athlete_id=found[0]["athlete_id"]) if found else None

    async def ingestion_state(self, athlete_id: int) -> IngestionState | None:
        """Return the athlete's state, or None before the first load."""
        found = await self._read("ingestion_state", athlete_id=athlete_id)
        return IngestionState(**rows.read(INGESTION_STATE, found[0])) if found else None

    async def put_ingestion_state(self, state: IngestionState) -> None:
        """Replace the athlete's state, unless it tells of a list that a purge has overtaken."""
        told = [state.updated_at, *filter(None, [state.complete_as_of, state.listing_began_at])]
        await self._put_of_athlete(INGESTION_STATE, rows.bound(INGESTION_STATE, state), seen_at=min(told))

    async def subscriptions(self) -> list[KnownSubscription]:
        """Return every subscription that is or was this pipeline's, the current one first."""
        found = await self._read("subscriptions")
        return [KnownSubscription(**rows.read(STRAVA_SUBSCRIPTIONS, row)) for row in found]

    async def set_subscription(self, subscription_id: int | None) -> None:
        """Make this subscription the current one, or none."""
        await self._write(lambda connection: transactions.set_subscription(connection, subscription_id, self._clock))

    async def backfills(self) -> list[Backfill]:
        """Return the last one of each athlete, oldest request first."""
        return [rows.backfill(row) for row in await self._read("backfills")]

    async def request_backfill(self, backfill: Backfill) -> None:
        """Add it, or put it in the place of the athlete's earlier one."""
        await self._put_of_athlete(BACKFILLS, rows.bound(BACKFILLS, backfill), seen_at=backfill.requested_at)

    async def note_backfill(self, backfill: Backfill) -> bool:
        """Tell how far it is; False where another was requested since."""
        row = rows.bound(BACKFILLS, backfill)
        changed = await self._write(lambda connection: connection.execute(SQL["note_backfill"], row).rowcount)
        return changed > 0

    async def put_reconciliation(self, row: Reconciliation) -> None:
        """Add a verdict; one that is complete vouches for the history as of its start."""
        await self._write_of_athlete(
            lambda connection: transactions.put_reconciliation(connection, row), row.athlete_id, seen_at=row.started_at
        )

    async def last_reconciliation(self, athlete_id: int) -> Reconciliation | None:
        """Return the athlete's newest verdict."""
        found = await self._read("last_reconciliation", athlete_id=athlete_id)
        return rows.reconciliation(found[0]) if found else None

    async def reading(self) -> PipelineReading | None:
        """Return how the rate budget and the queue stood, or None before the first reading."""
        found = await self._read("reading")
        return rows.reading(found[0]) if found else None

    async def put_reading(self, reading: PipelineReading) -> None:
        """Replace the reading."""
        await self._put(PIPELINE_READINGS, rows.reading_row(reading))

    async def watermark(self) -> str:
        """Return a text that changes whenever something did that the marts tell of; costs no scan of a large table."""
        return await self._in_reader(watermark.watermark)

    async def first_change(self, *, after: datetime) -> datetime | None:
        """Return when the first change came after a moment."""
        return await self._in_reader(lambda reader: watermark.first_change(reader, after))

    async def last_run(self) -> TransformRun | None:
        """Return the newest run that was published."""
        found = await self._read("last_run")
        return TransformRun(**rows.read(TRANSFORM_RUNS, found[0])) if found else None

    async def last_error(self) -> str | None:
        """Return what stopped the newest run; None where nothing did."""
        found = await self._read("last_error")
        return found[0]["error"] if found else None

    async def put_run(self, run: TransformRun) -> None:
        """Add one run."""
        await self._put(TRANSFORM_RUNS, rows.bound(TRANSFORM_RUNS, run, ingested_at=self._clock()), replaces=False)

    async def last_purge(self) -> datetime | None:
        """Return when an athlete was last purged."""
        [row] = await self._read("last_purge")
        return None if row["purged_at"] is None else datetime.fromisoformat(row["purged_at"])

    async def last_removal(self) -> datetime | None:
        """Return the stamp of what was last deleted, purged or too old: what was built before may still hold it."""
        [row] = await self._read("last_removal")
        return None if row["removed_at"] is None else datetime.fromisoformat(row["removed_at"])


def _remove(observations: Sequence[Observation]) -> bool:
    return any(seen.activity is None for seen in observations)
