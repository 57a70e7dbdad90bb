"""Zones, weight, FTP, totals and gear: when each is asked for, and what is kept; no word of a person."""

import json
from typing import Any

import httpx

from backends.tokens.file import FileTokenStore
from backends.warehouse.activities import Observation, Source
from backends.warehouse.athletes import Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.sqlite.store import SqliteRawStore
from simulator.rates import Limits
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.client import StravaClient
from strava.payload import ActivityPayload
from tests.worker.conftest import ATHLETE, STATS, FakeStrava
from tests.worker.simulated import simulated
from worker.history import Histories
from worker.profile import refresh_profile

ZONES = {"heart_rate": {"custom_zones": True, "zones": [{"min": 0, "max": 120}, {"min": 120, "max": -1}]}}
SETTINGS = "select payload, observed_at from strava_athlete_settings order by ingested_at"


def answer(body: Any) -> httpx.Response:
    """Strava's answer."""
    return httpx.Response(200, json=body)


def hidden() -> httpx.Response:
    """Strava's answer where the scope is missing."""
    error = {"resource": "AccessToken", "field": "profile:read_permission", "code": "missing"}
    return httpx.Response(401, json={"message": "Authorization Error", "errors": [error]})


def gone() -> httpx.Response:
    """Strava's answer where there is no such thing."""
    return httpx.Response(404, json={"message": "Record Not Found"})


async def test_settings_get_a_row_when_they_change(
    store: SqliteRawStore, strava: FakeStrava, client_of: Any, clock: Any, rows: Any
) -> None:
    """A new FTP is a new row with its date; a scope that went away changes nothing and is told; no name is kept."""
    person = {"id": ATHLETE, "firstname": "Anna", "sex": "F", "weight": 61.5, "ftp": 240}
    strava.answers |= {"athlete": answer(person), "athlete/zones": answer(ZONES)}
    for _ in range(2):
        assert await refresh_profile(client_of(ATHLETE), store, ATHLETE, clock=clock) == []
    clock.advance(86_400)
    strava.answers["athlete"] = answer(person | {"ftp": 250})
    assert await refresh_profile(client_of(ATHLETE), store, ATHLETE, clock=clock) == []
    strava.answers |= {"athlete": answer({"id": ATHLETE}), "athlete/zones": hidden()}
    [note] = await refresh_profile(client_of(ATHLETE), store, ATHLETE, clock=clock)
    assert "has not granted profile:read;" in note
    first, second = rows(SETTINGS)
    assert json.loads(first["payload"]) == {"sex": "F", "weight": 61.5, "ftp": 240, "zones": ZONES}
    assert json.loads(second["payload"]) == {"sex": "F", "weight": 61.5, "ftp": 250, "zones": ZONES}
    assert (first["observed_at"][:10], second["observed_at"][:10]) == ("2026-05-01", "2026-05-02")


async def test_a_scope_that_is_known_to_be_missing_costs_no_call(
    store: SqliteRawStore, strava: FakeStrava, client_of: Any, clock: Any, rows: Any
) -> None:
    """Zones are not asked for, what that costs is said, and the weight is stored."""
    scope = frozenset({"read", "activity:read_all"})
    await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=scope, status="connected", updated_at=clock()))
    strava.answers["athlete"] = answer({"id": ATHLETE, "weight": 61.5})
    [note] = await refresh_profile(client_of(ATHLETE), store, ATHLETE, clock=clock)
    assert note == (
        "Zones were not read, and FTP and weight may be missing. The athlete has not granted profile:read_all; connect "
        "again and leave every box ticked."
    )
    assert strava.asked == ["athlete", STATS]
    assert [json.loads(row["payload"]) for row in rows(SETTINGS)] == [{"weight": 61.5}]


async def test_totals_are_those_that_strava_told_last(
    store: SqliteRawStore, strava: FakeStrava, client_of: Any, clock: Any, rows: Any
) -> None:
    """They take the place of earlier ones; a day on which they cannot be read is told, and costs nothing else."""
    strava.answers |= {"athlete": answer({"id": ATHLETE}), "athlete/zones": answer({})}
    told = []
    for reply in (answer({"all_run_totals": {"count": 7}}), gone(), hidden(), answer({"n": 8})):
        strava.answers[STATS] = reply
        told.append(await refresh_profile(client_of(ATHLETE), store, ATHLETE, clock=clock))
        clock.advance(86_400)
    assert [len(notes) for notes in told] == [0, 1, 1, 0]
    assert all(notes[0].startswith("Strava's totals were not read. ") for notes in told if notes)
    [row] = rows("select athlete_id, payload, observed_at from strava_totals")
    assert (row["athlete_id"], json.loads(row["payload"]), row["observed_at"][:10]) == (ATHLETE, {"n": 8}, "2026-05-04")


async def test_gear_is_asked_for_when_unknown_or_old(
    store: SqliteRawStore, strava: FakeStrava, client_of: Any, clock: Any, rows: Any
) -> None:
    """Of two pairs that activities name one is deleted at Strava; a week later the figures are fetched again."""
    for key, gear_id in ((1, "g1"), (2, "g1"), (3, "gone"), (4, None)):
        fields = {"id": key, "athlete": {"id": ATHLETE}, "resource_state": 2, "gear_id": gear_id}
        seen = {"activity_id": key, "athlete_id": ATHLETE, "observed_at": clock(), "source": Source.BACKFILL}
        await store.apply([Observation(activity=ActivityPayload.from_json(fields), **seen)])
    strava.answers |= {"athlete": answer({"id": ATHLETE}), "athlete/zones": answer({})}
    for distance, days in ((100, 1), (200, 7), (300, 0)):
        strava.answers["gear/g1"] = answer({"id": "g1", "distance": distance})
        assert await refresh_profile(client_of(ATHLETE), store, ATHLETE, clock=clock) == []
        clock.advance(days * 86_400)
    assert [strava.asked.count(f"gear/{each}") for each in ("g1", "gone")] == [2, 1]
    row, gone = rows("select * from strava_gear order by gear_id")
    assert (row["gear_id"], row["athlete_id"], json.loads(row["payload"])["distance"]) == ("g1", ATHLETE, 300)
    assert (row["not_found_at"], gone["payload"], gone["not_found_at"][:10]) == (None, None, "2026-05-01")
    await store.purge(ATHLETE)
    strava.answers["gear/g1"] = answer({"id": "g1", "distance": 400})
    await refresh_profile(client_of(ATHLETE), store, ATHLETE, clock=clock)
    assert rows("select * from strava_gear") == rows(SETTINGS) == []


async def test_gear_that_strava_does_not_have_rests_for_a_month(
    store: SqliteRawStore, strava: FakeStrava, client_of: Any, clock: Any, rows: Any
) -> None:
    """A daily check asks for deleted gear every 30 days; what was stored of it stays, and it may come back."""
    fields = {"id": 1, "athlete": {"id": ATHLETE}, "resource_state": 2, "gear_id": "g1"}
    seen = {"activity_id": 1, "athlete_id": ATHLETE, "observed_at": clock(), "source": Source.BACKFILL}
    await store.apply([Observation(activity=ActivityPayload.from_json(fields), **seen)])
    shown = answer({"id": "g1", "distance": 100})
    strava.answers |= {"athlete": answer({"id": ATHLETE}), "athlete/zones": answer({}), "gear/g1": shown}
    asked_on = []
    for day in range(1, 50):
        if day == 2:
            del strava.answers["gear/g1"]
        if day == 38:
            strava.answers["gear/g1"] = shown
        before = len(strava.asked)
        assert await refresh_profile(client_of(ATHLETE), store, ATHLETE, clock=clock) == []
        asked_on += [day] if "gear/g1" in strava.asked[before:] else []
        [row] = rows("select payload, not_found_at from strava_gear")
        assert json.loads(row["payload"])["distance"] == 100
        assert (row["not_found_at"] is not None) == (8 <= day < 38)
        clock.advance(86_400)
    assert asked_on == [1, 8, 38, 45]


async def test_a_backfill_reads_settings_and_gear(
    store: SqliteRawStore, tokens: FileTokenStore, clock: Any, rows: Any
) -> None:
    """Once the list is there, before the details: the simulator's zones, weight and FTP, and each shoe and bike."""
    terms: dict[str, Any] = {"reads": Limits(200, 1000), "overall": Limits(400, 2000)}
    async with simulated(clock, seed=5, athlete_id=ATHLETE, years=0.05, **terms) as there:
        auth, budget = await there.connect(tokens), RateBudget(clock=clock, steady=clock.steady_s)

        def client_of(_: int, lane: Lane) -> StravaClient:
            return StravaClient(there.http, auth, api_url="/api/v3", budget=budget, lane=lane, clock=clock)

        await store.request_backfill(Backfill.requested(ATHLETE, clock(), has_details=False))
        await Histories(store, client_of, budget, clock=clock).load_due()
        world = there.simulation.world
        named = {gear for each in world.ids() if (gear := world.summary(each).get("gear_id"))}
    stored = {row["gear_id"]: json.loads(row["payload"]) for row in rows("select * from strava_gear")}
    assert stored == {gear_id: world.gear(gear_id) for gear_id in named}
    [row] = rows(SETTINGS)
    values, person = json.loads(row["payload"]), world.athlete(is_detailed=True)
    assert (values["weight"], values["ftp"]) == (person["weight"], person["ftp"])
    assert values["zones"].keys() == {"heart_rate", "power"}
    [row] = rows("select payload from strava_totals")
    assert json.loads(row["payload"])["all_run_totals"]["count"] > 0
