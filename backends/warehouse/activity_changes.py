"""What a batch changed of the activities that were stored: the rows of `activity_changes`, worked out for any engine.

A row tells how two versions differ of which one took the other's place in `raw`, so the rows depend on which versions
were stored in between: after a, b and then c give two changes, c and then b one, for a late b is not stored. In any
order the last change leads to what is stored. Of what is added only what a check found: the ledger tells of the others,
and a history would be a row for each activity. Of what is deleted the tombstone tells.

The key names the version that was replaced, which a second look at Strava does not change. So no change is told twice.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from backends.warehouse import rows
from backends.warehouse.activities import Observation, Source, StoredActivity
from backends.warehouse.last_write_wins import Decisions
from backends.warehouse.schema import ACTIVITY_CHANGES
from runtime.clock import utc_text
from strava.payload import changed_fields


def edited(changes: Decisions, stored: Mapping[int, StoredActivity]) -> list[int]:
    """Return the activities whose stored payload is replaced by another one."""
    replaced = (each for each, seen in changes.winners.items() if seen.activity is not None and each in stored)
    return [each for each in replaced if not stored[each].is_deleted]


def change_rows(
    changes: Decisions, stored: Mapping[int, StoredActivity], payloads: Mapping[int, str]
) -> list[rows.Row]:
    """Return a row for each thing that the winners change, without its stamp, in the order of the winners.

    `stored` are the rows as they were before, `payloads` those of what is `edited`.
    """
    told = ((seen, stored.get(activity_id)) for activity_id, seen in changes.winners.items())
    return [row for seen, before in told for row in _rows(seen, before, payloads.get(seen.activity_id))]


def _rows(seen: Observation, before: StoredActivity | None, payload: str | None) -> Iterator[rows.Row]:
    if before is None:
        if seen.activity is not None and seen.source is Source.RECONCILE:
            yield _row(seen, before, "added")
    elif before.is_deleted:
        if seen.activity is not None and before.source != Source.RETENTION:
            yield _row(seen, before, "restored")
    elif seen.activity is not None and payload is not None:
        fields = changed_fields(stored=_loaded(payload), shown=_loaded(seen.activity.text))
        for field, (old, new) in fields.items():
            told = {"field": field, "payload": {"old": old, "new": new}, "observed_at": before.observed_at}
            yield _row(seen, before, "changed", **told)


def _row(seen: Observation, before: StoredActivity | None, kind: str, **told: Any) -> rows.Row:
    replaced = f"{utc_text(before.observed_at)}/{before.payload_hash or 'deleted'}" if before else "none"
    change_id = f"{seen.activity_id}/{replaced}/{told.get('field', kind)}"
    stated = {"change_id": change_id, "kind": kind, "field": None, "payload": None, "ingested_at": None}
    return rows.bound(ACTIVITY_CHANGES, seen, **{**stated, "source": seen.source.value, **told})


def _loaded(text: str) -> Mapping[str, Any]:
    """Read a payload; what is no object tells nothing."""
    found = json.loads(text)
    return found if isinstance(found, dict) else {}
