"""Recorded curves of an hour and seven minutes: one reading a second, with a pause in the middle."""

import math
from datetime import timedelta
from typing import Any

from backends.warehouse.sqlite.store import SqliteRawStore
from backends.warehouse.streams import DueStreams, Streams
from benchmarks.fake_strava import ATHLETE_ID
from runtime.clock import utc_now

POINTS, PAUSE_S = 4_000, 300


async def put_curves(store: SqliteRawStore, activity_id: int, number: int) -> None:
    """Store curves of an activity that is stored already: other ones for each number."""
    due = DueStreams(activity_id=activity_id, athlete_id=ATHLETE_ID, fetched_for="[]", activity_hash="")
    seen_at = utc_now() + timedelta(seconds=1)
    await store.put_streams(Streams(due=due, observed_at=seen_at, payload=curves(number)))


def curves(number: int) -> dict[str, Any]:
    """Return streams as Strava answers, other ones for each number."""
    places = range(POINTS)
    data: dict[str, list[Any]] = {
        "time": [place + (PAUSE_S if 2 * place > POINTS else 0) for place in places],
        "distance": [round(2.8 * place, 1) for place in places],
        "altitude": [round(100 + 40 * math.sin(place / 300), 1) for place in places],
        "velocity_smooth": [round(2.8 + 0.4 * math.sin(place / 50), 1) for place in places],
        "heartrate": [round(140 + 20 * math.sin(place / 200 + number)) for place in places],
        "cadence": [round(85 + 3 * math.sin(place / 20)) for place in places],
        "watts": [round(200 + 120 * math.sin(place / 37 + number) + 30 * math.sin(7 * place)) for place in places],
        "moving": [place % 500 > 3 for place in places],  # noqa: PLR2004 - a few steps of standing now and then
        "latlng": [[round(52.5 + place * 1e-5, 6), round(13.4 + place * 1e-5, 6)] for place in places],
        "grade_smooth": [round(3 * math.sin(place / 300), 1) for place in places],
    }
    shape = {"series_type": "distance", "original_size": POINTS, "resolution": "high"}
    return {key: {"data": values, **shape} for key, values in data.items()}
