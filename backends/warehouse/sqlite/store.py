"""`raw` in the pipeline's SQLite file: one writer thread that commits in groups, and one thread that reads."""

import asyncio
import hashlib
import json
import math
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from backends.database_errors import database_fault
from backends.group_commit import SqliteWriter
from backends.sqlite import BUSY_TIMEOUT_S, connect, empty_log, file_identity, statements
from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Applied, Observation, StoredActivity
from backends.warehouse.athletes import Athlete, IngestionState, InviteUse, PurgeReceipt
from backends.warehouse.backfills import Backfill
from backends.warehouse.last_write_wins import CLOCK_SKEW
from backends.warehouse.ledger import DueLook, LedgerEntry, LedgerFilter, ObservedDelivery
from backends.warehouse.purge_receipts import hash_athlete
from backends.warehouse.reconciliations import Reconciliation
from backends.warehouse.runs import TransformRun
from backends.warehouse.schema import (
    BACKFILLS,
    INGESTION_STATE,
    STRAVA_ATHLETES,
    STRAVA_SUBSCRIPTIONS,
    TRANSFORM_RUNS,
    Table,
)
from backends.warehouse.sqlite import rows, transactions
from backends.warehouse.sqlite.recordings import Recordings
from backends.warehouse.subscriptions import KnownSubscription
from backends.write_probe import rewrite_version
from runtime.clock import utc_now, utc_text
from strava.events import ReceivedEvent

T = TypeVar("T")

_SQL = statements(Path(__file__).parent / "sql")
_PRUNED_AT_ONCE = 500  # rows; others wait for the file no longer than for so many
_EMPTIED_WITHIN_S = 1.0  # how long a removed payload may stay in the write-ahead log, unless a reader needs the log


class SqliteRawStore(Recordings):
    """Implements `RawStore`; several processes may share the file.

    Every method raises WarehouseBusy when the file is locked for longer than the patience, the disk is full, or the
    store was closed; opening raises it too, and SchemaMismatch for a file that another version of the program made.
    When another file takes the place of the open one, one call raises WarehouseBusy, and later ones use the new file.
    A store that is `read_only` neither makes nor migrates the file, and writing to it raises WarehouseBusy. With
    `leaves_no_trace` it is for a look while nobody writes, as `connect` explains.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        read_only: bool = False,
        leaves_no_trace: bool = False,
    ) -> None:
        self._path = path
        self._clock = clock
        self._connect = partial(connect, read_only=True, leaves_no_trace=leaves_no_trace, busy_timeout_s=busy_timeout_s)
        with self._translated():
            self._writer = None if read_only else SqliteWriter(path, busy_timeout_s=busy_timeout_s)
            self._identity = file_identity(path)
            self._reader = self._open_reader()
        self._reading = ThreadPoolExecutor(1, thread_name_prefix=f"sqlite-reader {path.name}")

    async def apply(self, observations: Sequence[Observation]) -> list[Applied]:
        """Fold the observations in, in one transaction; one answer each, in order."""
        if not observations:
            return []
        decisions = await self._write(
            lambda connection: transactions.apply(connection, observations, self._clock), removes=_remove(observations)
        )
        return [decision.applied for decision in decisions]

    async def record(self, batch: Sequence[LedgerEntry | ObservedDelivery]) -> None:
        """Store observations and ledger rows in one transaction."""
        await self._write(
            lambda connection: transactions.record(connection, batch, self._clock),
            removes=_remove(transactions.observed(batch)),
        )

    async def dismiss(self, entry: LedgerEntry) -> None:
        """Add a row that settles its event, and forget what its message held."""
        await self._write(lambda connection: transactions.dismiss(connection, entry, self._clock), removes=True)

    async def prune_events(self, before: datetime) -> int:
        """Remove the rows of events that were settled before a moment, some at a time."""
        lasting = json.dumps([row[0] for row in await self._read("lasting_events")])
        step = {"before": utc_text(before), "lasting": lasting, "how_many": _PRUNED_AT_ONCE}
        removed = 0
        while count := await self._write(lambda connection: connection.execute(_SQL["prune_events"], step).rowcount):
            removed += count
        return removed

    async def stored(self, activity_ids: Collection[int]) -> Mapping[int, StoredActivity]:
        """Return what is stored of the activities, tombstones included."""
        return await self._in_reader(lambda reader: transactions.versions(reader, activity_ids))

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

    async def recent(self, wanted: LedgerFilter, *, limit: int) -> list[LedgerEntry]:
        """Return the rows that were written last, newest first."""
        found = await self._read("recent_events", **rows.filter_row(wanted), limit=limit)
        return [rows.ledger_entry(row) for row in found]

    async def parked_events(self, athlete_id: int) -> list[ReceivedEvent]:
        """Return the athlete's events that were parked last, oldest first."""
        return [rows.parked_event(row) for row in await self._read("parked_events", athlete_id=athlete_id)]

    async def deferred_events(self, *, due_by: datetime | None, how_many: int) -> list[LedgerEntry]:
        """Return the newest rows of events that are off the queue and wait, due first."""
        moments = {"due_by": due_by, "future": due_by and due_by + CLOCK_SKEW}
        texts = {name: moment and utc_text(moment) for name, moment in moments.items()}
        return [rows.ledger_entry(row) for row in await self._read("deferred_events", **texts, how_many=how_many)]

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
        await self._put(STRAVA_ATHLETES, rows.athlete_row(athlete))

    async def purge(self, athlete_id: int) -> PurgeReceipt:
        """Remove every row of the athlete from `raw` and its queued work, and keep the receipt."""
        mark = await asyncio.to_thread(hash_athlete, athlete_id)
        receipt = await self._write(
            lambda connection: transactions.purge(connection, athlete_id, mark, self._clock), removes=True
        )
        await asyncio.to_thread(self._empty_log)
        return receipt

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
        """Replace the athlete's state."""
        await self._put(INGESTION_STATE, rows.bound(INGESTION_STATE, state))

    async def subscriptions(self) -> list[KnownSubscription]:
        """Return every subscription that is or was this pipeline's, the current one first."""
        found = await self._read("subscriptions")
        return [KnownSubscription(**rows.read(STRAVA_SUBSCRIPTIONS, row)) for row in found]

    async def set_subscription(self, subscription_id: int | None) -> None:
        """Make this subscription the current one, or none."""
        await self._write(lambda connection: transactions.set_subscription(connection, subscription_id, self._clock))

    async def backfills(self) -> list[Backfill]:
        """Return the last one of each athlete, oldest request first."""
        return [Backfill(**rows.read(BACKFILLS, row)) for row in await self._read("backfills")]

    async def request_backfill(self, backfill: Backfill) -> None:
        """Add it, or put it in the place of the athlete's earlier one."""
        await self._put(BACKFILLS, rows.bound(BACKFILLS, backfill))

    async def note_backfill(self, backfill: Backfill) -> bool:
        """Tell how far it is; False where another was requested since."""
        row = rows.bound(BACKFILLS, backfill)
        changed = await self._write(lambda connection: connection.execute(_SQL["note_backfill"], row).rowcount)
        return changed > 0

    async def put_reconciliation(self, row: Reconciliation) -> None:
        """Add a verdict; one that is complete vouches for the history as of its start."""
        await self._write(lambda connection: transactions.put_reconciliation(connection, row))

    async def last_reconciliation(self, athlete_id: int) -> Reconciliation | None:
        """Return the athlete's newest verdict."""
        found = await self._read("last_reconciliation", athlete_id=athlete_id)
        return rows.reconciliation(found[0]) if found else None

    async def watermark(self) -> str:
        """Return a text that changes whenever something did that the marts tell of; costs no scan of a large table."""
        stamps, athletes = await self._in_reader(_watermark)
        # The athletes are few and their rows hold ids, which a purge must be able to remove: hence a digest.
        digest = hashlib.sha256("\n".join("|".join(map(str, row)) for row in athletes).encode()).hexdigest()[:16]
        return " ".join(str(stamp) for stamp in (*stamps, digest))

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
        await self._put(TRANSFORM_RUNS, rows.bound(TRANSFORM_RUNS, run), replaces=False)

    async def last_purge(self) -> datetime | None:
        """Return when an athlete was last purged."""
        [row] = await self._read("last_purge")
        return None if row["purged_at"] is None else datetime.fromisoformat(row["purged_at"])

    async def last_removal(self) -> datetime | None:
        """Return the stamp of the newest deletion or purge: what was built before may still hold what it removed."""
        [row] = await self._read("last_removal")
        return None if row["removed_at"] is None else datetime.fromisoformat(row["removed_at"])

    async def close(self) -> None:
        """Finish what is in flight and release the file; closing twice is success.

        The writer comes last: only a connection that may write leaves the write-ahead log empty.
        """
        await asyncio.to_thread(self._reading.shutdown)
        self._reader.close()
        if self._writer:
            await self._writer.close()

    async def probe(self) -> None:
        """Write something durable that changes nothing."""
        await self._write(rewrite_version)

    async def _write(self, work: Callable[[sqlite3.Connection], T], *, removes: bool = False) -> T:
        if self._writer is None:
            raise WarehouseBusy(f"The warehouse in {self._path} was opened to be read only.")
        with self._translated():
            return await self._writer.submit(work, log_emptied_within_s=_EMPTIED_WITHIN_S if removes else math.inf)

    async def _put(self, table: Table, row: rows.Row, *, replaces: bool = True) -> None:
        put = rows.put_statement(table, replaces=replaces)
        await self._write(lambda connection: connection.execute(put, row).close())

    async def _execute(self, statement: str, **parameters: object) -> None:
        await self._write(lambda connection: connection.execute(_SQL[statement], parameters).close())

    async def _read(self, statement: str, **parameters: object) -> list[sqlite3.Row]:
        return await self._in_reader(lambda reader: reader.execute(_SQL[statement], parameters).fetchall())

    async def _in_reader(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            answer = asyncio.get_running_loop().run_in_executor(self._reading, lambda: work(self._current_reader()))
        except RuntimeError as error:  # the executor's word for having been shut down
            raise WarehouseBusy(f"The warehouse in {self._path} was closed.") from error
        with self._translated():
            return await answer

    def _current_reader(self) -> sqlite3.Connection:
        """Return the connection to the file that is at the path now."""
        identity = file_identity(self._path)
        if identity != self._identity:
            moved, self._reader = self._reader, self._open_reader()
            moved.close()
            self._identity = identity
        return self._reader

    def _open_reader(self) -> sqlite3.Connection:
        reader = self._connect(self._path)
        reader.row_factory = sqlite3.Row
        return reader

    def _empty_log(self) -> None:
        with self._translated(), closing(connect(self._path, busy_timeout_s=0)) as connection:
            empty_log(connection)  # the writer goes on trying where a reader is in the way

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:  # a row that the tables refuse: waiting does not mend it
            raise
        except sqlite3.Error as error:
            raise WarehouseBusy(database_fault(error, self._path)) from error
        except OSError as error:
            raise WarehouseBusy(f"The warehouse in {self._path} cannot be used just now: {error}.") from error


def _remove(observations: Sequence[Observation]) -> bool:
    return any(seen.activity is None for seen in observations)


def _watermark(reader: sqlite3.Connection) -> tuple[sqlite3.Row, list[sqlite3.Row]]:
    return reader.execute(_SQL["watermark"]).fetchone(), reader.execute(_SQL["athletes"]).fetchall()
