"""A whole import, and recordings that are linked when Strava's activity comes later, on every engine."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from backends.warehouse import RawStore
from tests.strava.exports import opened, zip_of
from tests.worker.test_import import ATHLETE, FIRST, export, imported, of_the_api, told, track
from worker.importing.relink import relink_open


async def test_an_export_and_a_later_activity(store: RawStore, tmp_path: Path) -> None:
    """Rows, files and a watch's own recording, which joins Strava's activity when the API tells of it."""
    with opened(tmp_path / "export.zip", export(count=4, broken=1, bare=1)) as archive:
        await imported(archive, store)
        await imported(archive, store)
    items = await store.import_items((await store.imports())[0].import_id)
    assert told(items) == {("row", "same_id"): 4, ("file", "same_file"): 2, ("file", "failed"): 1}
    start = FIRST - timedelta(days=30)
    with opened(tmp_path / "watch.zip", zip_of({"watch.gpx": track(start)})) as archive:
        await imported(archive, store)
    [own] = [each for each in await store.match_facts(ATHLETE) if each.name == "watch.gpx"]
    assert own.activity_id == own.own_activity_id
    assert await relink_open(store) == 0
    await store.apply([of_the_api(77, start + timedelta(seconds=30), elapsed_s=60, distance_m=200.0)])
    assert await relink_open(store) == 1
    with opened(tmp_path / "phone.zip", zip_of({"phone.gpx": track(start, metres=210)})) as archive:
        await imported(archive, store)
    [phone] = await store.import_items((await store.imports())[0].import_id)
    assert (phone.activity_id, phone.matched_by, phone.twin) == (77, "alike", "77")
    files = Counter((each.activity_id, each.matched_by) for each in await store.match_facts(ATHLETE) if each.file_id)
    assert files == {(102, "row"): 1, (103, "row"): 1, (77, "alike"): 2}
    assert await relink_open(store) == 0
