"""The last-write-wins rule as laws: in any order and with any repetition, the row ends as the newest observation."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.warehouse.activities import Applied, Observation, Source, StoredActivity
from backends.warehouse.last_write_wins import Decisions, apply, decide
from strava.payload import DETAILED, SUMMARY, ActivityPayload

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def payload(name: str, state: int) -> ActivityPayload:
    """An activity that differs from another by its name."""
    return ActivityPayload.from_json({"id": 1, "athlete": {"id": 7}, "resource_state": state, "name": name})


def observation(second: int, activity: ActivityPayload | None) -> Observation:
    """What was seen of activity 1 at that second."""
    return Observation(
        activity_id=1,
        athlete_id=7,
        observed_at=NOON + timedelta(seconds=second),
        source=Source.WEBHOOK,
        activity=activity,
    )


def names_differ(summary: ActivityPayload, newer: ActivityPayload | None) -> bool:
    """Disagree when the names do; every living detail of these histories is one that the batch brought."""
    assert newer is not None
    return bool(json.loads(summary.text)["name"] != json.loads(newer.text)["name"])


def ended(history: Sequence[Observation]) -> Decisions:
    """Fold a history into an empty store."""
    return apply({}, history, names_differ, now=NOON)


SECONDS = st.integers(0, 4)
DETAILS = st.builds(observation, SECONDS, st.builds(payload, st.sampled_from("abc"), st.just(DETAILED)))
SUMMARIES = st.builds(observation, SECONDS, st.builds(payload, st.sampled_from("abc"), st.just(SUMMARY)))
TOMBSTONES = st.builds(observation, SECONDS, st.none())
HISTORIES = st.lists(DETAILS | TOMBSTONES, min_size=1, max_size=8)
WITH_SUMMARIES = st.lists(DETAILS | TOMBSTONES | SUMMARIES, min_size=1, max_size=10)


@given(HISTORIES, st.data())
def test_any_order_and_repetition_ends_as_the_same_row(history: list[Observation], data: st.DataObject) -> None:
    """Every permutation and repetition of details and tombstones ends as one and the same row."""
    repeated = history + data.draw(st.lists(st.sampled_from(history), max_size=6))
    assert ended(data.draw(st.permutations(repeated))).rows == ended(history).rows


@given(HISTORIES)
def test_the_newest_observation_stands(history: list[Observation]) -> None:
    """The row tells the newest moment; a tombstone of that moment beats a detail."""
    newest = max(one.observed_at for one in history)
    last = [one for one in history if one.observed_at == newest]
    row = ended(history).rows[1]
    assert row.observed_at == newest
    assert row.is_deleted == any(one.activity is None for one in last)
    assert row.is_deleted or row.payload_hash == max(one.activity.payload_hash for one in last if one.activity)


@given(WITH_SUMMARIES, st.data())
def test_whether_it_lives_depends_on_no_order(history: list[Observation], data: st.DataObject) -> None:
    """Summaries mixed in: gone if the last tombstone is no older than the last sight of it alive, in any order."""
    repeated = history + data.draw(st.lists(st.sampled_from(history), max_size=6))
    row = ended(data.draw(st.permutations(repeated))).rows[1]
    alive = [one.observed_at for one in history if one.activity]
    gone = [one.observed_at for one in history if not one.activity]
    assert row.is_deleted == bool(gone and (not alive or max(gone) >= max(alive)))
    assert row.seen_alive_at == (None if row.is_deleted else max(alive))
    assert not row.is_deleted or row.observed_at == max(gone)


def answers(decisions: Decisions) -> list[Applied]:
    """What the rule made of each observation."""
    return [decision.applied for decision in decisions.answers]


def test_a_summary_protects_an_older_detail_from_a_late_delete() -> None:
    """Detail, tombstone, sight in a list: alive in all six orders, and the detail's own moment stays."""
    told = [observation(1, payload("a", DETAILED)), observation(20, None), observation(30, payload("a", SUMMARY))]
    ends = [ended(order).rows[1] for order in permutations(told)]
    assert [(row.is_deleted, row.seen_alive_at) for row in ends] == [(False, NOON + timedelta(seconds=30))] * 6
    kept = ended([told[0], told[2], told[1]])
    assert answers(kept) == [Applied.STORED, Applied.UNCHANGED, Applied.SUPERSEDED]
    assert (kept.rows[1].resource_state, kept.rows[1].observed_at) == (DETAILED, NOON + timedelta(seconds=1))


@given(WITH_SUMMARIES)
def test_the_newest_detail_stands_beside_summaries(history: list[Observation]) -> None:
    """Once a detail is stored and nothing is deleted, the row is the newest detail beside any summaries."""
    living = [observation(0, payload("a", DETAILED)), *(one for one in history if one.activity)]
    details = [one for one in living if one.activity and one.activity.is_detailed]
    newest = max(one.observed_at for one in details)
    last = [one.activity.payload_hash for one in details if one.activity and one.observed_at == newest]
    row = ended(living).rows[1]
    assert (row.resource_state, row.payload_hash) == (DETAILED, max(last))


def test_a_detail_older_than_a_disagreeing_summary_is_stored() -> None:
    """Detail a, then a line that disagrees, then detail b asked for in between: b stands."""
    told = [
        observation(10, payload("a", DETAILED)),
        observation(20, payload("b", SUMMARY)),
        observation(15, payload("b", DETAILED)),
    ]
    decisions = ended(told)
    assert answers(decisions) == [Applied.STORED, Applied.NEEDS_DETAIL, Applied.STORED]
    assert told[2].activity is not None
    assert decisions.rows[1].payload_hash == told[2].activity.payload_hash


@pytest.mark.parametrize("ahead_s", [60, 61, 7200])
@pytest.mark.parametrize("activity", [payload("b", DETAILED), payload("b", SUMMARY), None])
def test_a_row_from_the_future_proves_nothing(ahead_s: int, activity: ActivityPayload | None) -> None:
    """A row dated more than a minute ahead was stored before a clock was set back: any observation counts for more."""
    stored = ended([observation(ahead_s, payload("a", SUMMARY))]).rows
    decisions = apply(stored, [observation(0, activity)], names_differ, now=NOON)
    assert (1 in decisions.winners) == (ahead_s > 60)
    if ahead_s > 60:
        assert decisions.rows[1].observed_at == NOON


def test_a_sign_of_life_from_the_future_does_not_undo_a_deletion() -> None:
    """Seen alive by a clock that was two hours ahead, gone now: the tombstone stands."""
    alive = ended([observation(0, payload("a", DETAILED)), observation(7200, payload("a", SUMMARY))]).rows
    decisions = apply(alive, [observation(5, None)], names_differ, now=NOON + timedelta(seconds=5))
    assert answers(decisions) == [Applied.DELETED]


def test_seen_again_a_row_from_the_future_gets_a_date_of_today() -> None:
    """The same content, seen now: the row's wrong date is mended without a change for readers."""
    stored = ended([observation(7200, payload("a", DETAILED))]).rows
    decisions = apply(stored, [observation(0, payload("a", DETAILED))], names_differ, now=NOON)
    assert (answers(decisions), decisions.winners, decisions.moved) == ([Applied.UNCHANGED], {}, {1})
    assert (decisions.rows[1].observed_at, decisions.rows[1].seen_alive_at) == (NOON, NOON)


@given(WITH_SUMMARIES)
def test_a_change_never_goes_back_in_time(history: list[Observation]) -> None:
    """In any history, no observation replaces a row that was observed later."""
    decisions = Decisions({})
    for one in history:
        before = decisions.rows.get(1)
        decisions.add(one, names_differ)
        after = decisions.rows[1]
        assert before is None or after.observed_at >= before.observed_at


@given(WITH_SUMMARIES)
def test_a_living_detail_is_never_reduced_to_a_summary(history: list[Observation]) -> None:
    """A row goes from detail to summary only through a tombstone."""
    decisions = Decisions({})
    for one in history:
        before = decisions.rows.get(1)
        decisions.add(one, names_differ)
        if before and before.resource_state == DETAILED:
            assert decisions.rows[1].is_deleted or decisions.rows[1].resource_state == DETAILED


@given(WITH_SUMMARIES, st.integers(0, 10))
def test_batches_do_not_matter(history: list[Observation], cut: int) -> None:
    """A history cut in two batches gives the answers and the row of the history in one."""
    one = Decisions({})
    for seen in history[:cut]:
        one.add(seen, names_differ)
    two = Decisions(dict(one.rows), winners=dict(one.winners))
    for seen in history[cut:]:
        two.add(seen, names_differ)
    whole = ended(history)
    assert (one.answers + two.answers, two.rows) == (whole.answers, whole.rows)


@given(HISTORIES)
def test_repeating_a_whole_history_stores_nothing(history: list[Observation]) -> None:
    """Replaying what is stored already changes no row."""
    again = apply(ended(history).rows, history, names_differ, now=NOON)
    assert (again.winners, again.moved) == ({}, set())


def test_a_summary_is_compared_only_when_it_matters() -> None:
    """The costly comparison is asked for a newer summary over a living detail, and for nothing else."""
    asked: list[str] = []

    def is_outdated(summary: ActivityPayload) -> bool:
        asked.append(summary.text)
        return True

    detail = observation(2, payload("a", DETAILED))
    row: StoredActivity = ended([detail]).rows[1]
    newer, older = observation(3, payload("b", SUMMARY)), observation(1, payload("c", SUMMARY))
    answers = [decide(row, one, is_outdated) for one in (newer, older, detail)]
    assert answers == [Applied.NEEDS_DETAIL, Applied.UNCHANGED, Applied.UNCHANGED]
    assert [json.loads(text)["name"] for text in asked] == ["b"]
