"""As many activities as are wanted: three years of the simulator's athlete, repeated over twenty."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from backends.warehouse.activities import Observation, Source
from backends.warehouse.sqlite.store import SqliteRawStore
from benchmarks.fake_strava import ATHLETE_ID
from runtime.clock import utc_now
from simulator.journal import Journal
from simulator.world.world import Origin, World
from strava.payload import ActivityPayload

YEARS = 3
REPEATS = 7  # one after another, each in the years before
REPEAT = timedelta(weeks=157)
LAYER = timedelta(minutes=90)  # what comes then lies between them, each layer earlier by this
BATCH = 500


async def fill(store: SqliteRawStore, count: int) -> None:
    """Store activities 1 … count."""
    for first in range(1, count + 1, BATCH):
        await store.apply([observation(number) for number in range(first, min(first + BATCH, count + 1))])


def observation(number: int, title: str | None = None) -> Observation:
    """Return one activity under its number, seen now; the same number is the same activity, but for its title."""
    rest, index = divmod(number, len(_lived()))
    layer, repeat = divmod(rest, REPEATS)
    return _observed(number, index, REPEAT * repeat + LAYER * layer, title)


def saved(number: int) -> Observation:
    """Return one activity more under this number, seen now: half a layer after one of the last days."""
    return _observed(number, number % 7, -LAYER / 2)


def _observed(number: int, index: int, back: timedelta, title: str | None = None) -> Observation:
    fields = _lived()[index] | {"id": number}
    fields |= {key: _earlier(fields[key], back) for key in ("start_date", "start_date_local")}
    if title is not None:
        fields["name"] = title
    return Observation(
        activity_id=number,
        athlete_id=ATHLETE_ID,
        observed_at=utc_now(),
        source=Source.BACKFILL,
        activity=ActivityPayload.from_http(json.dumps(fields)),
    )


@cache
def _lived() -> list[dict[str, Any]]:
    """Return the activities of three years up to yesterday, detailed, newest first."""
    origin = Origin(seed=7, athlete_id=ATHLETE_ID, years=YEARS, until=datetime.now(UTC).date())
    world = World(origin, Journal())
    return [world.detail(activity_id) for activity_id in reversed(world.ids())]


def _earlier(moment: str, back: timedelta) -> str:
    return f"{datetime.fromisoformat(moment) - back:%Y-%m-%dT%H:%M:%SZ}"
