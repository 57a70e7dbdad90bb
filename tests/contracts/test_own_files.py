"""What every raw store must do with an athlete's own files and their imports, on every engine."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from backends.warehouse import RawStore
from backends.warehouse.activities import Applied, Observation, Source
from backends.warehouse.athletes import AthleteStatus
from backends.warehouse.own_file_tables import FIRST_OWN_ID
from backends.warehouse.own_files import (
    DELETED_SINCE,
    ArchivedActivity,
    FactSource,
    FileRow,
    HomeTime,
    Import,
    ImportItem,
    ImportStatus,
    ItemKind,
    Link,
)
from strava.payload import DETAILED, ActivityPayload
from tests.contracts.conftest import HandClock, OpenStore
from tests.contracts.test_raw_store import ANNA, BEN, athlete

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EXPORTED = NOON - timedelta(days=1)
START = datetime(2026, 5, 1, 6, tzinfo=UTC)
OWN = FIRST_OWN_ID + 5


def an_import(import_id: str = "i1", *, athlete_id: int = ANNA, **changes: Any) -> Import:
    """An import that began at noon."""
    fields: dict[str, Any] = {"status": ImportStatus.RUNNING, "source": "export_9.zip", "fingerprint": "f1"}
    return Import(
        import_id=import_id, athlete_id=athlete_id, **{"started_at": NOON, "updated_at": NOON, **fields, **changes}
    )


def listed(activity_id: int = 1, *, import_id: str = "i1", **changes: Any) -> ArchivedActivity:
    """An activity of an export that was written a day before noon."""
    name = changes.pop("name", "Früh 🌄")
    told = {"id": activity_id, "elapsed_time": 1428, "distance": 3322.9, "sport_type": "Run", "name": name}
    fields: dict[str, Any] = {
        "athlete_id": ANNA,
        "exported_at": EXPORTED,
        "language": "en",
        "start_at": START,
        "row": json.dumps([["Activity ID", str(activity_id)], ["Activity Name", name]]),
        "activity": json.dumps(told | {"upload_id": 500 + activity_id}),
    }
    return ArchivedActivity(activity_id=activity_id, import_id=import_id, **{**fields, **changes})


def recorded(sha256: str = "aa", **changes: Any) -> FileRow:
    """A session of a file of the athlete's own, without an activity."""
    told = {"elapsed_time": 1430, "distance": 3320.5, "sport_type": "Run", "start_latlng": [52.5, 13.25]}
    fields: dict[str, Any] = {
        "athlete_id": ANNA,
        "import_id": "i1",
        "name": "run.fit",
        "origin": "own",
        "kind": "fit",
        "is_truncated": False,
        "device_key": "garmin/1/2026-05-01T06:00:00Z",
        "activity_id": OWN,
        "own_activity_id": OWN,
        "exported_at": None,
        "start_at": START,
        "elapsed_time_s": 1430,
        "activity": json.dumps(told),
        "streams": json.dumps({"time": {"data": [0, 1]}}),
    }
    return FileRow(file_id=f"{sha256}/0", sha256=sha256, session=0, **{**fields, **changes})


def of_row(sha256: str = "aa", activity_id: int = 1, **changes: Any) -> FileRow:
    """The recording that the export has for one of its rows."""
    linked = {"activity_id": activity_id, "matched_by": "row", "twin": str(activity_id)}
    return recorded(sha256, **{"origin": "archive", "exported_at": EXPORTED, **linked, **changes})


def item(name: str = "activities/1.fit.gz", *, import_id: str = "i1", **changes: Any) -> ImportItem:
    """The item of a file that was read."""
    fields: dict[str, Any] = {"athlete_id": ANNA, "kind": ItemKind.FILE, "outcome": "read", "finished_at": NOON}
    return ImportItem(item_id=f"{import_id}/file/{name}", import_id=import_id, name=name, **{**fields, **changes})


def shown(activity_id: int = 1, *, at: datetime = NOON, athlete_id: int = ANNA, **fields: Any) -> Observation:
    """An activity, as the API showed it."""
    told = {"id": activity_id, "athlete": {"id": athlete_id}, "resource_state": DETAILED, **fields}
    activity = ActivityPayload.from_json({"start_date": "2026-05-01T06:00:00Z", **told})
    return Observation(
        activity_id=activity_id, athlete_id=athlete_id, observed_at=at, source=Source.BACKFILL, activity=activity
    )


def gone(activity_id: int = 1, *, at: datetime = NOON) -> Observation:
    """The activity was not at Strava."""
    return Observation(activity_id=activity_id, athlete_id=ANNA, observed_at=at, source=Source.WEBHOOK)


async def outcomes(store: RawStore, *rows: ArchivedActivity) -> list[str]:
    """Put rows of one import, and return what became of them, which was foreseen."""
    foreseen = await store.foresee_rows(rows, rows[0].import_id)
    items = await store.put_archive_rows(rows, rows[0].import_id)
    assert foreseen == items
    return [each.outcome for each in items]


async def known(store: RawStore) -> dict[int | str, str]:
    """Return who tells of what: activities and recordings."""
    return {each.file_id or each.activity_id: each.source.value for each in await store.match_facts(ANNA)}


# -- imports --------------------------------------------------------------------------------------------------------


async def test_an_import_comes_back_in_its_last_state(open_store: OpenStore, store: RawStore) -> None:
    """Each state takes the place of the earlier one; of one content the import that started last is found."""
    first = an_import(exported_at=EXPORTED, language="de", row_count=3, file_count=2, media_count=1, other_count=4)
    assert await store.put_import(first)
    ended = replace(first, status=ImportStatus.STOPPED, finished_at=NOON + timedelta(seconds=5), reason="stopped")
    assert await store.put_import(ended)
    later = an_import("i0", started_at=NOON + timedelta(hours=1))
    assert await store.put_import(later)
    other = an_import("i2", athlete_id=BEN, fingerprint="f2")
    assert await store.put_import(other)
    seen = open_store()
    assert await seen.imports(ANNA) == [later, ended]
    assert {each.import_id for each in await seen.imports()} == {"i0", "i1", "i2"}
    assert (await seen.last_import("f1"), await seen.last_import("f2")) == (later, other)
    assert await seen.last_import("f3") is None


async def test_an_import_makes_its_athlete_known_without_asking_strava(store: RawStore) -> None:
    """Who never connected is known by own files alone; who did stays connected, and connecting replaces it."""
    await store.put_athlete(athlete(BEN))
    await store.put_import(an_import())
    await store.put_import(an_import("i2", athlete_id=BEN))
    found = {each.athlete_id: (each.status, each.scope) for each in await store.athletes()}
    assert found == {ANNA: (AthleteStatus.ARCHIVE_ONLY, frozenset()), BEN: ("connected", athlete().scope)}
    await store.put_athlete(athlete())
    await store.put_import(an_import(status=ImportStatus.FINISHED))
    assert {each.status for each in await store.athletes()} == {"connected"}


async def test_nothing_is_stored_of_an_import_that_is_not_known(store: RawStore) -> None:
    """Rows and files come after their import."""
    assert await store.put_archive_rows([listed()], "i1") == []
    assert await store.put_files([recorded()], [item()]) == []
    assert (await known(store), await store.import_items("i1")) == ({}, [])


async def test_a_purge_ends_an_import_that_is_under_way(store: RawStore, clock: HandClock) -> None:
    """What it brings afterwards is left out, also once the athlete is back; a later import is taken."""
    await store.put_import(an_import())
    await store.put_archive_rows([listed()], "i1")
    await store.put_files([of_row()], [item()])
    clock.now = NOON + timedelta(minutes=1)
    removed = (await store.purge(ANNA)).removed
    counted = {name: removed[name] for name in ("archive_activities", "activity_files", "imports", "import_items")}
    assert counted == {"archive_activities": 1, "activity_files": 1, "imports": 1, "import_items": 2}
    assert not await store.put_import(an_import(status=ImportStatus.FINISHED))
    assert await store.put_files([of_row("bb")], [item("b")]) == []
    clock.now = NOON + timedelta(minutes=2)
    assert await store.put_import(an_import("i2", started_at=clock.now))
    assert not await store.put_import(an_import(status=ImportStatus.FINISHED))
    assert (await store.put_archive_rows([listed()], "i1"), await known(store)) == ([], {})
    assert await outcomes(store, listed(import_id="i2")) == ["new"]
    assert await store.row_count(ANNA) == 4


async def test_who_takes_back_the_access_keeps_own_files(store: RawStore, clock: HandClock) -> None:
    """What the API sent goes, with a receipt; the import goes on, and a late answer of the API stays out."""
    await store.put_athlete(athlete())
    await store.apply([shown(1), shown(2)])
    await store.put_import(an_import())
    await store.put_archive_rows([listed(1)], "i1")
    clock.now = NOON + timedelta(minutes=1)
    receipt = await store.purge(ANNA, keeps_own_files=True)
    assert (receipt.removed["strava_activities"], receipt.removed.keys() & {"imports", "strava_athletes"}) == (2, set())
    assert [(each.status, each.scope) for each in await store.athletes()] == [(AthleteStatus.ARCHIVE_ONLY, frozenset())]
    assert await store.purged_at(ANNA) is None
    clock.now = NOON + timedelta(minutes=2)
    await store.apply([shown(3)])
    assert await store.put_import(an_import(status=ImportStatus.FINISHED))
    await store.put_files([of_row()], [item()])
    assert await known(store) == {1: "archive", "aa/0": "file"}
    await store.put_athlete(athlete())
    await store.apply([shown(3), shown(4, at=clock.now)])
    assert await store.activity_ids(ANNA) == [4]


async def test_who_has_no_own_files_keeps_nothing(store: RawStore) -> None:
    """There is nothing that the athlete would have to be known for."""
    await store.put_athlete(athlete())
    assert (await store.purge(ANNA, keeps_own_files=True)).removed["strava_athletes"] == 1
    assert await store.athletes() == []


# -- rows of an export ----------------------------------------------------------------------------------------------


async def test_foreseen_rows_are_not_stored(store: RawStore) -> None:
    """Neither they nor their items; their import need not be known."""
    assert [each.outcome for each in await store.foresee_rows([listed(1)], "i1")] == ["new"]
    await store.put_import(an_import())
    before = await store.watermark()
    assert [each.outcome for each in await store.foresee_rows([listed(1), listed(2)], "i1")] == ["new", "new"]
    assert (await store.import_items("i1"), await known(store), await store.watermark()) == ([], {}, before)
    assert await store.foresee_rows([], "i1") == []


async def test_rows_are_new_once_and_then_untouched(store: RawStore) -> None:
    """The same export again changes nothing, neither rows nor the watermark of its table."""
    await store.put_import(an_import())
    items = await store.put_archive_rows([listed(1), listed(2)], "i1")
    assert [(each.item_id, each.outcome, each.twin) for each in items] == [
        ("i1/row/1", "new", None),
        ("i1/row/2", "new", None),
    ]
    assert await store.import_items("i1") == items
    before = (await store.watermark()).split(" ")
    await store.put_import(an_import("i2"))
    again = await store.put_archive_rows([listed(1, import_id="i2"), listed(2, import_id="i2")], "i2")
    assert [(each.outcome, each.matched_by, each.twin) for each in again] == [
        ("same_id", "same_id", "1"),
        ("same_id", "same_id", "2"),
    ]
    changed = {stamp.partition("=")[0] for stamp in set((await store.watermark()).split(" ")) - set(before)}
    assert "archive_activities" not in changed


# -- files ----------------------------------------------------------------------------------------------------------


async def test_files_come_with_their_items(open_store: OpenStore, store: RawStore) -> None:
    """Both are there after one call, and a file without a recording leaves its item alone."""
    await store.put_import(an_import())
    failed = item("activities/2.tcx.gz", outcome="failed", reason="not XML")
    read = item(activity_id=1, matched_by="row", twin="1")
    assert await store.put_files([of_row()], [read, failed]) == [read, failed]
    other = open_store()
    assert await other.import_items("i1") == [read, failed]
    assert await other.known_files(["aa", "a", "bb"]) == {"aa"}
    assert await other.known_files([]) == set()


async def test_what_is_compared_is_told(store: RawStore) -> None:
    """Of the API, of an export and of a file, as far as they began in the period; odd values are none."""
    await store.put_athlete(athlete())
    odd: Any = {"elapsed_time": "long", "distance": None, "sport_type": 7, "start_latlng": [], "upload_id": 77}
    await store.apply([shown(3, external_id="run.fit", **odd), shown(4, athlete_id=BEN)])
    await store.put_import(an_import())
    await store.put_archive_rows([listed(), listed(2, start_at=None)], "i1")
    await store.put_files([recorded()], [item()])
    facts = {each.file_id or each.activity_id: each for each in await store.match_facts(ANNA)}
    api, row, undated, file = facts[3], facts[1], facts[2], facts["aa/0"]
    assert (api.source, api.elapsed_time_s, api.distance_m, api.sport_type) == (FactSource.API, None, None, None)
    assert (api.start_at, api.first_point, api.upload_id, api.external_id) == (START, None, 77, "run.fit")
    assert (row.source, row.elapsed_time_s, row.distance_m, row.upload_id) == (FactSource.ARCHIVE, 1428, 3322.9, 501)
    assert (undated.start_at, row.start_at, row.sport_type) == (None, START, "Run")
    assert (file.source, file.activity_id, file.own_activity_id, file.name) == (FactSource.FILE, OWN, OWN, "run.fit")
    assert (file.first_point, file.elapsed_time_s, file.device_key) == ((52.5, 13.25), 1430, recorded().device_key)
    assert {each.athlete_id for each in facts.values()} == {ANNA}

    async def within(*hours: int) -> set[int | str]:
        period = [START + timedelta(hours=each) for each in hours]
        return {each.file_id or each.activity_id for each in await store.match_facts(ANNA, *period)}

    assert await within(-1, 1) == {1, 2, 3, "aa/0"}
    assert await within(0, 0) == {1, 2, 3, "aa/0"}
    assert await within(1, 2) == {2}


async def test_a_file_in_the_place_of_its_earlier_row_keeps_where_it_was(store: RawStore) -> None:
    """A row that names the file later takes it over; what it was an activity of before is rebuilt by that."""
    await store.put_import(an_import())
    await store.put_files([recorded()], [item("own.fit")])
    await store.put_files([of_row()], [item()])
    [fact] = await store.match_facts(ANNA)
    assert (fact.activity_id, fact.own_activity_id, fact.matched_by, fact.name) == (1, OWN, "row", "run.fit")


async def test_links_are_changed_and_told(store: RawStore) -> None:
    """A link moves a recording to an activity and back, with key and twin, or what it may be."""
    await store.put_import(an_import())
    await store.put_files([recorded(), recorded("bb", own_activity_id=OWN + 1, activity_id=OWN + 1)], [item()])
    before = await store.watermark()
    assert await store.relink([]) == 0
    assert await store.relink([Link(file_id="cc/0", activity_id=3)]) == 0
    assert await store.watermark() == before
    links = [
        Link(file_id="aa/0", activity_id=1, matched_by="alike", twin="1"),
        Link(file_id="bb/0", activity_id=OWN + 1, suspect="overlaps", suspect_twin="1"),
    ]
    assert await store.relink(links) == 2
    assert await store.watermark() != before
    one, other = sorted(await store.match_facts(ANNA), key=lambda each: str(each.file_id))
    assert (one.activity_id, one.matched_by, one.twin, one.suspect) == (1, "alike", "1", None)
    assert (other.activity_id, other.matched_by, other.suspect, other.suspect_twin) == (OWN + 1, None, "overlaps", "1")


async def test_a_clock_that_is_only_taken_changes_no_row(open_store: OpenStore, store: RawStore) -> None:
    """It is told as such, of rows and of recordings; the same export again is the same, and a newer row replaces it."""
    await store.put_import(an_import())
    await store.put_archive_rows([listed(1), listed(2)], "i1")
    told = json.dumps({"elapsed_time": 1430, "sources": {"total_elevation_gain": "device"}})
    await store.put_files([recorded(), recorded("bb", own_activity_id=OWN + 1, activity=told)], [item()])
    assert await store.put_home_times([]) == 0
    lima: dict[str, Any] = {"timezone": "(GMT-05:00) America/Lima", "utc_offset_s": -18000}
    times = [HomeTime(activity_id=1, **lima), HomeTime(activity_id=OWN, file_id="bb/0", **lima)]
    assert await store.put_home_times([*times, HomeTime(activity_id=9, **lima)]) == 2

    async def clocks() -> dict[int | str, tuple[str | None, int | None, str | None]]:
        facts = await open_store().match_facts(ANNA)
        return {
            each.file_id or each.activity_id: (each.timezone, each.utc_offset_s, each.utc_offset_source)
            for each in facts
        }

    taken, untold = (*lima.values(), "athlete"), (None, None, None)
    assert await clocks() == {1: taken, 2: untold, "aa/0": untold, "bb/0": taken}
    before = await store.watermark()
    assert await outcomes(store, listed(1), listed(2)) == ["new", "new"]  # whose items it has already
    assert await store.watermark() == before
    assert await outcomes(store, listed(1, name="Late", import_id="i1")) == ["updated"]
    assert (await clocks())[1] == untold


async def test_what_a_file_was_of_two_links_ago_counts_as_changed(store: RawStore) -> None:
    """It may have been built with the file, whose row tells of the last link alone; the first one touches nothing."""
    await store.put_athlete(athlete())
    await store.apply([shown(3), shown(4), shown(5)])
    await store.put_import(an_import())
    await store.put_archive_rows([listed(6)], "i1")
    await store.put_files([recorded()], [item()])

    async def link(activity_id: int) -> set[str]:
        before = set((await store.watermark()).split(" "))
        await store.relink([Link(file_id="aa/0", activity_id=activity_id, matched_by="alike", twin=str(activity_id))])
        return {stamp.partition("=")[0] for stamp in set((await store.watermark()).split(" ")) - before}

    files, activities, archived = "activity_files", "strava_activities", "archive_activities"
    assert [await link(each) & {files, activities, archived} for each in (3, 3)] == [{files}, {files}]
    assert await link(6) >= {files}  # the number of its own has no row of Strava's
    assert await link(4) & {files, activities, archived} == {files, activities}
    assert await link(5) & {files, activities, archived} == {files, archived}


# -- what has to be compared again ----------------------------------------------------------------------------------


async def unlinked(store: RawStore) -> list[str | None]:
    """Return the files that may have to be linked otherwise."""
    return [each.file_id for each in await store.unlinked_files()]


async def test_a_file_is_compared_again_once_something_comes_near(store: RawStore) -> None:
    """Not where something began on other days; the API and an export both count, and a link ends it."""
    assert await unlinked(store) == []
    await store.put_athlete(athlete())
    await store.put_import(an_import())
    far = recorded("bb", own_activity_id=OWN + 1, activity_id=OWN + 1, start_at=START + timedelta(days=9))
    await store.put_files([recorded(), far], [item()])
    assert await unlinked(store) == []
    await store.apply([shown(3)])
    assert await unlinked(store) == ["aa/0"]
    await store.put_archive_rows([listed(4, start_at=far.start_at)], "i1")
    assert await unlinked(store) == ["aa/0", "bb/0"]
    await store.relink([Link(file_id="aa/0", activity_id=3, matched_by="alike", twin="3")])
    assert await unlinked(store) == ["bb/0"]


async def test_a_file_whose_activity_went_is_compared_again(store: RawStore) -> None:
    """An own file outlives its activity at Strava, and the recording by which it found that."""
    await store.put_athlete(athlete())
    await store.apply([shown(3)])
    await store.put_import(an_import())
    follower = recorded("bb", own_activity_id=OWN + 1, activity_id=OWN, start_at=START + timedelta(days=9))
    await store.put_files([recorded(activity_id=3, matched_by="alike", twin="3"), follower], [item()])
    assert await unlinked(store) == []
    await store.apply([gone(3, at=NOON + timedelta(seconds=1))])
    assert await unlinked(store) == ["aa/0"]
    await store.relink([Link(file_id="bb/0", activity_id=OWN + 7)])
    assert await unlinked(store) == ["aa/0", "bb/0"]


# -- deletes --------------------------------------------------------------------------------------------------------


async def test_what_was_deleted_after_the_export_is_skipped(store: RawStore) -> None:
    """Row and file are left out and say so, in any order of events; a newer export brings the activity back."""
    await store.put_athlete(athlete())
    await store.apply([gone(1), gone(2, at=EXPORTED - timedelta(seconds=1))])
    await store.put_import(an_import())
    items = await store.put_archive_rows([listed(1), listed(2)], "i1")
    assert [(each.outcome, each.reason) for each in items] == [("skipped", DELETED_SINCE), ("new", None)]
    files = [of_row(), of_row("bb", 2), recorded("cc")]
    names = [item("a", activity_id=1), item("b", activity_id=2), item("c", activity_id=OWN)]
    told = await store.put_files(files, names)
    assert [(each.outcome, each.reason) for each in told] == [
        ("skipped", DELETED_SINCE),
        ("read", None),
        ("read", None),
    ]
    assert await known(store) == {2: "archive", "bb/0": "file", "cc/0": "file"}
    newer: Any = {"exported_at": NOON + timedelta(hours=1)}
    assert await outcomes(store, listed(1, **newer)) == ["new"]
    await store.put_files([of_row(**newer)], [item("d", activity_id=1)])
    assert {1, "aa/0"} <= (await known(store)).keys()


async def test_what_an_export_says_goes_with_a_later_delete(store: RawStore) -> None:
    """So do its recordings; the athlete's own file stays, and the same export brings nothing back."""
    await store.put_athlete(athlete())
    await store.put_import(an_import())
    await store.put_archive_rows([listed(1), listed(2)], "i1")
    alike: Any = {"activity_id": 1, "matched_by": "alike", "twin": "1"}
    late: dict[str, Any] = {"origin": "archive", "exported_at": NOON + timedelta(days=1)}
    files = [of_row(), recorded("bb", **alike), recorded("cc", **alike, **late), of_row("dd", 2)]
    await store.put_files(files, [item()])
    before = await store.watermark()
    await store.apply([gone(1)])
    assert await store.watermark() != before
    assert await known(store) == {2: "archive", "bb/0": "file", "cc/0": "file", "dd/0": "file"}
    assert (await store.file_only_count(ANNA), await store.archived_ids(ANNA)) == (2, {2})  # an own file is of 1
    assert await store.known_files(["aa", "bb", "cc", "dd"]) == {"bb", "cc", "dd"}
    assert await outcomes(store, listed(1), listed(2)) == ["skipped", "new"]
    assert [each.outcome for each in await store.put_files([of_row()], [item("a", activity_id=1)])] == ["skipped"]
    assert "aa/0" not in await known(store)


async def test_what_got_too_old_may_be_deleted_then(store: RawStore) -> None:
    """The archive follows, also one that is imported only afterwards."""
    await store.put_athlete(athlete())
    await store.apply([shown(1, at=EXPORTED), shown(2, at=EXPORTED)])
    await store.put_import(an_import())
    await store.put_archive_rows([listed(1)], "i1")
    await store.expire(observed_before=NOON, how_many=10)
    assert await store.reload_expired() == [ANNA]  # for 2, of which no export tells
    assert await store.apply([gone(1), gone(2)]) == [Applied.DELETED] * 2
    assert await store.apply([gone(1), gone(2)]) == [Applied.UNCHANGED] * 2
    assert await known(store) == {}
    assert await outcomes(store, listed(1), listed(2)) == ["skipped", "skipped"]
    assert await store.reload_expired() == []
