"""What happens to `raw` inside one transaction of the pipeline's SQLite file."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from backends.warehouse import activity_changes, recording, rows
from backends.warehouse.activities import Decision, Observation, StoredActivity
from backends.warehouse.athletes import INVITE_KEPT
from backends.warehouse.fence import Fence
from backends.warehouse.ledger import LedgerEntry
from backends.warehouse.own_file_tables import OWN_FILES
from backends.warehouse.purge_receipts import CheckedReceipts
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.recording import Batch, Outcomes
from backends.warehouse.runs import last_stamp_statement
from backends.warehouse.schema import ACTIVITY_CHANGES, RECONCILIATIONS, STRAVA_ACTIVITIES, STRAVA_EVENTS, TABLES
from backends.warehouse.sqlite.database import SQL, named, put_statement
from backends.warehouse.sqlite.fence import fence_around
from runtime.clock import utc_text
from strava.payload import ActivityPayload, disagrees

_PUT_ACTIVITY = put_statement(STRAVA_ACTIVITIES, replaces=True)
_PUT_CHANGE = put_statement(ACTIVITY_CHANGES, replaces=True)
_PUT_EVENT = put_statement(STRAVA_EVENTS, replaces=False)
_PUT_RECONCILIATION = put_statement(RECONCILIATIONS, replaces=False)
LAST_STAMP = last_stamp_statement()
STEP = timedelta(microseconds=1)
# What Strava said of an activity in tables of its own; what the athlete's own files say is the athlete's.
_BESIDE_ACTIVITIES = [
    table.name for table in TABLES if table not in (STRAVA_ACTIVITIES, *OWN_FILES) and "activity_id" in table.types
]

Clock = Callable[[], datetime]


def apply(
    connection: sqlite3.Connection,
    observations: Sequence[Observation],
    clock: Clock,
    receipts: CheckedReceipts,
    *,
    archive_follows: bool = True,
) -> list[Decision]:
    """Apply the observations under the last-write-wins rule and tell what it made of each, in order.

    If `archive_follows`, what an export says of a deleted activity goes with it. Raises ReceiptsUnchecked, as all that
    must not bring back an athlete who was purged.
    """
    fence = fence_around(connection, (seen.athlete_id for seen in observations), receipts, clock())
    outcomes = _apply(connection, observations, next_stamp(connection, clock), clock(), fence)
    if archive_follows:
        _follow_deletes(connection, outcomes.gone_at, clock)
    return outcomes.decisions


def record(
    connection: sqlite3.Connection,
    batch: Batch,
    clock: Clock,
    receipts: CheckedReceipts,
    *,
    archive_follows: bool = True,
) -> None:
    """Apply the observations, then add the ledger rows, whose stamps come after those of the activities.

    Raises ReceiptsUnchecked. Of an athlete who was purged a row tells only that there was an event.
    """
    observations = recording.observed(batch)
    fence = fence_around(connection, recording.athlete_ids(batch), receipts, clock())
    stamp = next_stamp(connection, clock)
    outcomes = _apply(connection, observations, stamp, clock(), fence)
    entries = recording.entries(batch, outcomes.decisions, fence)
    connection.executemany(
        _PUT_EVENT,
        [rows.ledger_row(entry, stamp + place * STEP) for place, entry in enumerate(entries, len(observations))],
    )
    if settled := recording.settled(entries):
        connection.execute(SQL["drop_settled_letters"], {"event_ids": json.dumps(settled)})
    if archive_follows:
        _follow_deletes(connection, outcomes.gone_at, clock)


def dismiss(connection: sqlite3.Connection, entry: LedgerEntry, clock: Clock, receipts: CheckedReceipts) -> None:
    """Add the row that settles its event, and forget what its message held. Raises ReceiptsUnchecked."""
    record(connection, [entry], clock, receipts, archive_follows=False)
    connection.execute(SQL["dismiss_message"], {"event_id": entry.event_id})


def versions(connection: sqlite3.Connection, activity_ids: Iterable[int]) -> dict[int, StoredActivity]:
    """Return the rows of these activities, without their payloads."""
    found = connection.execute(SQL["activity_versions"], {"activity_ids": json.dumps(list(set(activity_ids)))})
    return {row.activity_id: row for row in map(rows.stored_activity, named(found))}


def _apply(
    connection: sqlite3.Connection, observations: Sequence[Observation], stamp: datetime, now: datetime, fence: Fence
) -> Outcomes:
    taken = recording.let_in(observations, fence)
    stored = versions(connection, (seen.activity_id for seen in taken)) if taken else {}
    details = _StoredDetails(connection, taken)
    outcomes = recording.decide(observations, stored, details.disagree, fence=fence, now=now)
    ids = json.dumps(activity_changes.edited(outcomes.changes, stored))
    before = dict(connection.execute(SQL["living_payloads"], {"activity_ids": ids}).fetchall())
    changed = activity_changes.change_rows(outcomes.changes, stored, before)
    _store(connection, outcomes, stamp)
    connection.executemany(_PUT_CHANGE, [{**row, "ingested_at": utc_text(stamp)} for row in changed])
    return outcomes


def _store(connection: sqlite3.Connection, outcomes: Outcomes, stamp: datetime) -> None:
    changes, deleted = outcomes.changes, outcomes.deleted
    connection.executemany(
        _PUT_ACTIVITY,
        [
            rows.activity_row(seen, changes.rows[activity_id], stamp + place * STEP)
            for place, (activity_id, seen) in enumerate(changes.winners.items())
        ],
    )
    connection.executemany(
        SQL["put_observed_at"],
        [rows.observed_row(changes.rows[activity_id]) for activity_id in changes.moved - changes.winners.keys()],
    )
    if deleted:
        drop_beside(connection, deleted)
        connection.execute(SQL["drop_dead_letters"], {"activity_ids": json.dumps(deleted)})
        connection.execute(SQL["forget_messages"], {"texts": json.dumps([str(each) for each in deleted])})


def _follow_deletes(connection: sqlite3.Connection, gone_at: Mapping[int, datetime], clock: Clock) -> None:
    """Remove what exports that were written before say of these activities."""
    if not gone_at:
        return
    stamp = next_stamp(connection, clock)
    gone = [
        {"activity_id": each, "deleted_at": utc_text(at), "ingested_at": utc_text(stamp + place * STEP)}
        for place, (each, at) in enumerate(gone_at.items())
    ]
    connection.executemany(SQL["follow_delete_of_row"], gone)
    connection.executemany(SQL["follow_delete_of_files"], gone)


def drop_beside(connection: sqlite3.Connection, activity_ids: Sequence[int]) -> None:
    """Remove what is kept of these activities in other tables, such as streams."""
    for table in _BESIDE_ACTIVITIES:
        removing = f"delete from {table} where activity_id in (select value from json_each(?))"  # noqa: S608 - our own names
        connection.execute(removing, (json.dumps(activity_ids),))


def put_reconciliation(connection: sqlite3.Connection, row: Reconciliation) -> None:
    """Add the verdict, and vouch for the history where it is complete; a listing under way keeps its cursor."""
    connection.execute(_PUT_RECONCILIATION, rows.bound(RECONCILIATIONS, row))
    if row.verdict is Verdict.COMPLETE:
        vouched = {"complete_as_of": utc_text(row.started_at), "updated_at": utc_text(row.finished_at)}
        connection.execute(SQL["put_complete_as_of"], {"athlete_id": row.athlete_id, **vouched})


def set_subscription(connection: sqlite3.Connection, subscription_id: int | None, clock: Clock) -> None:
    """Make this subscription the current one, or none; the one before is kept as ended."""
    row = {"subscription_id": subscription_id, "now": utc_text(clock())}
    connection.execute(SQL["end_subscription"], row)
    if subscription_id is not None:
        connection.execute(SQL["put_subscription"], row)


def claim_invite(connection: sqlite3.Connection, invite_id: str, expires_at: datetime, clock: Clock) -> bool:
    """Add the invitation's use and forget those that expired; return False where the use is there already."""
    now = clock()
    connection.execute(SQL["drop_old_invites"], {"expired_before": utc_text(now - INVITE_KEPT)})
    use = {"invite_id": invite_id, "expires_at": utc_text(expires_at), "claimed_at": utc_text(now)}
    return connection.execute(SQL["claim_invite"], use).rowcount == 1


def next_stamp(connection: sqlite3.Connection, clock: Clock) -> datetime:
    """Return a moment later than every stamp in the file, even if the clock was set back."""
    last = connection.execute(LAST_STAMP).fetchone()[0]
    now = clock()
    return now if last is None else max(now, datetime.fromisoformat(last) + STEP)


class _StoredDetails:
    """The payloads of the stored details that a batch's summaries may disagree with; read once, and only if asked."""

    def __init__(self, connection: sqlite3.Connection, observations: Sequence[Observation]) -> None:
        self._connection = connection
        self._summaries = [seen.activity_id for seen in observations if seen.activity and not seen.activity.is_detailed]

    @cached_property
    def _texts(self) -> Mapping[int, str]:
        return dict(self._connection.execute(SQL["payloads"], {"activity_ids": json.dumps(self._summaries)}))

    def disagree(self, summary: ActivityPayload, newer: ActivityPayload | None) -> bool:
        """Tell whether the summary contradicts the detail: the one this batch brings, or else the stored one."""
        detail = newer.text if newer else self._texts[summary.activity_id]
        return disagrees(summary=json.loads(summary.text), detail=json.loads(detail))
