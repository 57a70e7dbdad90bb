"""Athletes, how far their history is, and what a purge removes, in BigQuery."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from backends.warehouse import rows
from backends.warehouse.athletes import Athlete, AthleteStatus, IngestionState, PurgeReceipt
from backends.warehouse.backfills import Backfill
from backends.warehouse.bigquery.database import BigQueryDatabase, bound
from backends.warehouse.bigquery.parameters import Parameter, array, scalar, timestamps
from backends.warehouse.bigquery.statements import guarded
from backends.warehouse.fence import Fence, last_purges
from backends.warehouse.own_file_tables import OWN_FILES
from backends.warehouse.purge_receipts import hash_athlete
from backends.warehouse.readings import PipelineReading
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.runs import last_stamp_statement
from backends.warehouse.schema import (
    BACKFILLS,
    CONNECT_INVITES,
    INGESTION_STATE,
    PIPELINE_READINGS,
    PURGES,
    RECONCILIATIONS,
    STRAVA_ATHLETES,
    STRAVA_EVENTS,
    STRAVA_SUBSCRIPTIONS,
    TABLES,
)
from backends.warehouse.subscriptions import KnownSubscription

_OF_ATHLETES = [table.name for table in TABLES if "athlete_id" in table.types]
_IS_OF_ATHLETE = {
    **dict.fromkeys(_OF_ATHLETES, "athlete_id = @athlete_id"),
    # What could not be read has no athlete, but may name one.
    STRAVA_EVENTS.name: "athlete_id = @athlete_id or strpos(message, cast(@athlete_id as string)) > 0",
}
REMAINING = " union all ".join(
    f"select '{table}' as table_name, count(*) as n from {table} where {condition}"  # noqa: S608 - our own names
    for table, condition in _IS_OF_ATHLETE.items()
)
REMOVALS = {
    **{table: f"delete from {table} where {condition}" for table, condition in _IS_OF_ATHLETE.items()},  # noqa: S608 - as above
    # An invitation stays used, but whom it connected is forgotten.
    CONNECT_INVITES.name: "update connect_invites set athlete_id = null where athlete_id = @athlete_id",
}


class Athletes(BigQueryDatabase):
    """Implements `AthleteStore`, `Purges`, `IngestionStates`, `Backfills`, `Reconciliations` and their like."""

    async def athletes(self) -> list[Athlete]:
        """Return every athlete ever connected and not purged."""
        return self._athletes_of(await self._read("athletes"))

    async def put_athlete(self, athlete: Athlete) -> None:
        """Add or replace one athlete; one who comes back after a purge gets the fence's end."""

        async def put(_: Fence, guard: Sequence[Parameter]) -> None:
            fenced_until = await self._fenced_until(athlete.athlete_id)
            row = rows.athlete_row(athlete) | {"fenced_until": fenced_until}
            await self._put_guarded(STRAVA_ATHLETES, row, guard)

        await self._fenced([athlete.athlete_id], put)

    async def connect(self, athlete: Athlete, backfill: Backfill) -> None:
        """Add or replace the athlete and ask for the history, whose list begins again.

        The row comes first, for nothing else is stored of who has none after a purge. When the rest fails, connecting
        has failed and is tried again.
        """
        await self.put_athlete(athlete)
        await self._list_again(backfill)

    async def change_status(
        self,
        status: AthleteStatus,
        *,
        before: Collection[AthleteStatus],
        athlete_id: int | None = None,
        reason: str | None = None,
    ) -> int:
        """Move the athlete, or all, from one of these statuses to another; return how many were moved."""
        return await self._change(
            "change_status",
            scalar("status", "string", status.value),
            scalar("status_since", "timestamp", self._clock()),
            scalar("status_reason", "string", reason),
            scalar("athlete_id", "int64", athlete_id),
            array("before", "string", [each.value for each in before]),
        )

    async def purge(self, athlete_id: int, *, keeps_own_files: bool = False) -> PurgeReceipt:
        """Remove every row of the athlete from `raw`, and keep the receipt.

        The receipt comes first and the athlete's own row after all others, so a kill in between leaves an athlete who
        is known and is purged by the next try. Once the row is gone the fence keeps everything out; what was written
        until then goes after it, until a count finds nothing. Then the receipt gets its moment, after which marts are
        built from nothing. BigQuery's time travel keeps the rows for two days.

        A row that stays, because the athlete's own files do, has the fence's end before the receipt is there: by the
        receipt every program finds out that it has to read the row again.
        """
        mark = await asyncio.to_thread(hash_athlete, athlete_id)
        receipt = PurgeReceipt(purge_id=uuid4().hex, athlete_hash=mark, purged_at=self._clock(), removed={})
        kept = await self._kept_tables(athlete_id) if keeps_own_files else frozenset()
        if kept:
            await self._change("fence_athlete", _athlete(athlete_id), *timestamps(fenced_until=receipt.purged_at))
        await self._put(PURGES, rows.bound(PURGES, receipt))
        removed = Counter({table: 0 for table in _OF_ATHLETES if table not in kept})
        removed.update(await self._remove_rows(athlete_id, kept))
        if not kept:
            removed[STRAVA_ATHLETES.name] += await self._remove(STRAVA_ATHLETES.name, athlete_id)
        while written_since := await self._remove_rows(athlete_id, kept):
            removed.update(written_since)
        if kept:  # last: until then the athlete is to be purged
            await self._change("keep_own_athlete", _athlete(athlete_id), *timestamps(status_since=receipt.purged_at))
        self._forget()
        return await self._ended(replace(receipt, purged_at=self._clock(), removed=removed))

    async def purged_at(self, athlete_id: int) -> datetime | None:
        """Return when an athlete who is unknown was purged; None for one who is known, or was never purged."""
        if any(each.athlete_id == athlete_id for each in await self.athletes()):
            return None
        return await self._last_purge_of(athlete_id)

    async def row_count(self, athlete_id: int) -> int:
        """Count the athlete's rows in all of `raw`."""
        return sum((await self._remaining(athlete_id)).values())

    async def ingestion_state(self, athlete_id: int) -> IngestionState | None:
        """Return the athlete's state, or None before the first load."""
        found = await self._read("ingestion_state", _athlete(athlete_id))
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
        given = scalar("subscription_id", "int64", subscription_id)
        await self._change("set_subscription", given, scalar("now", "timestamp", self._clock()))

    async def backfills(self) -> list[Backfill]:
        """Return the last one of each athlete, oldest request first."""
        return [rows.backfill(row) for row in await self._read("backfills")]

    async def request_backfill(self, backfill: Backfill) -> None:
        """Add it, or put it in the place of the athlete's earlier one."""
        await self._put_of_athlete(BACKFILLS, rows.bound(BACKFILLS, backfill), seen_at=backfill.requested_at)

    async def note_backfill(self, backfill: Backfill) -> bool:
        """Tell how far it is; False where another was requested since."""
        row = rows.bound(BACKFILLS, backfill)
        return await self._change("note_backfill", *bound(BACKFILLS, row)) > 0

    async def put_reconciliation(self, row: Reconciliation) -> None:
        """Add a verdict; one that is complete vouches for the history as of its start."""
        verdict = rows.bound(RECONCILIATIONS, row)
        vouched = timestamps(complete_as_of=row.started_at, updated_at=row.finished_at)

        async def put(guard: Sequence[Parameter]) -> bool:
            await self._put_guarded(RECONCILIATIONS, verdict, guard, replaces=False)
            if row.verdict is Verdict.COMPLETE:
                sql = guarded("put_complete_as_of")
                await self._execute("put_complete_as_of", sql, _athlete(row.athlete_id), *vouched, *guard)
            return True

        await self._write_of_athlete(row.athlete_id, row.started_at, put)

    async def last_reconciliation(self, athlete_id: int) -> Reconciliation | None:
        """Return the athlete's newest verdict."""
        found = await self._read("last_reconciliation", _athlete(athlete_id))
        return rows.reconciliation(found[0]) if found else None

    async def reading(self) -> PipelineReading | None:
        """Return how the rate budget and the queue stood, or None before the first reading."""
        found = await self._read("reading")
        return rows.reading(found[0]) if found else None

    async def put_reading(self, reading: PipelineReading) -> None:
        """Replace the reading."""
        await self._put(PIPELINE_READINGS, rows.reading_row(reading))

    async def probe(self) -> None:
        """Write something durable that changes nothing."""
        await self._change("probe")

    async def _list_again(self, backfill: Backfill) -> None:
        """Ask for the history, whose list begins from the top."""
        await self._change("begin_list_again", _athlete(backfill.athlete_id))
        await self.request_backfill(backfill)

    async def _fenced_until(self, athlete_id: int) -> datetime | None:
        """Return up to when what was seen of an athlete who connects now is of one who was purged."""
        fence_rows = self._fence_rows or await self._read_fence()
        if athlete_id in fence_rows.fenced_until:
            return fence_rows.fenced_until[athlete_id]
        purged_at = await self._last_purge_of(athlete_id)
        # A receipt's stamp may be ahead of a clock that was set back; what comes from now on is taken in any case.
        return purged_at and min(purged_at, self._clock())

    async def _last_purge_of(self, athlete_id: int) -> datetime | None:
        fence_rows = self._fence_rows or await self._read_fence()
        found = await self._checked(lambda: last_purges([athlete_id], fence_rows.purged_at, self._receipts))
        return found.get(athlete_id)

    async def _remaining(self, athlete_id: int) -> dict[str, int]:
        """Count the athlete's rows by table."""
        found = await self._select("remaining", REMAINING, _athlete(athlete_id))
        return {row["table_name"]: row["n"] for row in found}

    async def _kept_tables(self, athlete_id: int) -> frozenset[str]:
        """Return the tables that keep the athlete's own files, and the athlete for them; none without any."""
        own = {table.name for table in OWN_FILES}
        found = await self._remaining(athlete_id)
        return frozenset(own | {STRAVA_ATHLETES.name}) if any(found[each] for each in own) else frozenset()

    async def _remove_rows(self, athlete_id: int, kept: Collection[str]) -> dict[str, int]:
        """Remove the athlete's rows where there are any and they are not kept, but for the athlete's own."""
        stays = {*kept, STRAVA_ATHLETES.name}
        tables = [table for table, n in (await self._remaining(athlete_id)).items() if n and table not in stays]
        return {each: await self._remove(each, athlete_id) for each in tables}

    async def _ended(self, receipt: PurgeReceipt) -> PurgeReceipt:
        """Tell in the receipt what was removed, and a moment later than all that is stored."""
        row = rows.bound(PURGES, receipt)
        await self._change("end_purge", *bound(PURGES, row), last_stamp=last_stamp_statement())
        [found] = await self._read("purge_end", scalar("purge_id", "string", receipt.purge_id))
        return replace(receipt, purged_at=datetime.fromisoformat(found["purged_at"]))

    async def _remove(self, table: str, athlete_id: int) -> int:
        return await self._execute(f"purge_{table}", REMOVALS[table], _athlete(athlete_id))


def _athlete(athlete_id: int) -> Parameter:
    return scalar("athlete_id", "int64", athlete_id)
