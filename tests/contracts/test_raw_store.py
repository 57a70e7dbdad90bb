"""What every raw store must do, on every engine."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from backends.warehouse import RawStore
from backends.warehouse.activities import Applied, Decision, Expired, Observation, Source
from backends.warehouse.athlete_files import AthleteFile
from backends.warehouse.athletes import Athlete, AthleteStatus, IngestionState
from backends.warehouse.backfills import Backfill
from backends.warehouse.ledger import DueLook, LedgerEntry, LedgerFilter, ObservedDelivery, Outcome, take_up_parked
from backends.warehouse.profile import SeenGear, SeenSettings, SeenTotals
from backends.warehouse.purge_receipts import is_receipt_of
from backends.warehouse.readings import LimitUse, PipelineReading
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.runs import TransformRun
from backends.warehouse.stamps import MOVES, WHOLE
from backends.warehouse.streams import DueStreams, StreamRule, Streams
from runtime.clock import utc_now
from strava.events import StravaEvent
from strava.payload import DETAILED, SUMMARY, ActivityPayload
from tests.contracts.conftest import Clock, OpenStore

ANNA, BEN = 9_100_001, 9_100_002
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

CHANGES = {Applied.STORED, Applied.DELETED}


@pytest.fixture
def clock() -> Clock:
    """The stores' clock: what a purge removes is told by when it was."""
    return utc_now


def at(seconds: float) -> datetime:
    """A moment that many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def payload(activity_id: int = 1, *, athlete_id: int = ANNA, state: int = DETAILED, **fields: Any) -> ActivityPayload:
    """An activity as Strava would send it."""
    start_date = fields.pop("start_date", "2026-05-04T06:00:00Z")
    return ActivityPayload.from_json(
        {"id": activity_id, "athlete": {"id": athlete_id}, "resource_state": state, "start_date": start_date, **fields}
    )


def seen(activity: ActivityPayload, seconds: float = 0, source: Source = Source.WEBHOOK) -> Observation:
    """The activity, observed that many seconds after noon."""
    return Observation(
        activity_id=activity.activity_id,
        athlete_id=activity.athlete_id,
        observed_at=at(seconds),
        source=source,
        activity=activity,
    )


def gone(seconds: float = 0, activity_id: int = 1, athlete_id: int = ANNA) -> Observation:
    """The activity was not there that many seconds after noon."""
    return Observation(activity_id=activity_id, athlete_id=athlete_id, observed_at=at(seconds), source=Source.RECONCILE)


def entry(delivery_id: str = "d1", *, athlete_id: int = ANNA, outcome: Outcome = Outcome.STORED) -> LedgerEntry:
    """A ledger row about an activity that was created."""
    event = StravaEvent.from_json(
        {
            "object_type": "activity",
            "aspect_type": "create",
            "object_id": 1,
            "owner_id": athlete_id,
            "subscription_id": 5,
            "event_time": 1_777_888_999,
            "updates": {"title": "Früh 🌄"},
        }
    )
    return LedgerEntry(
        delivery_id=delivery_id,
        event_id=event.event_id,
        event=event,
        outcome=outcome,
        reason="",
        reason_kind="rate_limited",
        attempt=1,
        received_at=at(0),
        finished_at=at(1),
    )


def athlete(athlete_id: int = ANNA, status: str = "connected") -> Athlete:
    """An athlete who granted two scopes."""
    return Athlete(
        athlete_id=athlete_id, scope=frozenset({"read", "activity:read_all"}), status=status, updated_at=at(0)
    )


# -- activities -----------------------------------------------------------------------------------------------------


async def test_nothing_stored(store: RawStore) -> None:
    """An empty store knows no activity, and applying nothing is success."""
    assert await store.apply([]) == []
    assert (await store.stored([1])).get(1) is None
    assert (await store.counts(ANNA), await store.activity_ids(ANNA)) == ({}, [])


async def test_stored_activity_comes_back(open_store: OpenStore, store: RawStore) -> None:
    """What was stored through one handle is seen whole through another."""
    activity = payload(7, name="Lauf 🏃")
    assert await store.apply([seen(activity, 3)]) == [Applied.STORED]
    other = open_store()
    row = (await other.stored([7])).get(7)
    assert row is not None
    assert (row.athlete_id, row.resource_state, row.observed_at) == (ANNA, DETAILED, at(3))
    assert (row.is_deleted, row.payload_hash) == (False, activity.payload_hash)


async def test_same_observation_again_is_unchanged(store: RawStore) -> None:
    """A repeated delivery changes nothing, and seeing the same content later only moves observed_at."""
    activity = payload()
    observations = [seen(activity, 1), seen(activity, 1), seen(activity, 5), seen(activity, 2)]
    answers = [(await store.apply([one]))[0] for one in observations]
    assert answers == [Applied.STORED, Applied.UNCHANGED, Applied.UNCHANGED, Applied.UNCHANGED]
    row = (await store.stored([1])).get(1)
    assert row is not None
    assert row.observed_at == at(5)


async def test_older_payload_never_overwrites_a_newer(store: RawStore) -> None:
    """A late answer of an early request is superseded."""
    new, old = payload(name="new"), payload(name="old")
    assert await store.apply([seen(new, 5)]) == [Applied.STORED]
    assert await store.apply([seen(old, 4)]) == [Applied.SUPERSEDED]
    row = (await store.stored([1])).get(1)
    assert row is not None
    assert row.payload_hash == new.payload_hash


async def test_delete_leaves_a_tombstone_that_only_a_newer_observation_lifts(store: RawStore) -> None:
    """A deleted activity stays deleted for everything seen before, and comes back when it is seen later."""
    activity = payload()
    steps = [
        (seen(activity, 1), Applied.STORED),
        (gone(1), Applied.DELETED),
        (gone(2), Applied.UNCHANGED),
        (seen(activity, 2), Applied.SUPERSEDED),
        (seen(payload(state=SUMMARY), 2), Applied.SUPERSEDED),
        (seen(activity, 2.000001), Applied.STORED),
        (gone(2), Applied.SUPERSEDED),
    ]
    assert [(await store.apply([step]))[0] for step, _ in steps] == [answer for _, answer in steps]


async def test_tombstone_for_an_activity_never_seen(store: RawStore) -> None:
    """A delete that overtook its create is kept, so that the create cannot bring the activity back."""
    assert await store.apply([gone(3)]) == [Applied.DELETED]
    assert await store.apply([seen(payload(), 2)]) == [Applied.SUPERSEDED]
    row = (await store.stored([1])).get(1)
    assert row is not None
    assert (row.is_deleted, row.resource_state, row.payload_hash) == (True, None, None)


async def test_what_replaces_content_is_told_once(store: RawStore) -> None:
    """A row for each field that an edit changed, for what a check added, and for a return; nothing of the rest.

    What an activity once was goes with it.
    """
    await store.put_athlete(athlete())
    await store.apply([seen(payload(1, name="a", distance=9.0)), seen(payload(2), source=Source.BACKFILL)])
    await store.apply([seen(payload(1, name="b", distance=9.5, kudos_count=1), 5)])
    await store.apply([seen(payload(1, name="b", distance=9.5, kudos_count=2), 6), seen(payload(1, name="c"), 4)])
    await store.apply([seen(payload(3), 1, Source.RECONCILE)])
    assert (await store.purge(ANNA)).removed["activity_changes"] == 3

    await store.put_athlete(replace(athlete(), updated_at=utc_now()))
    now = (utc_now() - NOON).total_seconds() + 1
    await store.apply([seen(payload(1, name="a"), now)])
    await store.apply([seen(payload(1, name="b"), now + 1)])
    await store.apply([gone(now + 2)])
    assert await store.row_count(ANNA) == 2  # athlete and tombstone
    await store.apply([seen(payload(1, name="b"), now + 3)])
    assert (await store.purge(ANNA)).removed["activity_changes"] == 1


async def test_old_values_that_are_too_old_go(store: RawStore) -> None:
    """They go as a whole, which is told as change and removal; the activity as it is now stays."""
    await store.put_athlete(athlete())
    await store.apply([seen(payload(1, name="a"), 1)])
    await store.apply([seen(payload(1, name="b"), 9)])
    mark = await store.watermark()
    expired = [await store.expire(observed_before=at(5), how_many=9) for _ in range(2)]
    assert [(each.activities, each.others) for each in expired] == [(0, 1), (0, 0)]
    assert await store.watermark() != mark
    assert await store.last_removal() is not None


async def test_summary_never_overwrites_a_detail(store: RawStore) -> None:
    """A newer summary that disagrees asks for the detail; one that agrees, or is older, changes nothing."""
    detail = payload(name="Run", distance=5000.0, kudos_count=1)
    same = payload(state=SUMMARY, name="Run", distance=5000.01, kudos_count=9)
    other = payload(state=SUMMARY, name="Run", distance=4200.0)
    await store.apply([seen(detail, 5)])
    assert await store.apply([seen(same, 6), seen(other, 6), seen(other, 5)]) == [
        Applied.UNCHANGED,
        Applied.NEEDS_DETAIL,
        Applied.UNCHANGED,
    ]
    row = (await store.stored([1])).get(1)
    assert row is not None
    assert (row.payload_hash, row.observed_at) == (detail.payload_hash, at(5))


async def test_sight_in_a_list_outlives_an_older_delete(store: RawStore) -> None:
    """A summary that agrees is remembered as a sign of life: only a later tombstone removes the detail."""
    steps = [
        (seen(payload(name="Run"), 1), Applied.STORED, at(1)),
        (seen(payload(name="Run", state=SUMMARY), 30), Applied.UNCHANGED, at(30)),
        (gone(20), Applied.SUPERSEDED, at(30)),
        (gone(30), Applied.DELETED, None),
    ]
    for step, answer, alive_until in steps:
        assert await store.apply([step]) == [answer]
        row = (await store.stored([1])).get(1)
        assert row is not None
        assert (row.is_deleted, row.seen_alive_at) == (alive_until is None, alive_until)


async def test_summary_is_compared_with_a_detail_of_its_own_batch(store: RawStore) -> None:
    """The disagreement rule holds within one batch, against the detail that the batch itself brings."""
    await store.apply([seen(payload(name="old"), 0)])
    batch = [seen(payload(name="new"), 1), seen(payload(state=SUMMARY, name="new"), 2)]
    assert await store.apply(batch) == [Applied.STORED, Applied.UNCHANGED]


async def test_detail_replaces_a_summary_seen_at_the_same_moment(store: RawStore) -> None:
    """A detail wins over a summary unless the summary is newer; a newer summary replaces an older summary."""
    summary, newer, detail = payload(state=SUMMARY), payload(state=SUMMARY, name="x"), payload(name="y")
    assert await store.apply([seen(summary, 1), seen(newer, 2), seen(summary, 1)]) == [
        Applied.STORED,
        Applied.STORED,
        Applied.SUPERSEDED,
    ]
    assert await store.apply([seen(detail, 1), seen(detail, 2)]) == [Applied.SUPERSEDED, Applied.STORED]


async def test_batch_is_answered_in_order(store: RawStore) -> None:
    """A batch acts as its observations would one after another, repetitions and several activities included."""
    batch = [seen(payload(1)), seen(payload(2)), gone(1), seen(payload(1)), gone(1, 3), seen(payload(2))]
    assert await store.apply(batch) == [
        Applied.STORED,
        Applied.STORED,
        Applied.DELETED,
        Applied.SUPERSEDED,
        Applied.DELETED,
        Applied.UNCHANGED,
    ]


def same_history_of(activity_id: int, moments: list[tuple[int, int | None]]) -> list[Observation]:
    """One history of (second, version or None for gone), told of any activity, with the same texts for each."""
    return [
        gone(second, activity_id)
        if version is None
        else seen(replace(payload(1, version=version), activity_id=activity_id), second)
        for second, version in moments
    ]


@pytest.mark.parametrize("seed", range(5))
async def test_order_and_repetition_do_not_matter(store: RawStore, seed: int) -> None:
    """Details and tombstones end as the same row in any order, any repetition and any cut into batches."""
    chance = random.Random(seed)
    moments = [(chance.randrange(4), chance.choice([None, 1, 2, 3])) for _ in range(6)]
    batches: tuple[list[Observation], list[Observation]] = ([], [])
    for activity_id in range(1, 13):
        told = chance.sample(moments, len(moments)) + chance.choices(moments, k=4)
        history = same_history_of(activity_id, told)
        cut = chance.randrange(len(history))
        batches[0].extend(history[:cut])
        batches[1].extend(history[cut:])
    for batch in batches:
        await store.apply(batch)
    rows = await store.stored(range(1, 13))
    assert len({replace(row, activity_id=0) for row in rows.values()}) == 1
    assert len(rows) == 12


async def test_large_batch(store: RawStore) -> None:
    """A thousand observations fit in one call."""
    assert await store.apply([seen(payload(n)) for n in range(1, 1001)]) == [Applied.STORED] * 1000
    assert await store.counts(ANNA) == {DETAILED: 1000}


async def test_counts_and_ids_are_of_living_activities(store: RawStore) -> None:
    """Tombstones and other athletes are not counted; ids come newest start first, those without a start last."""
    await store.apply(
        [
            seen(payload(1, start_date="2026-05-01T06:00:00Z")),
            seen(payload(2, start_date="2026-05-03T06:00:00Z", state=SUMMARY)),
            seen(payload(3, start_date="2026-05-02T06:00:00Z")),
            seen(payload(4)),
            seen(payload(5, athlete_id=BEN)),
            seen(payload(6, start_date=None)),
            gone(1, 4),
        ]
    )
    assert await store.counts(ANNA) == {SUMMARY: 1, DETAILED: 3}
    assert await store.activity_ids(ANNA) == [2, 3, 1, 6]
    assert await store.activity_ids(ANNA, resource_state=DETAILED) == [3, 1, 6]
    since = datetime(2026, 5, 2, 6, 0, tzinfo=UTC)
    assert await store.activity_ids(ANNA, since=since) == [2, 3]
    assert await store.activity_ids(ANNA, resource_state=DETAILED, since=since) == [3]


async def test_callers_at_once(open_store: OpenStore) -> None:
    """Many callers on two handles at once all succeed, and the newest observation of each activity is what stays."""
    stores = [open_store(), open_store()]
    await asyncio.gather(
        *(stores[n % 2].apply([seen(payload(1 + n % 5, name=f"v{n}"), n)]) for n in range(60)),
        *(stores[n % 2].record([entry(f"d{n}")]) for n in range(60)),
    )
    rows = [(await stores[0].stored([1 + n]))[1 + n] for n in range(5)]
    assert [row and row.observed_at for row in rows] == [at(55 + n) for n in range(5)]


# -- deliveries -----------------------------------------------------------------------------------------------------


Told = dict[str, Decision]  # what a store said last of each delivery, in the order in which it said so


def observed(observation: Observation, delivery_id: str, told: Told) -> ObservedDelivery:
    """A delivery that led to the observation; `told` collects what the store says of it. Its row says parked."""

    def entry_of(decision: Decision) -> LedgerEntry:
        told.pop(delivery_id, None)
        told[delivery_id] = decision
        return entry(delivery_id, athlete_id=observation.athlete_id, outcome=Outcome.PARKED)

    return ObservedDelivery(observation, entry_of)


async def test_a_batch_records_observations_and_rows(store: RawStore) -> None:
    """Each row is made of what the rule decided, in order, also where a batch brings one activity twice."""
    told: Told = {}
    detail, summary = payload(1, name="run"), payload(1, state=SUMMARY, name="renamed")
    await store.record(
        [
            observed(seen(detail, 5), "d1", told),
            entry("d2", athlete_id=BEN, outcome=Outcome.PARKED),
            observed(gone(4), "d3", told),
            observed(seen(summary, 9), "d4", told),
            observed(gone(10), "d5", told),
        ]
    )
    decisions = list(told.values())
    applied = [decision.applied for decision in decisions]
    assert applied == [Applied.STORED, Applied.SUPERSEDED, Applied.NEEDS_DETAIL, Applied.DELETED]
    assert [decision.row.is_deleted for decision in decisions] == [False, False, False, True]
    assert [decision.row.seen_alive_at for decision in decisions] == [at(5), at(5), at(9), None]
    assert await store.stored([1, 2]) == {1: decisions[-1].row}
    assert (len(await store.parked_events(ANNA)), len(await store.parked_events(BEN))) == (1, 1)


async def test_a_batch_is_recorded_whole_or_not_at_all(store: RawStore) -> None:
    """A row that cannot be made takes the observations of its batch with it: the queue will bring all again."""

    def entry_of(_: Decision) -> LedgerEntry:
        raise ZeroDivisionError

    batch = [observed(seen(payload(1), 1), "d1", {}), ObservedDelivery(seen(payload(2), 1), entry_of)]
    before = await store.watermark()
    with pytest.raises(ZeroDivisionError):
        await store.record(batch)
    assert (await store.stored([1, 2]), await store.parked_events(ANNA)) == ({}, [])
    assert await store.watermark() == before


async def test_two_workers_record_into_one_store(open_store: OpenStore) -> None:
    """Both get every delivery, in orders of their own and at once: one stores each version, and the newest stays."""
    workers = [open_store(), open_store()]
    told: Told = {}
    versions = [
        *(seen(payload(activity_id, name=f"v{second}"), second) for activity_id in range(1, 9) for second in range(5)),
        *(gone(5, activity_id) for activity_id in range(1, 4)),
    ]

    async def work(worker: RawStore, seed: int) -> None:
        waiting = versions * 2
        random.Random(seed).shuffle(waiting)
        for first in range(0, len(waiting), 17):
            batch = waiting[first : first + 17]
            await worker.record([observed(each, f"{seed}/{first + n}", told) for n, each in enumerate(batch)])

    await asyncio.gather(work(workers[0], 1), work(workers[1], 2))
    rows = await workers[0].stored(range(1, 9))
    assert {key: (row.is_deleted, row.observed_at) for key, row in rows.items()} == {
        key: (key < 4, at(5 if key < 4 else 4)) for key in range(1, 9)
    }
    for activity_id in range(1, 9):
        changes = [each for each in told.values() if each.row.activity_id == activity_id and each.applied in CHANGES]
        moments = [each.row.observed_at for each in changes]
        assert moments == sorted(set(moments)), "a version was stored twice, or after a newer one"


# -- ledger, athletes, ingestion states, runs -----------------------------------------------------------------------


async def test_ledger_takes_a_delivery_once(store: RawStore) -> None:
    """Writing a delivery again is success and changes nothing; an unreadable message has a row too."""
    await store.record([entry("d1")])
    before = await store.watermark()
    await store.record([entry("d1", outcome=Outcome.PARKED)])
    assert await store.watermark() == before
    await store.record([replace(entry("d2"), event=None, event_id=None, received_at=None), entry("d1")])
    assert await store.watermark() != before


async def test_athletes_come_back(store: RawStore) -> None:
    """An athlete is added, then replaced; scopes and status survive the round trip."""
    await store.put_athlete(athlete(BEN))
    await store.put_athlete(athlete(ANNA))
    revoked = replace(athlete(BEN), status="revoked", scope=frozenset[str](), updated_at=at(9))
    await store.put_athlete(revoked)
    assert sorted(await store.athletes(), key=lambda one: one.athlete_id) == [athlete(ANNA), revoked]


async def test_recent_rows_come_newest_first(store: RawStore) -> None:
    """A row comes back as it was recorded, but for the texts of an update; a filter keeps only the rows it names."""
    unread = replace(entry("d2", outcome=Outcome.PARKED), event=None, event_id=None, received_at=None)
    late = replace(entry("d3", athlete_id=BEN), finished_at=at(60), retry_at=at(900))
    for row in (entry("d1"), unread, late):
        await store.record([row])
    rows = await store.recent(LedgerFilter(), limit=9)
    assert [(row.delivery_id, row.retry_at) for row in rows] == [("d3", at(900)), ("d2", None), ("d1", None)]
    own = entry("d1").event
    assert own is not None
    assert rows[1:] == [unread, replace(entry("d1"), event=replace(own, updates={"title": None}))]
    assert await store.recent(LedgerFilter(), limit=1) == rows[:1]
    for wanted, found in (
        (LedgerFilter(athlete_id=ANNA), ["d1"]),
        (LedgerFilter(activity_id=1), ["d3", "d1"]),
        (LedgerFilter(activity_id=2), []),
        (LedgerFilter(outcome=Outcome.PARKED), ["d2"]),
        (LedgerFilter(since=at(60)), ["d3"]),
        (LedgerFilter(athlete_id=BEN, since=at(61)), []),
    ):
        assert [row.delivery_id for row in await store.recent(wanted, limit=9)] == found


async def test_parked_events_are_those_whose_newest_row_says_so(store: RawStore) -> None:
    """Each comes back with its id and its time of arrival; what ended otherwise later, or is another's, does not."""
    await store.record([entry("d1", outcome=Outcome.PARKED), entry("d2", athlete_id=BEN, outcome=Outcome.PARKED)])
    await store.record([entry("d3", athlete_id=BEN)])
    [parked] = await store.parked_events(ANNA)
    own = entry("d1").event
    assert own is not None
    assert (parked.event_id, parked.received_at) == (own.event_id, at(0))
    assert parked.event == replace(own, updates={"title": None})
    assert await store.parked_events(BEN) == []


async def test_deferred_events_are_those_that_wait_off_the_queue(store: RawStore) -> None:
    """Only the newest row of an event counts, what is due first comes first, and the queue's own are left out."""
    off = [replace(entry(name, athlete_id=owner, outcome=Outcome.DEFERRED), retry_at=at(seconds))
           for name, owner, seconds in (("d1", ANNA, 500), ("d2", BEN, 400), ("d3", 3, 90), ("d4", 4, 80))]  # fmt: skip
    on_queue = entry("d5", athlete_id=5, outcome=Outcome.DEFERRED)
    unread = replace(off[0], delivery_id="d6", event=None, event_id=None, received_at=None)
    await store.record([*off, on_queue, unread])
    await store.record([entry("d7", athlete_id=3), entry("d8", athlete_id=4, outcome=Outcome.DEFERRED)])
    found = await store.deferred_events(due_by=None, how_many=9)
    assert [(row.delivery_id, row.retry_at) for row in found] == [("d2", at(400)), ("d1", at(500))]
    assert (found[0].event_id, found[0].received_at) == (off[1].event_id, at(0))
    assert await store.deferred_events(due_by=None, how_many=1) == found[:1]
    due = {seconds: await store.deferred_events(due_by=at(seconds), how_many=9) for seconds in (399, 400, 500)}
    assert due == {399: [], 400: found[:1], 500: found}


async def test_what_was_parked_waits_behind_what_is_live(store: RawStore) -> None:
    """An event that is put off after a backlog was taken up comes before it, and what a person asked for after it."""
    await store.record([entry(f"parked{each}", athlete_id=each, outcome=Outcome.PARKED) for each in (ANNA, BEN)])
    assert [await take_up_parked(store, each, at(10)) for each in (ANNA, BEN)] == [1, 1]
    live = replace(entry("live", athlete_id=3, outcome=Outcome.DEFERRED), retry_at=at(20))
    replay = replace(entry("replay", athlete_id=4, outcome=Outcome.DEFERRED), retry_at=at(5), attempt=0)
    await store.record([replay, live])
    waiting = await store.deferred_events(due_by=at(30), how_many=9)
    assert [(row.is_taken_up, row.is_replay) for row in waiting] == [
        (False, False),
        *[(True, False)] * 2,
        (False, True),
    ]
    assert [row.delivery_id for row in await store.deferred_events(due_by=at(30), how_many=1)] == ["live"]


async def test_a_deferred_event_from_the_future_is_due(store: RawStore) -> None:
    """Its row was written before the clock was set back, so when it is to come again is not to be believed."""
    ahead = replace(entry("d1", outcome=Outcome.DEFERRED), finished_at=at(86_400 * 365), retry_at=at(86_400 * 366))
    await store.record([ahead])
    assert [row.delivery_id for row in await store.deferred_events(due_by=at(0), how_many=9)] == ["d1"]


async def test_a_second_look_is_due_after_a_create(open_store: OpenStore, store: RawStore) -> None:
    """Seen ten seconds after its create arrived: due after a longer wait than that, not after a shorter one."""
    await store.put_athlete(athlete())
    await store.apply([seen(payload(), 10)])
    await store.record([entry()])
    looks = {
        seconds: await store.due_looks(due_after=timedelta(seconds=seconds), within=timedelta(days=1), how_many=5)
        for seconds in (10, 10.5, 86_400 * 36_500)
    }
    own = entry().event_id
    assert own is not None
    due = [DueLook(activity_id=1, athlete_id=ANNA, event_id=own)]
    assert looks == {10: [], 10.5: due, 86_400 * 36_500: []}
    assert await store.due_looks(due_after=timedelta(seconds=11), within=timedelta(0), how_many=5) == []
    assert await store.due_looks(due_after=timedelta(seconds=11), within=timedelta(days=1), how_many=0) == []


async def test_ingestion_state_is_replaced_whole(store: RawStore) -> None:
    """There is none before the first load; then the last one written stands, its empty fields included."""
    assert await store.ingestion_state(ANNA) is None
    first = IngestionState(
        athlete_id=ANNA, complete_as_of=at(0), listing_began_at=at(1), backfill_cursor=at(-9), updated_at=at(1)
    )
    done = replace(first, complete_as_of=None, listing_began_at=None, backfill_cursor=None, updated_at=at(2))
    await store.put_ingestion_state(first)
    assert await store.ingestion_state(ANNA) == first
    await store.put_ingestion_state(done)
    assert await store.ingestion_state(ANNA) == done


async def test_a_backfill_is_told_of_until_another_is_asked_for(store: RawStore) -> None:
    """An athlete has one: a new request takes its place whole, and what is told of the earlier one changes nothing."""
    assert await store.backfills() == []
    first = Backfill.requested(ANNA, at(5))
    other = Backfill.requested(BEN, at(4), since=at(-99), has_details=False)
    for asked in (first, other):
        await store.request_backfill(asked)
    assert await store.backfills() == [other, first]
    waiting = first.changed(at(6), started_at=at(6), listed_count=7, listed_at=at(7), waits_until=at(90),
                            waits_because="spent", waits_kind="rate_limited", expected_at=at(99))  # fmt: skip
    assert await store.note_backfill(waiting)
    assert await store.backfills() == [other, waiting]
    done = waiting.changed(
        at(91), waits_until=None, waits_because=None, waits_kind=None, expected_at=None, finished_at=at(91)
    )
    assert await store.note_backfill(done)
    assert await store.backfills() == [other, done]
    again = Backfill.requested(ANNA, at(92))
    await store.request_backfill(again)
    assert not await store.note_backfill(done)
    assert await store.backfills() == [other, again]


async def test_one_subscription_is_current_and_those_before_are_kept(store: RawStore) -> None:
    """The current one comes first; ended ones stay, with when they ended, and may become current again."""
    assert await store.subscriptions() == []
    for subscription_id in (119, 119, 120):
        await store.set_subscription(subscription_id)
    current, before = await store.subscriptions()
    assert (current.subscription_id, current.ended_at) == (120, None)
    assert before.subscription_id == 119
    assert before.ended_at is not None
    assert before.remembered_at <= before.ended_at
    await store.set_subscription(None)
    await store.set_subscription(None)
    ended = await store.subscriptions()
    assert [each.subscription_id for each in ended if each.ended_at is not None] == [120, 119]
    await store.set_subscription(119)
    assert [(each.subscription_id, each.ended_at is None) for each in await store.subscriptions()] == [
        (119, True),
        (120, False),
    ]
    assert (await store.subscriptions())[0].remembered_at == before.remembered_at


async def test_a_subscription_made_by_another_process_is_seen(open_store: OpenStore, store: RawStore) -> None:
    """The command line makes it, and a worker that runs already reads it."""
    other = open_store()
    await other.set_subscription(2**62)
    assert [each.subscription_id for each in await store.subscriptions()] == [2**62]


def run(run_id: str, published: float | None, error: str | None = None) -> TransformRun:
    """A transform run that took a second."""
    return TransformRun(
        run_id=run_id,
        watermark="w",
        started_at=at(0),
        finished_at=at(1),
        published_at=None if published is None else at(published),
        is_full_refresh=False,
        error=error,
    )


async def test_last_run_is_the_newest_published(store: RawStore) -> None:
    """A failed run is kept but is never the last one; a clock that was set back between two runs does not matter."""
    assert await store.last_run() is None
    for one in (run("b", 20), run("a", 10), run("c", None, "boom"), run("b", 20)):
        await store.put_run(one)
    assert await store.last_run() == run("a", 10)


async def test_the_last_error_is_that_of_the_newest_run(store: RawStore) -> None:
    """A run that was published leaves no error to tell of the runs before."""
    assert await store.last_error() is None
    for one, error in ((run("a", None, "boom"), "boom"), (run("b", 10), None), (run("c", None, "no disk"), "no disk")):
        await store.put_run(one)
        assert await store.last_error() == error


def verdict(key: str, seconds: float = 0, *, outcome: Verdict = Verdict.COMPLETE, **fields: Any) -> Reconciliation:
    """A reconciliation that began that many seconds after noon and took two."""
    counts: dict[str, Any] = dict.fromkeys(("missing", "extra", "changed", "repaired", "unreadable"), 0)
    row = Reconciliation(
        reconciliation_id=key,
        athlete_id=ANNA,
        strava_count=9,
        warehouse_count=9,
        verdict=outcome,
        reason=None,
        retry_at=None,
        started_at=at(seconds),
        finished_at=at(seconds + 2),
        **counts,
    )
    return replace(row, **fields)


async def test_the_newest_verdict_is_told(store: RawStore) -> None:
    """Each athlete's own, every column as it was written; one that is written twice is success."""
    assert await store.last_reconciliation(ANNA) is None
    rest = {"missing": 1, "extra": 2, "changed": 3, "repaired": 4, "unreadable": 5, "reason": "…", "retry_at": at(900)}
    newest = verdict("r2", 60, outcome=Verdict.GUARDED, stopped_kind="unreachable", **rest)
    for row in (newest, verdict("r1"), verdict("r3", 99, athlete_id=BEN), newest):
        await store.put_reconciliation(row)
    assert await store.last_reconciliation(ANNA) == newest


async def test_only_a_complete_verdict_vouches_for_the_history(store: RawStore) -> None:
    """As of its listing's beginning, with or without a state; a listing that was cut short keeps its cursor."""
    for each in Verdict:
        if each is not Verdict.COMPLETE:
            await store.put_reconciliation(verdict(each, outcome=each))
    assert await store.ingestion_state(ANNA) is None
    await store.put_reconciliation(verdict("r1", 10))
    state = await store.ingestion_state(ANNA)
    assert state == IngestionState(
        athlete_id=ANNA, complete_as_of=at(10), listing_began_at=None, backfill_cursor=None, updated_at=at(12)
    )
    loading = replace(state, listing_began_at=at(20), backfill_cursor=at(-999))
    await store.put_ingestion_state(loading)
    await store.put_reconciliation(verdict("r2", 30))
    assert await store.ingestion_state(ANNA) == replace(loading, complete_as_of=at(30), updated_at=at(32))


async def test_events_rest_on_athletes_and_rows(store: RawStore) -> None:
    """Both at once, as each alone: a detail, a summary and a tombstone, and nothing of an unknown id."""
    await store.put_athlete(athlete(BEN))
    await store.put_athlete(athlete())
    await store.apply([seen(payload(1)), seen(payload(2, state=SUMMARY)), gone(5, 3)])
    athletes, activities = await store.event_basis([1, 2, 3, 4])
    assert (athletes, activities) == (await store.athletes(), await store.stored([1, 2, 3, 4]))
    assert ([each.athlete_id for each in athletes], sorted(activities)) == ([ANNA, BEN], [1, 2, 3])


async def test_payloads_of_living_activities_are_told(store: RawStore) -> None:
    """Summaries and details, word for word; a tombstone and an unknown id have none."""
    shown = [payload(1), payload(2, state=SUMMARY), payload(3)]
    await store.apply([*(seen(each) for each in shown), gone(5, 3)])
    assert await store.payloads([1, 2, 3, 4]) == {1: shown[0].text, 2: shown[1].text}


async def test_the_details_that_were_not_observed_for_longest_are_told(store: RawStore) -> None:
    """Those that started lately first, then by observation; no summary, tombstone, or one of another or seen since."""
    late = "2026-05-04T06:00:00Z"
    early = {"start_date": "2026-01-01T00:00:00Z"}
    for key, seconds, fields in ((1, 3, early), (2, 1, early), (3, 2, {"start_date": None}), (4, 5, {}), (5, 4, {})):
        await store.apply([seen(payload(key, **fields), seconds)])
    await store.apply([seen(payload(6, state=SUMMARY)), seen(payload(7)), seen(payload(8, athlete_id=BEN))])
    await store.apply([gone(1, 7), seen(payload(9), 100)])
    since = datetime.fromisoformat(late)

    async def due(how_many: int) -> list[int]:
        return await store.least_recently_observed(ANNA, observed_before=at(50), first_since=since, how_many=how_many)

    assert await due(9) == [5, 4, 2, 3, 1]
    assert await due(2) == [5, 4]


# -- streams, settings, gear ----------------------------------------------------------------------------------------


def streams(activity: ActivityPayload, seconds: float, *values: int) -> Streams:
    """The activity's streams, as Strava was asked for them that many seconds after noon."""
    due = DueStreams(
        activity_id=activity.activity_id,
        athlete_id=activity.athlete_id,
        fetched_for=f"[{activity.payload_hash}]",
        activity_hash=activity.payload_hash,
    )
    return Streams(due=due, observed_at=at(seconds), payload={"time": {"data": list(values)}})


async def test_the_newest_streams_stay_in_any_order(store: RawStore) -> None:
    """Of streams that were fetched for two versions, twice and in any order, those stay that were asked for last."""
    await store.put_athlete(athlete())
    whole, cropped = payload(distance=5000.0), payload(distance=4000.0)
    await store.apply([seen(whole, 0), seen(cropped, 5)])
    newest = streams(cropped, 9, 1, 2)
    dice, history = random.Random(1), [streams(whole, 1, 1, 2, 3), streams(whole, 6, 1, 2, 3), newest]
    for activity_id in range(1, 5):
        moved = payload(activity_id, distance=4000.0)
        await store.apply([seen(moved, 5)])
        mixed = [dice.choice(history), *dice.sample(history, 3)]
        for each in mixed:
            await store.put_streams(replace(each, due=replace(each.due, activity_id=activity_id)))
        again = replace(newest.due, activity_id=activity_id)
        assert not await store.put_streams(Streams(due=again, observed_at=at(8), payload=None))
    assert await store.stream_count(ANNA) == 4


async def test_what_lacks_streams_is_due(store: RawStore) -> None:
    """Living details of the athlete that a rule names, newest first; summaries, tombstones and others' are not."""
    await store.put_athlete(athlete())
    kinds = (("Run", DETAILED, 10), ("Ride", DETAILED, 12), ("Run", SUMMARY, 11), ("Run", DETAILED, 14))
    for key, (sport, state, hour) in enumerate(kinds, 1):
        start = f"2026-05-04T{hour}:00:00Z"
        await store.apply([seen(payload(key, state=state, sport_type=sport, start_date=start, distance=9), key)])
    await store.apply([seen(payload(7, sport_type="Run"), 1), gone(2, 7), seen(payload(8, athlete_id=BEN), 1)])

    async def due(*rules: StreamRule, **bounds: datetime) -> list[int]:
        return [each.activity_id for each in await store.due_streams(ANNA, rules, **bounds)]

    assert await due(StreamRule()) == await due(StreamRule(athlete_id=ANNA)) == [4, 2, 1]
    assert await due(StreamRule(sport_type="run"), StreamRule(athlete_id=BEN)) == [4, 1]
    assert await due(StreamRule(athlete_id=ANNA, sport_type="Ride"), StreamRule(sport_type="Swim")) == [2]
    assert await due() == []
    assert await due(StreamRule(), since=datetime(2026, 5, 4, 12, tzinfo=UTC)) == [4, 2]
    stamp = await store.newest_change()
    assert stamp is not None
    assert await due(StreamRule(), changed_since=stamp) == []
    [newest, *_] = await store.due_streams(ANNA, [StreamRule()])
    assert newest.fetched_for == '["2026-05-04T14:00:00Z",9.0,null,null]'
    await store.put_streams(Streams(due=newest, observed_at=at(20), payload={}))
    assert await due(StreamRule()) == [2, 1]
    titled: dict[str, Any] = {
        "sport_type": "Run",
        "start_date": "2026-05-04T14:00:00Z",
        "distance": 9.0,
        "name": "Race",
    }
    longer = titled | {"distance": 9.5}
    await store.apply([seen(payload(4, **titled), 30)])
    assert await due() == []
    await store.apply([seen(payload(4, **longer), 31)])
    assert await due(changed_since=stamp) == [4]
    [*_, oldest] = await store.due_streams(ANNA, [StreamRule()])
    await store.put_streams(Streams(due=oldest, observed_at=at(40), payload=None))
    assert await due(StreamRule()) == [4, 2]
    await store.apply(
        [seen(payload(1, sport_type="Run", start_date="2026-05-04T10:00:00Z", distance=9, name="Jog"), 41)]
    )
    assert await due() == [4, 1]


def totals(seconds: float) -> SeenTotals:
    """What Strava said of an athlete's totals, so long after noon."""
    return SeenTotals(athlete_id=ANNA, observed_at=at(seconds), payload={"all_run_totals": {"count": 1}})


async def test_nothing_of_who_is_not_known_is_stored(store: RawStore) -> None:
    """An answer that was under way during a purge leaves no streams, no settings, no gear and no totals."""
    await store.put_athlete(athlete())
    await store.apply([seen(payload())])
    settings = SeenSettings(athlete_id=ANNA, observed_at=at(1), values={"ftp": 250})
    gear = SeenGear(gear_id="g1", athlete_id=ANNA, observed_at=at(1), payload={"id": "g1"})
    assert [await store.put_streams(streams(payload(), 1)), await store.put_settings(settings)] == [True, True]
    assert await store.put_gear(gear)
    assert [await store.put_totals(each) for each in (totals(2), totals(1), totals(3))] == [True, False, True]
    removed = (await store.purge(ANNA)).removed
    assert [removed[f"strava_{name}"] for name in ("streams", "athlete_settings", "gear", "totals")] == [1, 1, 1, 1]
    later = replace(settings, observed_at=at(9)), replace(gear, observed_at=at(9))
    assert not await store.put_totals(totals(9))
    assert not await store.put_streams(streams(payload(), 9))
    assert [await store.put_settings(later[0]), await store.put_gear(later[1])] == [False, False]


def own_file(file_hash: str, athlete_id: int = ANNA) -> AthleteFile:
    """An athlete's own file, read a second after noon."""
    payload: dict[str, list[object]] = {"settings": [], "goals": [{"number": 1, "of": file_hash}]}
    return AthleteFile(athlete_id=athlete_id, payload=payload, file_hash=file_hash, read_at=at(1))


async def test_an_athletes_own_file_is_replaced_where_it_says_something_else(store: RawStore) -> None:
    """One row per athlete, told as a change; the same again is none, who is unknown has no row, a purge removes it."""
    await store.put_athlete(athlete())
    marks = [await store.watermark()]
    for file_hash, is_change in (("a", True), ("a", False), ("b", True)):
        assert await store.put_athlete_file(own_file(file_hash)) is is_change
        marks.append(await store.watermark())
    assert [left != right for left, right in pairwise(marks)] == [True, False, True]
    assert not await store.put_athlete_file(own_file("a", BEN))
    assert await store.file_hashes() == {ANNA: "b"}
    assert (await store.purge(ANNA)).removed["athlete_files"] == 1
    assert (await store.file_hashes(), await store.put_athlete_file(own_file("c"))) == ({}, False)


async def test_settings_change_forwards(store: RawStore) -> None:
    """What is absent stays as it was, what is older than the newest row is too late."""
    await store.put_athlete(athlete())

    async def put(seconds: float, **values: Any) -> bool:
        return await store.put_settings(SeenSettings(athlete_id=ANNA, observed_at=at(seconds), values=values))

    assert not await put(0)
    assert await put(5, ftp=250, weight=60)
    assert [await put(6, ftp=250.0), await put(4, ftp=200), await put(7, ftp=260), await put(8, weight=60)] == [
        False,
        False,
        True,
        False,
    ]


async def test_watermark_changes_with_every_change(store: RawStore) -> None:
    """Activities, ledger, athletes, backfills, verdicts, streams, settings, gear and purges change it."""
    changes: list[Callable[[], Awaitable[object]]] = [
        lambda: store.apply([seen(payload(1), 1)]),
        lambda: store.apply([seen(payload(1, name="renamed"), 2)]),
        lambda: store.apply([gone(3)]),
        lambda: store.record([entry("d1")]),
        lambda: store.put_athlete(athlete(ANNA)),
        lambda: store.put_athlete(athlete(ANNA, "revoked")),
        lambda: store.request_backfill(Backfill.requested(ANNA, at(1))),
        lambda: store.note_backfill(Backfill.requested(ANNA, at(1)).changed(at(2), listed_count=1)),
        lambda: store.put_reconciliation(verdict("r1")),
        lambda: store.apply([seen(payload(2), 1)]),
        lambda: store.put_streams(streams(payload(2), 5)),
        lambda: store.put_settings(SeenSettings(athlete_id=ANNA, observed_at=at(1), values={"ftp": 250})),
        lambda: store.put_gear(SeenGear(gear_id="g1", athlete_id=ANNA, observed_at=at(1), payload={})),
        lambda: store.put_totals(totals(1)),
        lambda: store.purge(ANNA),
        lambda: store.purge(BEN),
    ]
    marks = [await store.watermark()]
    for change in changes:
        await change()
        marks.append(await store.watermark())
    assert len(set(marks)) == len(changes) + 1
    assert await store.watermark() == marks[-1]


async def test_the_first_change_after_a_moment_is_told(store: RawStore) -> None:
    """The oldest stamp that is younger than the moment, of each table that the watermark follows."""
    long_ago = at(-1e9)
    assert await store.first_change(after=long_ago) is None
    await store.put_athlete(athlete())
    assert await store.first_change(after=long_ago) == at(0)
    await store.apply([seen(payload(2), 1)])
    stored = await store.first_change(after=at(0))
    assert stored is not None
    assert await store.first_change(after=stored) is None
    await store.put_streams(streams(payload(2), 5))
    assert await store.first_change(after=at(0)) == stored
    assert await store.first_change(after=stored) is not None
    for seconds, change in (
        (-10, store.put_reading(PipelineReading(read_at=at(-9), changed_at=at(-10)))),
        (-20, store.put_reconciliation(verdict("r1", -22))),
        (-30, store.request_backfill(Backfill.requested(ANNA, at(-30)))),
    ):
        await change
        assert await store.first_change(after=long_ago) == at(seconds)
    assert await store.first_change(after=at(-20)) == at(-10)


async def test_the_reading_is_one_and_comes_back_as_it_was(store: RawStore) -> None:
    """The second takes the place of the first; the watermark follows `changed_at` alone, so a number costs no build."""
    assert await store.reading() is None
    day = LimitUse(limit=1000, used=40, resets_at=at(600))
    first = PipelineReading(read_at=at(1), changed_at=at(1), limits={"day": day}, refused={"detail": 3})
    await store.put_reading(first)
    assert await store.reading() == first
    mark = await store.watermark()
    second = replace(first, read_at=at(61), limits={"day": replace(day, used=41)}, refused={})
    await store.put_reading(second)
    assert (await store.reading(), await store.watermark()) == (second, mark)
    lapsed = replace(second, lapsed_since=at(70), closed_until=at(90), closed_because="Lapsed.", closed_kind="word")
    third = replace(lapsed, changed_at=at(71), queued_count=2, queued_since=at(60))
    await store.put_reading(third)
    assert await store.reading() == third
    assert await store.watermark() != mark


def _same(row: LedgerEntry, _: Decision) -> LedgerEntry:
    return row


async def test_only_a_deleted_activity_is_forgotten_by_messages(store: RawStore) -> None:
    """What could not be read keeps what it held while the activity that it names lives, also after an older delete."""
    number = 771_000_001
    unread = replace(entry("u1", outcome=Outcome.PARKED), event=None, message=f'{{"object_id": {number}}}')
    await store.record([unread])
    await store.apply([seen(payload(number), 5)])
    kept = []
    for seconds in (1, 9):
        row = entry(f"d{seconds}")
        assert row.event is not None
        row = replace(row, event=replace(row.event, object_id=number, aspect_type="delete"))
        await store.record([ObservedDelivery(gone(seconds, number), partial(_same, row))])
        kept += [each.message for each in await store.recent(LedgerFilter(outcome=Outcome.PARKED), limit=9)]
    assert kept == [unread.message, None]


async def test_watermark_stands_while_nothing_changed(store: RawStore) -> None:
    """An observation that changes nothing gives them nothing to do; on each engine it tells of the same tables."""
    await store.apply([seen(payload(1), 1)])
    before = await store.watermark()
    assert {each.partition("=")[0] for each in before.split(" ")} == {*MOVES, *(table.name for table in WHOLE)}
    await store.apply([seen(payload(1), 2), seen(payload(1, name="old"), 0)])
    await store.put_run(run("a", 1))
    assert await store.watermark() == before


# -- retention ------------------------------------------------------------------------------------------------------


async def test_payloads_that_are_too_old_expire(store: RawStore) -> None:
    """The oldest first and so many at most; an import stays, and so does what was seen at Strava since."""
    imported = seen(payload(4), 0, Source.ARCHIVE)
    await store.apply([seen(payload(1), 2), seen(payload(2, athlete_id=BEN), 1), seen(payload(3), 9), imported])
    mark = await store.watermark()
    expired = [await store.expire(observed_before=at(5), how_many=1) for _ in range(3)]
    assert [(each.activities, each.others) for each in expired] == [(1, 0), (1, 0), (0, 0)]
    assert await store.watermark() != mark
    assert await store.last_removal() is not None
    assert (await store.activity_ids(ANNA), await store.payloads([1, 2])) == ([4, 3], {})


async def test_gear_and_settings_that_are_too_old_go_as_a_whole(store: RawStore) -> None:
    """The oldest first and so many at most, told as change and removal; what was shown again since stays."""
    await store.put_athlete(athlete())
    for key, seconds in (("g1", 1), ("g2", 2), ("g3", 9)):
        await store.put_gear(SeenGear(gear_id=key, athlete_id=ANNA, observed_at=at(seconds), payload={}))
    for seconds in (1, 9):
        await store.put_settings(SeenSettings(athlete_id=ANNA, observed_at=at(seconds), values={"ftp": 250}))
    await store.put_totals(totals(9))
    marks = [(await store.watermark(), await store.last_removal())]
    for _ in range(2):
        expired = await store.expire(observed_before=at(5), how_many=1)
        assert (expired.activities, expired.others) == (0, 1)
        marks.append((await store.watermark(), await store.last_removal()))
    assert [len(set(each)) for each in zip(*marks, strict=True)] == [3, 3]
    assert await store.expire(observed_before=at(5), how_many=9) == Expired(activities=0, others=0)
    assert await store.last_removal() == marks[-1][1]
    assert await store.row_count(ANNA) == 4


async def test_streams_that_are_too_old_are_due_again(store: RawStore) -> None:
    """Their activity stays and counts as changed; they are told of no more as fetched."""
    await store.put_athlete(athlete())
    await store.apply([seen(payload(1), 9), seen(payload(2), 9)])
    await store.put_streams(streams(payload(1), 1))
    changed = await store.newest_change()
    assert (await store.expire(observed_before=at(5), how_many=9)).others == 1
    assert await store.last_removal() is not None
    assert await store.stream_count(ANNA) == 0
    due = await store.due_streams(ANNA, [], changed_since=changed)
    assert [each.activity_id for each in due] == [1]
    assert await store.put_streams(replace(streams(payload(1), 10), due=due[0]))
    assert (await store.stream_count(ANNA), await store.due_streams(ANNA, [])) == (1, [])


async def test_who_lost_payloads_is_asked_for_again(store: RawStore) -> None:
    """The whole history, with the choices made before; who cannot be asked for is left out, and none is asked twice."""
    await store.put_athlete(athlete())
    await store.put_athlete(athlete(BEN, "revoked"))
    await store.request_backfill(Backfill.requested(ANNA, at(0), since=at(-9), has_streams=True))
    await store.note_backfill(Backfill.requested(ANNA, at(0), since=at(-9), has_streams=True).changed(
        at(1), finished_at=at(1)))  # fmt: skip
    await store.apply([seen(payload(1), 1), seen(payload(2, athlete_id=BEN), 1)])
    assert await store.reload_expired() == []
    await store.expire(observed_before=at(5), how_many=9)
    assert await store.reload_expired() == [ANNA]
    [asked] = await store.backfills()
    assert (asked.athlete_id, asked.since, asked.has_streams, asked.finished_at) == (ANNA, None, True, None)
    assert await store.reload_expired() == []


async def test_gear_is_due_while_it_is_unknown_or_old(store: RawStore) -> None:
    """Only what living activities of the athlete name; what Strava does not have has a moment of its own."""
    await store.put_athlete(athlete())
    named = ("b1", "b2", "b3", "b4", None)
    await store.apply([seen(payload(key, gear_id=gear), 1) for key, gear in enumerate(named, 1)])
    await store.apply(
        [seen(payload(8, athlete_id=BEN, gear_id="b8"), 1), seen(payload(9, gear_id="b9"), 1), gone(2, 9)]
    )
    for gear_id, seconds, shown in (("b2", 5, {"id": "b2"}), ("b3", 1, {"id": "b3"}), ("b4", 3, None)):
        await store.put_gear(SeenGear(gear_id=gear_id, athlete_id=ANNA, observed_at=at(seconds), payload=shown))
    assert await store.due_gear(ANNA, observed_before=at(4), not_found_before=at(2)) == ["b1", "b3"]
    assert await store.due_gear(ANNA, observed_before=at(0), not_found_before=at(4)) == ["b1", "b4"]


async def test_what_expired_comes_back_when_it_is_seen_again(store: RawStore) -> None:
    """A line of the list is enough; what was asked for before is not, and no event is taken to be older than it."""
    await store.apply([replace(seen(payload(1), 1), event_time=at(0), event_id="e")])
    await store.expire(observed_before=at(5), how_many=9)
    row = (await store.stored([1]))[1]
    assert (row.is_deleted, row.event_time, row.seen_alive_at) == (True, None, None)
    assert await store.apply([seen(payload(1), 1)]) == [Applied.SUPERSEDED]
    assert await store.apply([seen(payload(1, state=SUMMARY), 6)]) == [Applied.STORED]
    assert await store.counts(ANNA) == {SUMMARY: 1}


# -- purge ----------------------------------------------------------------------------------------------------------


async def test_purge_removes_one_athlete_and_leaves_a_receipt(store: RawStore) -> None:
    """Rows, tombstones, ledger, state and the athlete go, another athlete's stay, and the receipt counts them."""
    await store.apply([seen(payload(1)), seen(payload(2)), gone(1, 3), seen(payload(4, athlete_id=BEN))])
    await store.record([entry("d1"), entry("d2"), entry("d3", athlete_id=BEN)])
    for one in (ANNA, BEN):
        await store.put_athlete(athlete(one))
        await store.request_backfill(Backfill.requested(one, at(0)))
        await store.put_ingestion_state(
            IngestionState(
                athlete_id=one, complete_as_of=None, listing_began_at=None, backfill_cursor=None, updated_at=at(0)
            )
        )
    receipt = await store.purge(ANNA)
    assert {table: n for table, n in receipt.removed.items() if n} == {
        "strava_activities": 3,
        "strava_events": 2,
        "strava_athletes": 1,
        "_ingestion_state": 1,
        "backfills": 1,
    }
    assert [each.athlete_id for each in await store.backfills()] == [BEN]
    assert not await store.note_backfill(Backfill.requested(ANNA, at(0)))
    assert (await store.counts(ANNA), await store.stored([3]), await store.ingestion_state(ANNA)) == ({}, {}, None)
    assert (await store.counts(BEN), await store.athletes()) == ({DETAILED: 1}, [athlete(BEN)])
    assert await store.ingestion_state(BEN) is not None


async def test_receipt_names_nobody(store: RawStore) -> None:
    """The receipt does not hold the id, yet it can be checked against one; two receipts of one athlete differ."""
    receipts = [await store.purge(ANNA), await store.purge(ANNA)]
    assert str(ANNA) not in json.dumps([receipt.athlete_hash for receipt in receipts])
    assert receipts[0].athlete_hash != receipts[1].athlete_hash
    assert [is_receipt_of(receipt.athlete_hash, ANNA) for receipt in receipts] == [True, True]
    assert not is_receipt_of(receipts[0].athlete_hash, BEN)


async def test_last_purge_is_told(store: RawStore) -> None:
    """Before any purge there is none; afterwards it is the newest receipt's moment."""
    assert await store.last_purge() is None
    await store.purge(ANNA)
    receipt = await store.purge(BEN)
    assert await store.last_purge() == receipt.purged_at


async def test_last_removal_is_told(store: RawStore) -> None:
    """What is stored or seen again removes nothing; a deletion does, and so does a purge after it."""
    await store.apply([seen(payload(1)), seen(payload(2))])
    assert await store.last_removal() is None
    await store.apply([gone(1)])
    deleted_at = await store.last_removal()
    assert deleted_at is not None
    await store.apply([seen(payload(2), 2)])
    assert await store.last_removal() == deleted_at
    receipt = await store.purge(ANNA)
    assert await store.last_removal() == receipt.purged_at > deleted_at


async def put_everything(store: RawStore, athlete_id: int, moment: datetime, told: Told) -> None:
    """Write of an athlete, by every way that a store has, what was seen at that moment."""
    key = f"{athlete_id}/{moment}"
    row = replace(entry(f"{key}/seen", athlete_id=athlete_id), received_at=moment)
    deferred = replace(row, delivery_id=f"{key}/told", outcome=Outcome.DEFERRED, retry_at=moment)

    def entry_of(decision: Decision) -> LedgerEntry:
        told[key] = decision
        return row

    for state in (SUMMARY, DETAILED):
        shown = seen(payload(athlete_id + state, athlete_id=athlete_id, state=state))
        await store.apply([replace(shown, observed_at=moment)])
    shown = replace(seen(payload(athlete_id + 9, athlete_id=athlete_id)), observed_at=moment)
    await store.record([ObservedDelivery(shown, entry_of), deferred])
    await store.put_ingestion_state(
        IngestionState(
            athlete_id=athlete_id,
            complete_as_of=None,
            listing_began_at=moment,
            backfill_cursor=moment,
            updated_at=moment + timedelta(seconds=9),
        )
    )
    await store.request_backfill(Backfill.requested(athlete_id, moment))
    await store.note_backfill(Backfill.requested(athlete_id, moment))
    await store.put_reconciliation(verdict(key, athlete_id=athlete_id, started_at=moment, finished_at=moment))
    await store.change_status(AthleteStatus.TOKEN_REJECTED, before=list(AthleteStatus), athlete_id=athlete_id)


async def test_a_purge_keeps_out_what_is_still_under_way(open_store: OpenStore, store: RawStore) -> None:
    """Every write of another program leaves no row of the athlete, and a nameless one in the ledger; others' pass."""
    other, told = open_store(), Told()
    await store.connect(athlete(ANNA), Backfill.requested(ANNA, at(0)))
    await store.purge(ANNA)
    await put_everything(other, ANNA, datetime.now(UTC), told)
    assert await store.row_count(ANNA) == 0
    assert [decision.applied for decision in told.values()] == [Applied.PURGED]
    rows = await store.recent(LedgerFilter(outcome=Outcome.PURGED), limit=9)
    assert [(row.event, row.event_id, row.retry_at) for row in rows] == [(None, row.delivery_id, None) for row in rows]
    assert len([row for row in rows if str(ANNA) not in row.reason]) == 2
    assert await store.deferred_events(due_by=None, how_many=9) == []
    await put_everything(other, BEN, at(0), told)
    assert await store.row_count(BEN) == 8


async def test_connecting_again_lifts_the_fence_for_what_is_seen_since(store: RawStore) -> None:
    """What was seen before the purge stays out, whenever it comes; what is seen afterwards is stored."""
    told = Told()
    before = datetime.now(UTC)
    await store.connect(athlete(ANNA), Backfill.requested(ANNA, at(0)))
    receipt = await store.purge(ANNA)
    assert (await store.purged_at(ANNA), await store.purged_at(BEN)) == (receipt.purged_at, None)
    now = datetime.now(UTC)
    await store.connect(replace(athlete(ANNA), updated_at=now), Backfill.requested(ANNA, now))
    await store.put_athlete(athlete(ANNA))  # and again, which keeps the fence
    assert await store.purged_at(ANNA) is None
    await put_everything(store, ANNA, before, told)
    assert (await store.row_count(ANNA), await store.ingestion_state(ANNA)) == (2, None)
    assert [row.requested_at for row in await store.backfills()] == [now]
    await put_everything(store, ANNA, datetime.now(UTC), told)
    assert [decision.applied for decision in told.values()] == [Applied.PURGED, Applied.STORED]
    assert await store.row_count(ANNA) == 9


async def test_closing_twice_is_success(open_store: OpenStore) -> None:
    """A store that was closed may be closed again."""
    opened = open_store()
    await opened.close()
    await opened.close()
