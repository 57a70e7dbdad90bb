"""RETENTION_DAYS: what is too old goes, and the history is asked for of those who can be asked for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from backends.warehouse.activities import Observation, Source
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.payload import ActivityPayload
from worker.retention import expire

ATHLETE, LEFT = 4605555801, 4605555802


async def test_what_is_too_old_goes_and_is_asked_for_again(store: SqliteRawStore, clock: Any) -> None:
    """Of any number of activities; nobody asks for one whose tokens Strava rejects."""
    [athlete] = await store.athletes()
    await store.put_athlete(replace(athlete, athlete_id=LEFT, status="token_rejected"))
    now = clock()
    seen = [
        Observation(
            activity_id=number,
            athlete_id=whose,
            observed_at=now - timedelta(days=days),
            source=Source.BACKFILL,
            activity=ActivityPayload.from_json({"id": number, "athlete": {"id": whose}, "resource_state": 3}),
        )
        for number, (whose, days) in enumerate([(ATHLETE, 8)] * 600 + [(LEFT, 9), (ATHLETE, 6)], 1)
    ]
    await store.apply(seen)
    assert await expire(store, 7, now) == 601
    assert (await store.activity_ids(ATHLETE), await store.activity_ids(LEFT)) == ([602], [])
    assert [(row.athlete_id, row.requested_at) for row in await store.backfills()] == [(ATHLETE, now)]
    assert await expire(store, 7, now) == 0
