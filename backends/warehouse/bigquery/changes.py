"""What a batch writes: a merge of activities, then one of what they were before, and one of ledger rows.

The last-write-wins rule is worked out on rows that were read before. The merge puts its result only while every one of
them still is so; otherwise it puts nothing, all is read again and worked out once more. So several workers keep the
rule. A kill between the merges leaves an observation without its ledger row: nobody has acknowledged the message
then, so it comes again, finds what is stored already, and leaves its row. What an edit changed may be lost by that: it
is told once the edit is stored, so that no change is told which did not come to be.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backends.warehouse import recording, rows
from backends.warehouse.activities import Applied, Decision, Observation, StoredActivity
from backends.warehouse.bigquery.client import Stale
from backends.warehouse.bigquery.parameters import Parameter, array, scalar
from backends.warehouse.bigquery.statements import SQL, STALE, Given, Statement, guarded, put_rows, within
from backends.warehouse.fence import Fence, last_purges
from backends.warehouse.last_write_wins import is_living_detail
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery, Outcome
from backends.warehouse.purge_receipts import CheckedReceipts
from backends.warehouse.recording import Outcomes
from backends.warehouse.schema import ACTIVITY_CHANGES, STRAVA_ACTIVITIES, STRAVA_EVENTS
from strava.payload import ActivityPayload, disagrees

_STATED = {name: kind for name, kind in STRAVA_ACTIVITIES.types.items() if name != "ingested_at"}
_KNOWN = {
    "known_observed_at": "timestamp",
    "known_is_deleted": "bool",
    "known_payload_hash": "string",
    "known_seen_alive_at": "timestamp",
}
SEEN = {**_STATED, "place": "int64", "is_change": "bool", "is_known": "bool", **_KNOWN}
CHANGE = {**{name: kind for name, kind in ACTIVITY_CHANGES.types.items() if name != "ingested_at"}, "place": "int64"}
ENTRY = {**{name: kind for name, kind in STRAVA_EVENTS.types.items() if name != "ingested_at"}, "place": "int64"}

# What one caller brings: observations alone, or deliveries, which leave ledger rows too.
Work = Sequence[Observation | LedgerEntry | ObservedDelivery]


@dataclass(frozen=True, slots=True)
class FenceRows:
    """What was read of everyone that a purge leaves traces of: the rows of athletes, and the receipts."""

    fenced_until: Mapping[int, datetime | None]
    purged_at: Mapping[str, datetime]

    def fence(self, athlete_ids: Iterable[int], receipts: CheckedReceipts, now: datetime) -> Fence:
        """Return the fence around these athletes. Raises ReceiptsUnchecked."""
        wanted = set(athlete_ids)
        known = {each: until for each, until in self.fenced_until.items() if each in wanted}
        return Fence.of(known, last_purges(wanted - known.keys(), self.purged_at, receipts), now)

    def guard(self, athlete_ids: Iterable[int]) -> list[Parameter]:
        """Return the parameters of `guard.sql`, which holds while nothing has changed of the fence around these.

        A purge adds a receipt and removes a row, connecting adds one, and no row changes its fence.
        """
        wanted = set(athlete_ids)
        return [
            scalar("receipts", "int64", len(self.purged_at)),
            array("athlete_ids", "int64", sorted(wanted)),
            scalar("known_athletes", "int64", len(wanted & self.fenced_until.keys())),
        ]


@dataclass(frozen=True, slots=True)
class Settled:
    """What the rule made of observations, the rows as they stand after it, and to which activities it added one.

    `gone` are those that were seen to be deleted, some of them not for the first time; `told` are rows of what changed.
    """

    decisions: list[Decision]
    after: Mapping[int, StoredActivity]
    gone: list[int]
    added: list[int]
    told: list[rows.Row]


@dataclass(frozen=True, slots=True)
class Unproved:
    """Activities that a batch `added`, or `told` to have changed, until a statement proves that this may stay."""

    added: Sequence[int]
    told: Collection[int]

    @property
    def proof(self) -> str:
        """The condition that each of those that were added has one row, and that those that were told live."""
        single = [SQL["single"].strip().format(ids=within(self.added))] if self.added else []
        living = [SQL["living"].strip().format(ids=within(self.told))] if self.told else []
        return " and ".join([*single, *living]) or "true"

    @property
    def parameters(self) -> list[Parameter]:
        """What the condition reads."""
        return [array("added_ids", "int64", self.added)] if self.added else []


def observations_of(work: Work) -> list[Observation]:
    """Return the observations of one caller's work, in order."""
    told = (each.observation if isinstance(each, ObservedDelivery) else each for each in work)
    return [each for each in told if isinstance(each, Observation)]


def athletes_of(works: Iterable[Work]) -> set[int]:
    """Return the athletes that the work tells of."""
    seen = {each.athlete_id for work in works for each in observations_of(work)}
    events = [each.event for work in works for each in work if isinstance(each, LedgerEntry)]
    return seen | {event.owner_id for event in events if event is not None}


def compared(observations: Iterable[Observation], stored: Mapping[int, StoredActivity]) -> list[int]:
    """Return the activities whose stored details may have to be compared with summaries."""
    summaries = [each.activity_id for each in observations if each.activity and not each.activity.is_detailed]
    return [each for each in dict.fromkeys(summaries) if each in stored and is_living_detail(stored[each])]


def decide(
    observations: Sequence[Observation],
    stored: Mapping[int, StoredActivity],
    payloads: Mapping[int, str],
    *,
    fence: Fence,
    now: datetime,
) -> Outcomes:
    """Apply the last-write-wins rule; `payloads` are the stored details of what is `compared`. Raises Stale."""

    def disagree(summary: ActivityPayload, newer: ActivityPayload | None) -> bool:
        detail = newer.text if newer else payloads.get(summary.activity_id)
        if detail is None:
            raise Stale(STALE)
        return disagrees(summary=json.loads(summary.text), detail=json.loads(detail))

    return recording.decide(observations, stored, disagree, fence=fence, now=now)


def put_changes(told: Sequence[rows.Row], guard: Sequence[Parameter]) -> Statement:
    """Return the merge of what changed, of activities that live.

    It comes after the merge of the activities, which proves that the rule has let the changes through.
    """
    given = Given("changes", CHANGE, [{**row, "place": place} for place, row in enumerate(told)])
    return Statement("put_changes", put_changes_statement({row["activity_id"] for row in told}), guard, given)


def put_changes_statement(ids: Collection[int]) -> str:
    """Return its SQL, for changes of these activities."""
    living = f"given.activity_id in (select activity_id from strava_activities where {within(ids)} and not is_deleted)"  # noqa: S608 - our own names
    return put_rows(ACTIVITY_CHANGES, "changes", only=living, pruned=within(ids, "kept.activity_id"), changes={})


def put_activities(
    outcomes: Outcomes, stored: Mapping[int, StoredActivity], guard: Sequence[Parameter]
) -> Statement | None:
    """Return the merge that puts what the rule made, or None where it changes nothing."""
    seen = _seen_rows(outcomes, stored)
    if not seen:
        return None
    ids = [row["activity_id"] for row in seen]
    sql = guarded("put_activities", ids=within(ids), kept_ids=within(ids, "kept.activity_id"))
    return Statement("put_activities", sql, guard, Given("seen", SEEN, seen))


def entries_of(works: Sequence[Work], decisions: Iterable[Decision], fence: Fence) -> list[LedgerEntry]:
    """Return the ledger rows of all; of two rows of one delivery the first."""
    remaining = iter(decisions)
    entries: dict[str, LedgerEntry] = {}
    for work in works:
        own = [next(remaining) for _ in observations_of(work)]
        batch = [each for each in work if not isinstance(each, Observation)]
        for entry in recording.entries(batch, own, fence):
            entries.setdefault(entry.delivery_id, entry)
    return list(entries.values())


def told_deleted(entries: Iterable[LedgerEntry]) -> set[int]:
    """Return the activities that were deleted as the rows' events tell; an older one may be about one that lives.

    What is deferred comes again.
    """
    told = [each.event for each in entries if each.event and each.outcome is not Outcome.DEFERRED]
    return {each.object_id for each in told if (each.object_type, each.aspect_type) == ("activity", "delete")}


def drop_streams(deleted: Sequence[int]) -> Statement:
    """Return the removal of the streams of those that are deleted, and of what they once were."""
    streams = SQL["drop_streams"].format(ids=within(deleted))
    return Statement("drop_streams", f"{streams};\n{drop_changes(deleted).sql}", [])


def drop_changes(ids: Collection[int]) -> Statement:
    """Return the removal of what those of these activities once were that do not live."""
    return Statement("drop_changes", SQL["drop_changes"].format(ids=within(ids)), [])


def follow_deletes(ids: Sequence[int]) -> Statement:
    """Return the removal of what exports that were written before say of those of these that are deleted."""
    texts = {"ids": within(ids), "kept_ids": within(ids, "kept.activity_id")}
    sql = ";\n".join(SQL[f"follow_delete_of_{what}"].format(**texts) for what in ("rows", "files"))
    return Statement("follow_deletes", sql, [])


def drop_deleted(ids: Sequence[int], *, archive_follows: bool) -> Statement:
    """Return the removal of what is kept beside those that are deleted, in one job."""
    drop = drop_streams(ids)
    if not archive_follows:
        return drop
    return Statement(drop.name, f"{drop.sql};\n{follow_deletes(ids).sql}", drop.parameters)


def held_back_since(observations: Sequence[Observation], settled: Settled, fence: Fence) -> list[Observation]:
    """Return what was let in before, and would not be by the fence as it is now."""
    return [
        seen
        for seen, decision in zip(observations, settled.decisions, strict=True)
        if decision.applied is not Applied.PURGED and fence.holds_back(seen.athlete_id, seen.observed_at)
    ]


def held_back_ids(observations: Iterable[Observation], fence: Fence) -> set[int]:
    """Return the activities of which something is not let in by the fence."""
    return {seen.activity_id for seen in observations if fence.holds_back(seen.athlete_id, seen.observed_at)}


def prove(unproved: Unproved, guard: Sequence[Parameter]) -> Statement:
    """Return the query that raises Stale where what was written may not stay as it is."""
    return Statement("prove_added", guarded("prove_added", proof=unproved.proof), [*guard, *unproved.parameters])


def put_events(
    entries: Sequence[LedgerEntry],
    deleted: Sequence[int],
    first: int,
    guard: Sequence[Parameter],
    unproved: Unproved,
) -> Statement:
    """Return the merge that adds the ledger rows, after `first` other stamps, and forgets what is deleted.

    It raises Stale where what was written before may not stay as it is.
    """
    bound = [
        {**rows.ledger_row(entry, entry.finished_at), "place": place} for place, entry in enumerate(entries, first)
    ]
    given = Given("entries", ENTRY, bound)
    sql, parameters = guarded("put_events", proof=unproved.proof), [*guard, *unproved.parameters]
    if not deleted:
        return Statement("put_events", sql, parameters, given)
    pattern = scalar("deleted", "string", "|".join(map(str, deleted)))
    return Statement("put_events", sql + SQL["forget_messages"], [*parameters, pattern], given)


def _seen_rows(outcomes: Outcomes, stored: Mapping[int, StoredActivity]) -> list[rows.Row]:
    """Return the rows that change; those whose content changed first, in the order of their stamps."""
    changes = outcomes.changes
    written = [
        {**rows.activity_row(seen, changes.rows[activity_id], seen.observed_at), "is_change": True}
        for activity_id, seen in changes.winners.items()
    ]
    moved = [
        {**dict.fromkeys(_STATED), **rows.observed_row(changes.rows[activity_id]), "is_change": False}
        for activity_id in sorted(changes.moved - changes.winners.keys())
    ]
    return [
        {**row, "place": place, **_known(stored.get(row["activity_id"]))} for place, row in enumerate(written + moved)
    ]


def _known(stored: StoredActivity | None) -> dict[str, Any]:
    if stored is None:
        return {"is_known": False, **dict.fromkeys(_KNOWN)}
    return {
        "is_known": True,
        "known_observed_at": stored.observed_at,
        "known_is_deleted": stored.is_deleted,
        "known_payload_hash": stored.payload_hash,
        "known_seen_alive_at": stored.seen_alive_at,
    }
