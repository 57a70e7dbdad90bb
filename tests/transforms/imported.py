"""What two athletes imported of their own files: rows of an export, recordings, and what became of each."""

import json
from collections.abc import Mapping
from typing import Any

from tests.transforms.places import encoded
from tests.transforms.warehouse import Raw

ALONE, BOTH = 6, 5  # an athlete without the API, and one whom the API tells of too
OWN = 8_000_000_000_000_000  # ids from here on are made of files
EXPORTED_AT = "2026-03-25T06:00:00.000000Z"
LINE = encoded([(5_252_000 + 20 * step, 1_350_000 + 250 * step) for step in range(13)])


def row_activity(**fields: Any) -> dict[str, Any]:
    """A row of an export in the API's words: a run of 5 km on a winter's evening, with these fields changed."""
    return {
        "resource_state": 2,
        "name": "Evening Run",
        "sport_type": "Run",
        "start_date": "2026-03-10T17:00:00Z",
        "distance": 5000.4,
        "moving_time": 1500,
        "elapsed_time": 1520,
        "average_speed": 3.334,
        "total_elevation_gain": 31.5,
        "gear_id": "g1001",
        "gear": {"id": "g1001", "name": "Old shoes"},
        "upload_id": 99,
        "commute": False,
        "manual": False,
        **fields,
    }


def file_activity(**fields: Any) -> dict[str, Any]:
    """A recording as it is described: the same run, its time in motion and its climb computed."""
    return {
        "resource_state": 3,
        "manual": False,
        "trainer": False,
        "sport_type": "Run",
        "device_name": "A watch",
        "start_date": "2026-03-10T17:00:00Z",
        "start_date_local": "2026-03-10T18:00:00Z",
        "timezone": "(GMT+01:00) Europe/Berlin",
        "utc_offset": 3600.0,
        "distance": 5010.0,
        "moving_time": 1490,
        "elapsed_time": 1521,
        "average_speed": 3.362,
        "total_elevation_gain": 44.0,
        "average_heartrate": 150.5,
        "max_heartrate": 171,
        "has_heartrate": True,
        "start_latlng": [52.52, 13.5],
        "end_latlng": [52.522, 13.53],
        "map": {"polyline": LINE, "summary_polyline": LINE},
        "best_efforts": [
            {"name": "1K", "distance": 1000, "elapsed_time": 281, "start_date": "2026-03-10T17:02:00Z"},
        ],
        "laps": [{"lap_index": 1, "name": "Lap 1", "distance": 5010.0, "elapsed_time": 1521, "moving_time": 1490}],
        "splits_metric": [{"split": 1, "distance": 1000.0, "elapsed_time": 300, "moving_time": 298}],
        "computed": ["average_heartrate", "average_speed", "best_efforts", "moving_time", "total_elevation_gain"],
        "sources": {"utc_offset": "file", "total_elevation_gain": "barometer"},
        "is_clipped": False,
        **fields,
    }


def curves(**data: list[Any]) -> dict[str, Any]:
    """Streams by key as they are made of a recording."""
    shape = {"series_type": "time", "resolution": "high"}
    return {key: {"data": values, "original_size": len(values), **shape} for key, values in data.items()}


def _text(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)


def archive_row(
    raw: Raw, activity_id: int, activity: Mapping[str, Any] | None, *, athlete_id: int = ALONE, **columns: Any
) -> None:
    """Store a row of an export; one without content was deleted at Strava since."""
    row = {
        "import_id": "i1",
        "exported_at": EXPORTED_AT,
        "is_deleted": int(activity is None),
        "ingested_at": raw.next_ingested_at(),
        "activity": _text(activity),
    }
    raw.insert("archive_activities", activity_id=activity_id, athlete_id=athlete_id, **(row | columns))


def recording(
    raw: Raw,
    number: int,
    activity: Mapping[str, Any] | None,
    streams: Mapping[str, Any] | None = None,
    *,
    athlete_id: int = ALONE,
    **columns: Any,
) -> None:
    """Store a recording, a file of the export unless `origin` says otherwise; without content it was deleted."""
    row = {
        "sha256": f"{number:064x}",
        "session": 0,
        "import_id": "i1",
        "name": f"{number}.fit",
        "origin": "archive",
        "kind": "fit",
        "is_truncated": 0,
        "activity_id": OWN + number,
        "own_activity_id": OWN + number,
        "exported_at": EXPORTED_AT,
        "start_at": activity and f"{str(activity['start_date']).removesuffix('Z')}.000000Z",
        "elapsed_time_s": activity and activity["elapsed_time"],
        "is_deleted": int(activity is None),
        "ingested_at": raw.next_ingested_at(),
        "activity": _text(activity),
        "streams": _text(streams),
    }
    raw.insert("activity_files", file_id=f"{number:064x}/0", athlete_id=athlete_id, **(row | columns))


def fill_an_import(raw: Raw) -> None:
    """Store what an athlete without the API imported; ids from 1001."""
    raw.athlete(ALONE, status="archive_only")
    archive_row(raw, 1001, row_activity())
    seconds = list(range(6))
    recording(
        raw, 1, file_activity(), curves(time=seconds, distance=[3.5 * each for each in seconds]),
        activity_id=1001, matched_by="row", twin="1001",
    )  # fmt: skip
    later = file_activity(start_date="2026-03-10T17:00:01Z")
    beats = curves(time=[0, 1, 2, 4], heartrate=[120, 121, 122, 124], temp=[9, 9, 9, 9])
    recording(
        raw, 2, later, beats, origin="own", exported_at=None, activity_id=1001, matched_by="same_recording", twin="1001"
    )
    by_hand = {"manual": True, "timezone": "(GMT+01:00) Europe/Berlin", "utc_offset": 3600}
    archive_row(
        raw, 1002, row_activity(start_date="2026-03-11T23:30:00Z", **by_hand, sources={"utc_offset": "athlete"})
    )
    archive_row(raw, 1003, {"name": "Nowhere", "sport_label": "Zumba", "start_date": "2026-03-12T23:30:00Z"})
    recording(raw, 3, file_activity(sport_type="VirtualRide", start_date="2026-03-13T10:00:00Z"), is_truncated=1)
    recording(
        raw, 4, file_activity(start_date="2026-03-10T18:00:00Z"), curves(time=[0, 1]), origin="own", exported_at=None,
        suspect="suspect_time_zone", suspect_twin="1001",
    )  # fmt: skip
    recording(
        raw, 5, file_activity(start_date="2026-03-13T10:05:00Z"), origin="own", exported_at=None,
        suspect="overlaps", suspect_twin=f"{3:064x}/0",
    )  # fmt: skip


def fill_beside_the_api(raw: Raw, run: Mapping[str, Any]) -> None:
    """Store what the API and an import tell of the same activities; ids from 1101. `run` is the API's payload."""
    raw.athlete(BOTH)
    of: dict[str, Any] = {"athlete_id": BOTH}
    raw.activity(1101, {**run, "name": "As the API has it"}, **of)
    archive_row(raw, 1101, row_activity(name="As exported", max_speed=4.5), **of)
    recording(raw, 11, file_activity(), activity_id=1101, matched_by="row", **of)
    for activity_id in (1102, 1103, 1104):
        raw.activity(activity_id, run, **of)
        raw.tombstone(activity_id, **of)
    raw.execute("update strava_activities set source = 'retention' where activity_id = 1103")
    for activity_id in (1102, 1103):
        archive_row(raw, activity_id, row_activity(name=f"Back {activity_id}", description="as it was"), **of)
    archive_row(raw, 1104, None, **of)
    recording(raw, 14, None, activity_id=1104, **of)
    raw.activity(1105, {**run, "map": {"summary_polyline": "_p~iF~ps|U"}, "best_efforts": None}, resource_state=2, **of)
    recording(
        raw, 15, file_activity(), curves(time=[0, 1], watts=[200, 210]), origin="own", exported_at=None,
        activity_id=1105, previous_activity_id=OWN + 15, matched_by="alike", twin="1105", **of,
    )  # fmt: skip


def fill_the_imports(raw: Raw) -> None:
    """Store an import that ended, with every outcome, and one that runs."""
    moment = "2026-03-26T06:00:0{}.000000Z"
    counts = {"row_count": 5, "file_count": 6, "media_count": 7, "other_count": 8, "fingerprint": "f"}
    ended = {"status": "finished", "finished_at": moment.format(5), "exported_at": EXPORTED_AT, "language": "de"}
    running = {"status": "running", "row_count": 2}
    for import_id, source, told in (("i1", "export_6.zip", ended), ("i2", "Watch", running)):
        raw.insert(
            "imports",
            import_id=import_id,
            athlete_id=ALONE,
            source=source,
            started_at=moment.format(0),
            updated_at=moment.format(5),
            **(counts | told),
        )
    rows = ["new", "same_id", "updated", "skipped", "unreadable"]
    files = ["read", "read", "cut_short", "same_file", "skipped", "failed"]
    items: list[tuple[str, int | None, str | None, str]]
    items = [("row", 1001 + place, None, outcome) for place, outcome in enumerate(rows)]
    items += [("file", None, f"{place}.fit", outcome) for place, outcome in enumerate(files)]
    items += [("problem", None, "../../x", "failed")]
    for kind, activity_id, name, outcome in items:
        raw.insert(
            "import_items",
            item_id=f"i1/{kind}/{activity_id or name}",
            import_id="i1",
            athlete_id=ALONE,
            kind=kind,
            name=name,
            activity_id=activity_id,
            outcome=outcome,
            matched_by="row" if name == "0.fit" else None,
            twin="1001" if name == "0.fit" else None,
            reason="line 1: not XML" if outcome == "failed" else None,
            finished_at=moment.format(1),
        )
