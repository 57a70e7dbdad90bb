"""What three athletes have stored: recorded answers, what goes wrong in real life, and numbers at the edge."""

import json
import math
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from backends.athlete_file.document import document_of
from tests.transforms.imported import curves, fill_an_import, fill_beside_the_api, fill_the_imports
from tests.transforms.places import encoded
from tests.transforms.warehouse import BERLIN, Raw, Warehouse

ROOT = Path(__file__).parents[2]
EXTREME = 8
RECORDED = 4605555801

# Along a canal in twelve steps of 170 m; the same again a few metres beside it and one step on; another way, as long.
CANAL = encoded([(5_252_000 + 20 * step, 1_340_000 + 250 * step) for step in range(13)])
CANAL_AGAIN = encoded([(5_252_003 + 20 * step, 1_340_004 + 250 * step) for step in range(14)])
RIVER = encoded([(5_252_000 + 150 * step, 1_340_000 + 20 * step) for step in range(13)])

TOLD_AT = "2026-04-01T03:00:00.000000Z"
TOTALS = {
    f"{scope}_{sport}_totals": {"count": count, "distance": 1000.5 * count, "moving_time": 300, "elevation_gain": 9}
    for scope, sport, count in (("ytd", "run", 2), ("all", "run", 3.0), ("ytd", "ride", 0), ("all", "swim", 1))
}
OWN_FILE = """
birth_year = 1986
max_heart_rate = 189
resting_heart_rate = [{ value = 52 }, { from = 2026-03-25, value = 50 }]

[run]
threshold_pace = [{ value = "4:40" }, { from = 2026-03-25, value = "4:30" }]

[[goal]]
type = "distance"
period = "week"
sports = ["run", "walk"]
value = 20

[[goal]]
type = "load"
period = "year"
value = 5000
from = 2026-01-01
to = 2026-12-31

[[gear]]
name = "blue shoes"
cost = 120
service = [{ what = "Laces", every_km = 5, every_days = 400, last = 2026-03-01 }, { what = "Wash", every_hours = 100 }]

[[gear]]
name = "Borrowed bike"
sports = ["ride", "swim"]
title_has = "MORNING"
from = 2026-03-20

[[gear]]
name = "Blue show"
retired = true
"""
LAP = {
    "id": 3_300_000_000_123_456_789,
    "lap_index": 1,
    "name": "Lap 1",
    "start_date": "2026-03-28T23:30:00Z",
    "distance": 4000.5,
    "moving_time": 1200,
    "elapsed_time": 1210.0,
    "total_elevation_gain": 10.5,
    "average_speed": 3.33,
    "max_speed": 4.5,
    "average_heartrate": 151.5,
    "max_heartrate": 171,
    "average_cadence": 84.5,
    "device_watts": False,
    "start_index": 0,
    "end_index": 1199,
}
SPLIT = {
    "split": 1,
    "distance": 1000.5,
    "moving_time": 280,
    "elapsed_time": 282.5,
    "elevation_difference": -2.5,
    "average_speed": 3.57,
    "average_grade_adjusted_speed": 3.5,
    "average_heartrate": 149.25,
    "pace_zone": 2,
}
EFFORT = {
    "id": 312_345_678_901_234_567,
    "name": "Canal sprint",
    "start_date": "2026-03-28T23:40:00Z",
    "distance": 512.5,
    "moving_time": 120,
    "elapsed_time": 121,
    "average_heartrate": 160.5,
    "average_watts": 250.5,
    "device_watts": True,
    "start_index": 600,
    "end_index": 720,
    "pr_rank": 2,
    "hidden": False,
    "segment": {"id": 229_781, "distance": 510.25, "average_grade": -0.5, "climb_category": 0},
}


def run_payload(**fields: Any) -> dict[str, Any]:
    """A detailed run of 5 km in 25 minutes on a winter morning in Berlin, with these fields changed."""
    return {
        "name": "Morning run",
        "sport_type": "Run",
        "start_date": "2026-03-20T06:00:00Z",
        "start_date_local": "2026-03-20T07:00:00Z",
        "timezone": "(GMT+01:00) Europe/Berlin",
        "utc_offset": 3600.0,
        "distance": 5000.0,
        "moving_time": 1500,
        "elapsed_time": 1560,
        "total_elevation_gain": 12.5,
        "average_speed": 3.333,
        "map": {"polyline": "_p~iF~ps|U_ulLnnqC_mqNvxq`@"},
        "best_efforts": [
            {"name": "1k", "distance": 1000, "elapsed_time": 280, "start_date": "2026-03-20T06:05:00Z"},
            {"name": "5K", "distance": 5000, "elapsed_time": 1500, "start_date": "2026-03-20T06:00:00Z"},
        ],
        **fields,
    }


def recorded(name: str) -> Any:
    """Return the body of a recorded answer of Strava's."""
    answer = json.loads((ROOT / "tests/fixtures/strava" / name).read_text())
    return answer.get("body", answer) if isinstance(answer, dict) else answer


def fill_by_hand(raw: Raw) -> None:
    """Store what goes wrong in real life, one activity each; ids 1 to 10."""
    raw.activity(
        1,
        run_payload(
            name="Mitternacht 🌙",
            start_date="2026-03-28T23:30:00Z",
            start_date_local="2026-03-29T00:30:00Z",
            suffer_score=50,
            gear={"id": "g1", "name": "Blue shoes"},
            laps=[LAP, {**LAP, "lap_index": 2, "distance": 1000, "average_watts": 210.5}, {"name": "No number"}],
            splits_metric=[SPLIT, {**SPLIT, "split": 2, "distance": 480.5}, {**SPLIT, "elapsed_time": 290}, None],
            splits_standard=[{**SPLIT, "distance": 1609.25, "elapsed_time": 455}],
            segment_efforts=[EFFORT, {**EFFORT, "id": 2, "segment": {"id": None}}, {**EFFORT, "id": 3.5}],
        ),
    )
    raw.activity(
        2,
        run_payload(
            start_date="2026-03-29T21:45:00Z",
            start_date_local="2026-03-29T23:45:00Z",
            utc_offset=7200.0,
            distance=2000,
            moving_time=600.0,
            elapsed_time=600,
            average_speed=3.3,
            best_efforts=[{"name": "1K", "distance": 1000, "elapsed_time": 270, "start_date": "2026-03-29T21:46:00Z"}],
        ),
    )
    raw.activity(
        3, run_payload(sport_type="GravelRide", start_date_local="2026-03-20T00:00:01Z", start_latlng=[], map={})
    )
    raw.activity(4, run_payload(sport_type="Quidditch", type="Workout"))
    raw.activity(
        5,
        {
            "name": "Weights",
            "sport_type": "WeightTraining",
            "manual": True,
            "start_date": "2026-03-21T17:00:00Z",
            "start_date_local": "2026-03-21T18:00:00Z",
            "utc_offset": 3600,
            "distance": 0.0,
            "moving_time": 1800,
            "elapsed_time": 1800,
            "total_elevation_gain": 0,
            "start_latlng": None,
            "map": None,
        },
    )
    raw.activity(
        6,
        run_payload(sport_type="Swim", map={"summary_polyline": "@@"}, best_efforts=None),
        resource_state=2,
    )
    raw.activity(7, run_payload())
    raw.tombstone(7)
    raw.activity(8, '"only text"')
    raw.activity(
        9,
        '{"sport_type": "Run", "distance": {"m": 1}, "moving_time": "soon", "start_date_local": "0001-01-01T00:00:00Z",'
        ' "best_efforts": "none", "map": [], "gear": [], "start_latlng": {"a": 1}, "name": "half of it"}',
    )
    raw.activity(10, "{not json")


def fill_extremes(raw: Raw) -> None:
    """Store payloads whose numbers, places or times no engine may trip over; ids from 21, few with maps or efforts."""
    payloads: dict[int, dict[str, Any]] = {
        21: {"utc_offset": 1e15},
        22: {"utc_offset": 1e11},
        23: {"moving_time": 9e18},
        24: {"moving_time": 9e18},
        25: {"average_heartrate": 1e6},
        26: {"distance": 1e300, "average_watts": 1e300},
        27: {"distance": 1e-300},
        41: {"start_latlng": [181, 500]},
        42: {"start_latlng": [52.5]},
        43: {"start_latlng": [None, 13.25]},
        44: {"start_latlng": [52.5, 180.5], "end_latlng": [-90, 180]},
        45: {"start_latlng": [None, None]},
        46: {"start_latlng": [90, -180], "end_latlng": [90.00001, 0]},
        51: {"start_date": "2026-03-20T23:30:00+02:00", "start_date_local": "2026-03-20T23:30:00+10:00"},
        52: {"start_date": "2026-03-20T23:30:00.25-0130", "start_date_local": "2026-03-20T22:00:00-0130"},
        53: {"start_date": "2026-03-20T23:30:00Z", "start_date_local": None, "utc_offset": 3600},
        54: {"start_date": "2026-03-20T23:30:00Z", "start_date_local": None, "utc_offset": None},
        55: {"start_date": "2026-03-20T23:30:00Z", "start_date_local": "some day", "utc_offset": -3600},
        61: {"start_date": "2026-04-03T06:00:00Z", "start_date_local": "2026-04-03T08:00:00Z", "utc_offset": 7200},
        62: {"start_date": "2099-01-01T06:00:00Z", "start_date_local": "2099-01-01T07:00:00Z", "sport_type": "Ski"},
        # across 180 degrees; 111 hours in motion within one; strength at rest; power by estimate, and of a run
        # on a treadmill; a race
        71: {"map": {"polyline": "~fpeB_v_ia@?~l`scA~oR_|lrcA"}},
        72: {"moving_time": 399600, "elapsed_time": 3600, "map": {"polyline": CANAL}},
        73: {"sport_type": "WeightTraining", "distance": 0, "moving_time": 0, "elapsed_time": 3600},
        74: {"sport_type": "Ride", "average_watts": 195, "device_watts": False},
        75: {
            "average_watts": 249,
            "device_watts": True,
            "trainer": True,
            "map": {"polyline": RIVER},
            "best_efforts": [{"name": "1K", "distance": 1000, "elapsed_time": 200}],
        },
        76: {"workout_type": 1, "device_watts": False, "map": {"summary_polyline": CANAL_AGAIN}},
        # of equals the one with a start comes first, in one payload (5K) and among activities (1K)
        31: {"best_efforts": [{"name": "1K", "distance": 1000, "elapsed_time": 240}]},
        32: {
            "best_efforts": [
                {"name": "1K", "distance": 1000, "elapsed_time": 240, "start_date": "2026-03-20T06:05:00Z"},
                {"name": "5K", "distance": 5000, "elapsed_time": 1500},
                {"name": "5k", "distance": 5000, "elapsed_time": 1500, "start_date": "2026-03-20T06:00:00Z"},
            ]
        },
    }
    for activity_id, fields in payloads.items():
        raw.activity(activity_id, run_payload(**{"map": {}, "best_efforts": [], **fields}), athlete_id=EXTREME)


def fill_recorded(raw: Raw) -> None:
    """Store the recorded answers: an indoor ride, a marathon, a page of twelve summaries."""
    for name in ("activity_ride_indoor.json", "activity_run_marathon.json"):
        body = recorded(name)
        raw.activity(body["id"], body, athlete_id=RECORDED)
    for body in recorded("athlete_activities_page.json"):
        raw.activity(body["id"], body, athlete_id=RECORDED, resource_state=2)


def lived(folder: Path, variables: Mapping[str, str]) -> Warehouse:
    """Fill a warehouse with recorded and hand-written activities, two athletes, an event and an unreadable message.

    Nothing is built yet.
    """
    warehouse = Warehouse(folder, variables)
    fill_by_hand(warehouse.raw)
    fill_extremes(warehouse.raw)
    fill_recorded(warehouse.raw)
    warehouse.raw.athlete(BERLIN)
    warehouse.raw.athlete(RECORDED)
    warehouse.raw.event("d1")
    unread = dict.fromkeys(("event_id", "athlete_id", "object_type", "object_id", "aspect_type", "event_time"))
    warehouse.raw.event("unreadable/1", **unread, outcome="parked")
    fill_what_waits(warehouse.raw)
    fill_the_books(warehouse.raw)
    fill_an_import(warehouse.raw)
    fill_beside_the_api(warehouse.raw, run_payload(map={}))
    fill_the_imports(warehouse.raw)
    return warehouse


def fill_what_waits(raw: Raw) -> None:
    """Store events that the queue brings again, that wait off it, and one that a person had replayed."""
    raw.event("queued/1/2", event_id="queued", outcome="deferred")
    raw.event("due/again/2", event_id="due", outcome="deferred", retry_at="2026-04-01T12:30:00.000000Z")
    raw.event(
        "waits/1/1", event_id="waits", outcome="deferred", retry_at="2026-04-02T00:00:00.000000Z",
        reason_kind="rate_limited",
    )  # fmt: skip
    raw.event("replayed/1/1", event_id="replayed", attempt=0, received_at="2026-03-20T06:00:00.000000Z")


def streams(raw: Raw, activity_id: int, payload: Any, *, athlete_id: int = BERLIN) -> None:
    """Store an activity's streams, or that it has none."""
    moment = raw.next_ingested_at()
    raw.insert(
        "strava_streams",
        activity_id=activity_id,
        athlete_id=athlete_id,
        fetched_for="[]",
        activity_hash="",
        observed_at=moment,
        ingested_at=moment,
        payload=None if payload is None else json.dumps(payload),
    )


def fill_recordings(raw: Raw) -> None:
    """Store the recorded streams, hand-written ones with gaps, one that has none, and settings as they changed."""
    streams(raw, recorded("activity_run_marathon.json")["id"], recorded("activity_streams.json"), athlete_id=RECORDED)
    gaps = {"series_type": "time", "original_size": 4, "resolution": "high"}
    points = [[52.5, 13.25], None, [91, 0], [-33.5, 151.25]]
    streams(
        raw,
        1,
        {
            "time": {"data": [0, 1, 2, 3.0], **gaps},
            "watts": {"data": [180, None, "many", 1e300], **gaps},
            "moving": {"data": [False, True, True, None], **gaps},
            "latlng": {"data": points, **gaps},
            "altitude": {"data": "flat"},
            "cadence": None,
            "novelty": {"data": [1], **gaps},
        },
    )
    streams(raw, 5, None)
    fill_curves(raw)
    zones = {
        "heart_rate": {"custom_zones": True, "zones": [{"min": 0, "max": 115}, {"min": 115, "max": -1}]},
        "power": {"zones": [{"min": 0, "max": 132}, {"min": None, "max": -1}]},
    }
    seen: tuple[tuple[int, dict[str, Any]], ...] = (
        (BERLIN, {"sex": "F", "weight": 61.5, "ftp": 240, "zones": zones}),
        (BERLIN, {"ftp": 250.0}),
        (RECORDED, {"sex": "X", "zones": []}),
    )
    for key, (athlete_id, values) in enumerate(seen, 1):
        moment = raw.next_ingested_at()
        raw.insert(
            "strava_athlete_settings",
            settings_id=f"s{key}",
            athlete_id=athlete_id,
            payload=json.dumps(values),
            observed_at=moment,
            ingested_at=moment,
        )
    for athlete_id, answer in ((BERLIN, TOTALS), (RECORDED, {"all_swim_totals": "none", "ytd_run_totals": {}})):
        told = {"athlete_id": athlete_id, "payload": json.dumps(answer), "observed_at": TOLD_AT}
        raw.insert("strava_totals", **told, ingested_at=raw.next_ingested_at())


def fill_curves(raw: Raw) -> None:
    """Store all that can be recorded: of a run over a hill with a pause, and of a run whose power was measured."""
    seconds = [*range(0, 300, 10), *range(360, 601, 10)]
    streams(
        raw,
        2,
        curves(
            time=seconds,
            distance=[round(2000 * place / 54, 1) for place in range(55)],
            velocity_smooth=[3.2 + place % 7 / 10 for place in range(55)],
            altitude=[round(30 + 20 * math.sin(place / 9), 1) for place in range(55)],
            heartrate=[110 + place for place in range(54)] + [None],
            cadence=[80 + place % 5 for place in range(55)],
            moving=[place != 29 for place in range(55)],
        ),
    )
    rests = [150 if place in {30, 31, 67} else 30 for place in range(1, 101)]
    paces = [0 if place in {30, 31, 67} else 90 + 3 * (place * place % 17) for place in range(1, 101)]
    ridden = {"time": [*accumulate(rests, initial=0)], "distance": [*accumulate(paces, initial=0)]}
    streams(raw, 74, curves(**ridden), athlete_id=EXTREME)
    watts = [100, 200, 300, 400, 200, 500, 400, 300, 200, 100]
    seconds = [0, 1, 2, 3, 4, 16, 17, 18, 19, 20]
    way = [float(3 * place) for place in range(10)]
    streams(raw, 75, curves(time=seconds, watts=watts, heartrate=[150] * 9 + [151], distance=way), athlete_id=EXTREME)


def edited(raw: Raw, activity_id: int, field: str | None, old: Any = None, new: Any = None, **of: Any) -> None:
    """Store what an edit changed, or without a field that an activity came back, as the last-write-wins rule does."""
    moment = raw.next_ingested_at()
    told = {
        "athlete_id": BERLIN,
        "kind": "changed" if field else "restored",
        "source": "webhook",
        "payload": json.dumps({"old": old, "new": new}) if field else None,
    }
    raw.insert(
        "activity_changes",
        change_id=f"{activity_id}/{moment}/{field}",
        activity_id=activity_id,
        field=field,
        observed_at=moment,
        ingested_at=moment,
        **{**told, **of},
    )


def own_file(raw: Raw, text: str, *, athlete_id: int = BERLIN) -> None:
    """Store what an athlete's file says, as the transformer does."""
    document = document_of(text, [athlete_id])[athlete_id]
    raw.insert(
        "athlete_files",
        athlete_id=athlete_id,
        payload=json.dumps(document.payload),
        file_hash=document.file_hash,
        ingested_at=raw.next_ingested_at(),
    )


def fill_the_books(raw: Raw) -> None:
    """Store the recorded gear, one row each of what the worker and the transformer note down, and how they differ."""
    for answer in json.loads((ROOT / "tests/fixtures/strava/gear.json").read_text()):
        moment = raw.next_ingested_at()
        raw.insert(
            "strava_gear",
            gear_id=answer["body"]["id"],
            athlete_id=RECORDED,
            payload=json.dumps(answer["body"]),
            observed_at=moment,
            ingested_at=moment,
        )
    moment = raw.next_ingested_at()
    missing = {"gear_id": "g404", "athlete_id": RECORDED, "payload": None, "not_found_at": moment}
    raw.insert("strava_gear", **missing, observed_at=moment, ingested_at=moment)
    fill_recordings(raw)
    edited(raw, 1, "name", 'Früh "quoted"', "Mitternacht 🌙")
    edited(raw, 1, "distance", 4000.5, 5000)
    edited(raw, 1, "trainer", True, None, source="reconcile")
    edited(raw, 2, None)
    own_file(raw, OWN_FILE)
    own_file(raw, "[ride]\nftp = 220\n[strength]\nload_order = ['pace', 'time']", athlete_id=EXTREME)
    raw.insert(
        "_ingestion_state",
        athlete_id=BERLIN,
        complete_as_of="2026-04-01T06:00:00.000000Z",
        listing_began_at="2026-04-01T12:00:00.000000Z",
        backfill_cursor="2026-03-20T06:00:00.000000Z",
        updated_at="2026-04-01T12:00:05.000000Z",
    )
    raw.insert("strava_subscriptions", subscription_id=310_001, remembered_at="2026-03-01T06:00:00.000000Z")
    raw.insert(
        "backfills",
        athlete_id=BERLIN,
        requested_at="2026-04-01T11:59:00.000000Z",
        has_details=1,
        has_streams=1,
        started_at="2026-04-01T11:59:01.000000Z",
        listed_count=9,
        listed_at="2026-04-01T11:59:05.000000Z",
        waits_until="2026-04-01T12:15:05.000000Z",
        waits_because="Strava's rate limit is used up.",
        waits_kind="rate_limited",
        expected_at="2026-04-01T12:30:05.000000Z",
        failed_count=2,
        retry_at="2026-04-01T12:20:05.000000Z",
        updated_at="2026-04-01T12:00:00.000000Z",
    )
    raw.insert(
        "reconciliations",
        reconciliation_id="r1",
        athlete_id=BERLIN,
        strava_count=9,
        warehouse_count=9,
        missing=1,
        extra=0,
        changed=1,
        repaired=2,
        started_at="2026-04-01T06:00:00.000000Z",
        finished_at="2026-04-01T06:00:05.000000Z",
        verdict="complete",
    )
    raw.insert(
        "reconciliations",
        reconciliation_id="r2",
        athlete_id=BERLIN,
        strava_count=3,
        warehouse_count=9,
        missing=0,
        extra=0,
        changed=0,
        repaired=0,
        started_at="2026-04-02T06:00:00.000000Z",
        finished_at="2026-04-02T06:00:05.000000Z",
        verdict="cut_short",
        reason="Strava's list was not read to its end.",
        stopped_kind="unreachable",
        retry_at="2026-04-02T06:15:00.000000Z",
    )
    raw.insert(
        "purges",
        purge_id="p1",
        athlete_hash="abc",
        purged_at="2026-03-01T06:00:00.000000Z",
        removed=json.dumps({"strava_activities": 12, "strava_events": 30, "queue_messages": 1, "_ingestion_state": 1}),
    )
    budget = {"refused": {"detail": 3}} | {
        name: {"limit": limit, "used": used, "resets_at": f"2026-04-0{resets_at}Z"}
        for name, limit, used, resets_at in (
            ("read_quarter", 100, 75, "1T12:15:00.000000"),
            ("day", 2000, 75, "2T00:00:00.000000"),
        )
    }
    raw.insert(
        "pipeline_readings",
        reading="current",
        read_at="2026-04-01T12:10:00.000000Z",
        changed_at="2026-04-01T12:05:00.000000Z",
        budget=json.dumps(budget),
        lapsed_since="2026-04-01T12:04:00.000000Z",
        closed_until="2026-04-01T13:04:00.000000Z",
        closed_because="The app lapsed.",
        closed_kind="app_inactive",
        queued_count=2,
        queued_since="2026-04-01T12:03:00.000000Z",
    )
    for run_id, day in (("old", "2026-03-02"), ("new", "2026-03-03")):  # as of 2 April: one within 31 days
        raw.insert(
            "transform_runs",
            run_id=run_id,
            watermark="",
            started_at=f"{day}T06:00:00.000000Z",
            finished_at=f"{day}T06:00:02.000000Z",
            published_at=f"{day}T06:00:02.000000Z",
            is_full_refresh=0,
        )
