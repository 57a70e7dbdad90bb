"""What a batch changed of stored activities: how one version differs from the one that it replaced."""

import itertools
import json
from typing import Any

from backends.warehouse import activity_changes, last_write_wins
from backends.warehouse.activities import Observation, Source, StoredActivity
from strava.payload import changed_fields
from tests.contracts.test_raw_store import at, gone, payload, seen


def after(history: list[Observation]) -> list[tuple[str, str | None, Any]]:
    """Return what is told of a history that comes one by one: kind, field, old and new value."""
    stored: dict[int, StoredActivity] = {}
    texts: dict[int, str] = {}
    told = []
    for each in history:
        changes = last_write_wins.apply(stored, [each], lambda *_: False, now=at(60))
        before = {one: texts[one] for one in activity_changes.edited(changes, stored)}
        told += activity_changes.change_rows(changes, stored, before)
        stored |= changes.rows
        texts |= {one: won.activity.text for one, won in changes.winners.items() if won.activity}
    return [(row["kind"], row["field"], row["payload"] and json.loads(row["payload"])) for row in told]


def test_only_fields_that_both_tell_and_that_differ_are_changed() -> None:
    """Rounding, what only one of the two has, a private note and what others move are no change; null is a value."""
    old = {"name": "a", "distance": 9.0, "gear_id": None, "kudos_count": 1, "private_note": "x", "trainer": False}
    new = {"name": "b", "distance": 9.04, "gear_id": "g1", "kudos_count": 2, "private_note": "y", "description": ""}
    assert changed_fields(stored=old, shown=new) == {"name": ("a", "b"), "gear_id": (None, "g1")}


def test_in_any_order_the_last_change_leads_to_what_is_stored() -> None:
    """Older versions that come late change nothing, so each old value is the new one of the change before it."""
    versions = [seen(payload(1, name=name), second) for second, name in enumerate("abcd")]
    for order in itertools.permutations(versions):
        told = [values for _, _, values in after(list(order))]
        assert all(late["old"] == early["new"] for early, late in itertools.pairwise(told))
        if told:
            assert told[-1]["new"] == "d"
    assert len(after(versions)) == 3


def test_rows_are_of_versions_that_were_stored_in_between() -> None:
    """A version that comes after a newer one is never stored, so its change is part of the newer one's."""
    a, b, c = (seen(payload(1, name=name), second) for second, name in enumerate("abc"))
    first, second, both = ({"old": old, "new": new} for old, new in (("a", "b"), ("b", "c"), ("a", "c")))
    assert after([a, b, c]) == [("changed", "name", first), ("changed", "name", second)]
    assert after([a, c, b]) == [("changed", "name", both)]


def test_the_key_is_of_what_was_replaced() -> None:
    """The same edit, seen at another moment, has the same key; each version that is replaced has its own."""
    keys = []
    a, other = (seen(payload(1, name=name), 1) for name in "ac")
    for before, second in ((a, 5), (a, 7), (other, 5)):
        stored = last_write_wins.apply({}, [before], lambda *_: False, now=at(60)).rows
        edit = last_write_wins.apply(stored, [seen(payload(1, name="b"), second)], lambda *_: False, now=at(60))
        assert before.activity is not None
        told = activity_changes.change_rows(edit, stored, {1: before.activity.text})
        keys += [row["change_id"] for row in told]
    assert keys[0] == keys[1] != keys[2]


def test_kinds_of_changes() -> None:
    """A save by webhook and a deletion are told by the ledger and the tombstone; what a check finds is added."""
    assert after([seen(payload(1)), gone(1, 2)]) == []
    history = [
        seen(payload(1, name="a"), 0, Source.RECONCILE),
        gone(1),
        seen(payload(1, name="b"), 2),
        seen(payload(1, name="b", kudos_count=9), 3),
    ]
    assert after(history) == [("added", None, None), ("restored", None, None)]
