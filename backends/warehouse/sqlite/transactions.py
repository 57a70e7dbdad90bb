"""What happens to `raw` inside one transaction of the pipeline's SQLite file."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from backends.sqlite import statements
from backends.warehouse import last_write_wins
from backends.warehouse.activities import Decision, Observation, StoredActivity
from backends.warehouse.athletes import PurgeReceipt
from backends.warehouse.last_write_wins import Decisions
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery, Outcome
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.schema import PURGES, RECONCILIATIONS, STRAVA_ACTIVITIES, STRAVA_EVENTS
from backends.warehouse.sqlite import rows
from runtime.clock import utc_text
from strava.payload import ActivityPayload, disagrees

_SQL = statements(Path(__file__).parent / "sql")
_PURGES = statements(Path(__file__).parent / "sql" / "purge")
_PUT_ACTIVITY = rows.put_statement(STRAVA_ACTIVITIES, replaces=True)
_PUT_EVENT = rows.put_statement(STRAVA_EVENTS, replaces=False)
_PUT_RECONCILIATION = rows.put_statement(RECONCILIATIONS, replaces=False)
_PUT_PURGE = rows.put_statement(PURGES, replaces=False)
_STEP = timedelta(microseconds=1)
_UNSETTLED = frozenset({Outcome.DEFERRED, Outcome.PARKED})
_INVITE_KEPT = timedelta(days=1)  # after it expired: a clock may be set back

Clock = Callable[[], datetime]


def apply(connection: sqlite3.Connection, observations: Sequence[Observation], clock: Clock) -> list[Decision]:
    """Apply the observations under the last-write-wins rule and tell what it made of each, in order."""
    return _apply(connection, observations, next_stamp(connection, clock), clock())


def record(connection: sqlite3.Connection, batch: Sequence[LedgerEntry | ObservedDelivery], clock: Clock) -> None:
    """Apply the observations, then add the ledger rows, whose stamps come after those of the activities."""
    observations = observed(batch)
    stamp = next_stamp(connection, clock)
    decisions = iter(_apply(connection, observations, stamp, clock()))
    entries = [each if isinstance(each, LedgerEntry) else each.entry_of(next(decisions)) for each in batch]
    connection.executemany(
        _PUT_EVENT,
        [rows.ledger_row(entry, stamp + place * _STEP) for place, entry in enumerate(entries, len(observations))],
    )
    settled = [entry.event_id for entry in entries if entry.outcome not in _UNSETTLED]
    if settled:
        connection.execute(_SQL["drop_settled_letters"], {"event_ids": json.dumps(settled)})


def dismiss(connection: sqlite3.Connection, entry: LedgerEntry, clock: Clock) -> None:
    """Add the row that settles its event, and forget what its message held."""
    record(connection, [entry], clock)
    connection.execute(_SQL["dismiss_message"], {"event_id": entry.event_id})


def observed(batch: Sequence[LedgerEntry | ObservedDelivery]) -> list[Observation]:
    """Return the observations of a batch, in order."""
    return [each.observation for each in batch if isinstance(each, ObservedDelivery)]


def versions(connection: sqlite3.Connection, activity_ids: Iterable[int]) -> dict[int, StoredActivity]:
    """Return the rows of these activities, without their payloads."""
    found = connection.execute(_SQL["activity_versions"], {"activity_ids": json.dumps(list(set(activity_ids)))})
    stored = (rows.stored_activity(sqlite3.Row(found, tuple(row))) for row in found)
    return {row.activity_id: row for row in stored}


def _apply(
    connection: sqlite3.Connection, observations: Sequence[Observation], stamp: datetime, now: datetime
) -> list[Decision]:
    if not observations:
        return []
    details = _StoredDetails(connection, observations)
    stored = versions(connection, (seen.activity_id for seen in observations))
    decisions = last_write_wins.apply(stored, observations, details.disagree, now=now)
    _store(connection, decisions, stamp)
    return decisions.answers


def _store(connection: sqlite3.Connection, decisions: Decisions, stamp: datetime) -> None:
    connection.executemany(
        _PUT_ACTIVITY,
        [
            rows.activity_row(seen, decisions.rows[activity_id], stamp + place * _STEP)
            for place, (activity_id, seen) in enumerate(decisions.winners.items())
        ],
    )
    connection.executemany(
        _SQL["put_observed_at"],
        [rows.observed_row(decisions.rows[activity_id]) for activity_id in decisions.moved - decisions.winners.keys()],
    )
    deleted = [activity_id for activity_id, seen in decisions.winners.items() if seen.activity is None]
    if deleted:
        for statement in ("drop_dead_letters", "drop_streams"):
            connection.execute(_SQL[statement], {"activity_ids": json.dumps(deleted)})
        connection.execute(_SQL["forget_messages"], {"texts": json.dumps([str(each) for each in deleted])})


def put_reconciliation(connection: sqlite3.Connection, row: Reconciliation) -> None:
    """Add the verdict, and vouch for the history where it is complete; a listing under way keeps its cursor."""
    connection.execute(_PUT_RECONCILIATION, rows.bound(RECONCILIATIONS, row))
    if row.verdict is Verdict.COMPLETE:
        vouched = {"complete_as_of": utc_text(row.started_at), "updated_at": utc_text(row.finished_at)}
        connection.execute(_SQL["put_complete_as_of"], {"athlete_id": row.athlete_id, **vouched})


def purge(connection: sqlite3.Connection, athlete_id: int, athlete_hash: str, clock: Clock) -> PurgeReceipt:
    """Remove the athlete from every table that knows of athletes, the queue's included, and add the receipt."""
    purged_at = next_stamp(connection, clock)
    removed = {
        table: connection.execute(statement, {"athlete_id": athlete_id}).rowcount
        for table, statement in sorted(_PURGES.items())
    }
    receipt = PurgeReceipt(purge_id=uuid4().hex, athlete_hash=athlete_hash, purged_at=purged_at, removed=removed)
    connection.execute(_PUT_PURGE, rows.bound(PURGES, receipt, removed=removed))
    return receipt


def set_subscription(connection: sqlite3.Connection, subscription_id: int | None, clock: Clock) -> None:
    """Make this subscription the current one, or none; the one before is kept as ended."""
    row = {"subscription_id": subscription_id, "now": utc_text(clock())}
    connection.execute(_SQL["end_subscription"], row)
    if subscription_id is not None:
        connection.execute(_SQL["put_subscription"], row)


def claim_invite(connection: sqlite3.Connection, invite_id: str, expires_at: datetime, clock: Clock) -> bool:
    """Add the invitation's use and forget those that expired; return False where the use is there already."""
    connection.execute(_SQL["drop_old_invites"], {"expired_before": utc_text(clock() - _INVITE_KEPT)})
    use = {"invite_id": invite_id, "expires_at": utc_text(expires_at)}
    return connection.execute(_SQL["claim_invite"], use).rowcount == 1


def next_stamp(connection: sqlite3.Connection, clock: Clock) -> datetime:
    """Return a moment later than every stamp in the file, even if the clock was set back."""
    last = connection.execute(_SQL["last_stamp"]).fetchone()[0]
    now = clock()
    return now if last is None else max(now, datetime.fromisoformat(last) + _STEP)


class _StoredDetails:
    """The payloads of the stored details that a batch's summaries may disagree with; read once, and only if asked."""

    def __init__(self, connection: sqlite3.Connection, observations: Sequence[Observation]) -> None:
        self._connection = connection
        self._summaries = [seen.activity_id for seen in observations if seen.activity and not seen.activity.is_detailed]

    @cached_property
    def _texts(self) -> Mapping[int, str]:
        return dict(self._connection.execute(_SQL["payloads"], {"activity_ids": json.dumps(self._summaries)}))

    def disagree(self, summary: ActivityPayload, newer: ActivityPayload | None) -> bool:
        """Tell whether the summary contradicts the detail: the one this batch brings, or else the stored one."""
        detail = newer.text if newer else self._texts[summary.activity_id]
        return disagrees(summary=json.loads(summary.text), detail=json.loads(detail))
