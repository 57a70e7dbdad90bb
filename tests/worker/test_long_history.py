"""A long history under Strava's own limits: what a bad week costs is time, and neither an activity nor a refusal."""

import json
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete
from simulator.faults import Faults
from simulator.rates import Limits
from simulator.recorded import Recorded
from strava.payload import ActivityPayload
from tests.worker.histories import ATHLETE, Life, ask, lives
from tests.worker.simulated import Simulated, simulated

ACTIVITIES = 3_000
STRAVAS_LIMITS: dict[str, Any] = {"reads": Limits(100, 1_000), "overall": Limits(200, 2_000)}
FAULTS = Faults(seed=5, server_error=0.01, rate_limited=0.002, unauthorized=0.003, token_lifetime_s=7_200)


class Network:
    """The way to Strava: loses an answer now and then, lets another machine call meanwhile, and counts what it sees."""

    def __init__(self, there: Simulated) -> None:
        self.seen: Counter[str] = Counter()
        self._there = there
        there.http.event_hooks = {"response": [self._pass]}

    async def _pass(self, answer: httpx.Response) -> None:
        if "oauth" in answer.request.url.path:  # a rotated token that never arrives leaves no way but to connect again
            return
        self.seen["answers"] += 1
        self.seen[str(answer.status_code)] += 1
        for window in ("X-RateLimit", "X-ReadRateLimit"):
            limits, used = (answer.headers.get(f"{window}-{what}", "0,0").split(",") for what in ("Limit", "Usage"))
            self.seen["over budget"] += any(int(made) > int(may) for made, may in zip(used, limits, strict=True))
        if self.seen["answers"] % 50 == 0:
            self._there.spend(3)
        if self.seen["answers"] % 97 == 0:
            self.seen["lost"] += 1
            raise httpx.ReadTimeout("no answer came", request=answer.request)


def years_of(project_root: Path) -> Recorded:
    """Repeat one recorded ride day after day: what an activity holds does not matter here, and is quick to serve."""
    path = project_root / "tests" / "fixtures" / "strava" / "activity_ride_indoor.json"
    ride = json.loads(path.read_text())["body"] | {"athlete": {"id": ATHLETE, "resource_state": 1}}
    first = ActivityPayload.from_json(ride).start_date
    assert first is not None
    rides: dict[int, Any] = {}
    for day in range(ACTIVITIES):
        start = f"{first - timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}"
        key = ride["id"] - 1_000 * day
        rides[key] = ride | {"id": key, "name": f"Ride {day}", "start_date": start, "start_date_local": start}
    return Recorded(activities=rides)


@pytest.mark.slow
async def test_three_thousand_activities_survive_twenty_kills_and_a_bad_week(
    tmp_path: Path, clock: Any, tokens: FileTokenStore, project_root: Path
) -> None:
    """Nothing is lost, and no call is one too many.

    Strava fails, loses answers, refuses good tokens, says 429 for no reason of ours, rotates the tokens, and serves
    another machine of the app.
    """
    recorded = years_of(project_root)
    async with simulated(clock, seed=7, athlete_id=ATHLETE, years=0, recorded=recorded, **STRAVAS_LIMITS) as there:
        life, network = Life(tmp_path, clock, there, tokens), Network(there)
        await life.connect()
        store = life.store()
        await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=clock()))
        await ask(life, store)
        there.simulation.dice.switch(FAULTS)
        dice, refresh_tokens = random.Random(3), set()
        lifetimes = [dice.randrange(1, 20 if number < 6 else 350) for number in range(20)]
        async for _ in lives(life, store, lifetimes):
            refresh_tokens.add(getattr(await tokens.load(ATHLETE), "refresh_token", None))
        assert (lifetimes, network.seen["over budget"]) == ([], 0)
        assert min(network.seen[fault] for fault in ("500", "401", "429", "lost")) > 0
        assert len(refresh_tokens) > 5
        assert await store.activity_ids(ATHLETE, resource_state=3) == sorted(recorded.activities, reverse=True)
        truth = {key: ActivityPayload.from_json(ride).payload_hash for key, ride in recorded.activities.items()}
        assert {key: row.payload_hash for key, row in (await store.stored(truth)).items()} == truth
        state = await store.ingestion_state(ATHLETE)
        assert state is not None
        assert state.complete_as_of is not None
        await life.close()
