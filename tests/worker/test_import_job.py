"""The import job: the bucket's folder is emptied as the inbox of one machine is, and a job that was cut off goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from backends.bucket import BucketUnavailable
from backends.bucket.cloud_storage import PIECE, CloudStorageBucket
from backends.warehouse.own_files import ImportStatus
from backends.warehouse.sqlite.store import SqliteRawStore
from simulator.export.columns import Version, layout_of
from simulator.export.languages import Language
from simulator.export.rows import header
from strava.archive.container import MIB
from tests.cloud_storage_server import CloudStorage, running_cloud_storage
from tests.strava.exports import cells_of, csv_of, zip_of
from worker.import_job import import_all
from worker.importing.bucket_inbox import BucketInbox
from worker.job import JobEnd
from worker.settings import ImportSettings

TRACK = (
    b'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
    b'<trkpt lat="51.0" lon="10.0"><time>2022-05-29T15:53:35Z</time></trkpt>'
    b'<trkpt lat="51.0" lon="10.001"><time>2022-05-29T15:53:55Z</time></trkpt>'
    b"</trkseg></trk></gpx>"
)


class Start:
    """Counts how often the marts' job was to be started."""

    count = 0

    async def if_due(self) -> bool:
        self.count += 1
        return True


class Job:
    """The job on a store of this machine and a bucket that speaks Cloud Storage's protocol."""

    def __init__(self, storage: CloudStorage, store: SqliteRawStore, data_dir: Path) -> None:
        self.storage, self.store, self.start = storage, store, Start()
        self.settings = ImportSettings(data_dir=data_dir)
        self.bucket = CloudStorageBucket("my-inbox/inbox", project="my-project", endpoint=storage.endpoint)

    async def run(self, stop: asyncio.Event | None = None) -> JobEnd:
        """Run it once."""
        stop = stop or asyncio.Event()
        return await import_all(self.settings, self.bucket, self.store, self.start, stop)  # type: ignore[arg-type]

    def report(self, name: str) -> str:
        """Return a report, and see that its file is beside it."""
        assert f"inbox/{name}" in self.storage.objects
        return self.storage.objects[f"inbox/{name}.txt"].content.decode()


@pytest.fixture(scope="module")
def served() -> Iterator[CloudStorage]:
    """The server."""
    with running_cloud_storage() as storage:
        yield storage


@pytest.fixture
async def job(served: CloudStorage, tmp_path: Path) -> AsyncIterator[Job]:
    """A job with an empty bucket."""
    served.objects.clear()
    served.fault, served.sent = (lambda _call, _name: 0), 0
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    yield Job(served, store, tmp_path)
    await store.close()


def export(*names: str, photo: int = 1) -> bytes:
    """Return an export whose rows name these recordings, of one run each a day later."""
    layout = layout_of(Version.SEPTEMBER_2026)
    rows = [
        cells_of(layout, {}, id=str(100 + place), date=f"{10 + place}.05.2022, 15:53:35", type="Lauf", file=name)
        for place, name in enumerate(names)
    ]
    tracks = {name: TRACK.replace(b"05-29", f"05-{10 + place}".encode()) for place, name in enumerate(names)}
    listed = {"activities.csv": csv_of([header(layout, Language.DE), *rows])}
    return zip_of({**listed, "media/1.jpg": Random(7).randbytes(photo), **tracks})


@pytest.mark.slow
async def test_the_folder_is_emptied_and_each_file_has_its_report(job: Job) -> None:
    """As on one machine: done, failed, left alone; photos are not fetched; a second run finds nothing, or the same."""
    content = {
        "export_42.zip": export("activities/1.gpx", photo=9 * PIECE), "run.gpx": TRACK, "bad.fit": b"x",
        "lost.zip": b"PK\x05\x06", "notes.txt": b"no recording", ".hidden.fit": b"x", "half.zip": b"x",
        "half.zip.part": b"x", "empty.fit": b"",
    }  # fmt: skip
    for name, each in content.items():
        job.storage.put(f"inbox/{name}", each)
    assert await job.run() is JobEnd.DONE
    left = {".hidden.fit", "half.zip", "half.zip.part", "empty.fit"}
    assert {file.name for file in job.bucket.files()} == left
    assert "1 row: 1 new" in job.report("done/export_42.zip")
    assert job.report("done/run.gpx") == "run.gpx: read\n"
    assert job.report("failed/bad.fit") == "bad.fit: failed: not a FIT, TCX or GPX file\n"
    assert "notes.txt: not a FIT, TCX or GPX file" in job.report("failed/notes.txt")
    assert "lost.zip is damaged" in job.report("failed/lost.zip")
    assert job.storage.sent < 8 * PIECE
    assert job.start.count == 4  # in each import that could be opened, and at the end
    assert await job.run() is JobEnd.DONE
    job.storage.put("inbox/export_42.zip", content["export_42.zip"])
    assert await job.run() is JobEnd.DONE
    assert "1 row: 1 known before\n1 file: 1 stored before" in job.report("done/export_42-2.zip")


@pytest.mark.slow
async def test_cut_off_it_goes_on(job: Job) -> None:
    """Where the bucket stops answering in the midst of an export, and where the job is told to end."""
    names = [f"activities/{number}.gpx" for number in range(1, 5)]
    job.storage.put("inbox/export_42.zip", export(*names, photo=9 * PIECE))
    job.storage.fault = lambda call, _: 403 if call == "media" and job.start.count else 0  # once the list is stored
    with pytest.raises(BucketUnavailable, match="Storage Object User"):
        await job.run()
    [broken] = await job.store.imports(42)
    assert (broken.status, [file.name for file in job.bucket.files()]) == (ImportStatus.FAILED, ["export_42.zip"])
    job.storage.fault = lambda _call, _name: 0
    stop = asyncio.Event()
    stop.set()
    assert await job.run(stop) is JobEnd.CUT_SHORT
    assert [file.name for file in job.bucket.files()] == ["export_42.zip"]
    assert await job.run() is JobEnd.DONE
    assert "4 rows: 4 new\n4 files: 4 read" in job.report("done/export_42.zip")
    [whole] = await job.store.imports(42)
    assert (whole.import_id, whole.status) == (broken.import_id, ImportStatus.FINISHED)


async def test_what_does_not_fit_is_not_fetched(job: Job) -> None:
    """A file that no recording is as large as goes to failed, and a name that no name is."""
    job.storage.put("inbox/huge.fit", bytes(64 * MIB + 1))
    job.storage.put("inbox/a\nb.gpx", TRACK)
    inbox = BucketInbox(job.bucket)
    with inbox.opened(["huge.fit", "a\nb.gpx"]) as archive:
        assert list(archive.files) == ["huge.fit"]
        with pytest.raises(Exception, match="has more than 64 MiB"):
            archive.read("huge.fit")
        assert len(archive.problems) == 1
    for name in ("huge.fit", "a\nb.gpx"):
        with pytest.raises(Exception, match=r"64 MiB|no name has"), inbox.opened([name]) as archive:
            archive.read(name)
    assert job.storage.sent <= 2 * PIECE
