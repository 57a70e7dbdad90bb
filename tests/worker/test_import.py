"""An import in process, on SQLite: killed anywhere it goes on and comes to the same end, and twice changes nothing."""

import asyncio
import gzip
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.warehouse.activities import Observation, Source
from backends.warehouse.own_files import ImportItem, ImportStatus, ItemKind
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.clock import utc_now
from simulator.export.columns import Version, layout_of
from simulator.export.languages import Language
from simulator.export.rows import header
from strava.archive.archive import Archive
from strava.payload import ActivityPayload
from tests.strava.exports import cells_of, csv_of, opened, zip_of
from tests.strava.fit_writer import CYCLING, RUNNING, START_AT, SWIMMING, Session, activity, course
from worker.importing.choice import Choice
from worker.importing.kept_files import KeptFiles
from worker.importing.outcomes import FileOutcome, FileResult, ReadFile
from worker.importing.pipeline import ArchiveImport, Means, OtherArchive
from worker.importing.reader import Request, hash_of, read_file
from worker.importing.readers import IsStored, Wanted
from worker.importing.relink import relink_open

ATHLETE = 4242
FIRST = datetime(2022, 5, 29, 6, tzinfo=UTC)
LAYOUT = layout_of(Version.SEPTEMBER_2026)


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass
class Process:
    """A process that is killed at one of its writes, before or after it is durable; None lives to its end."""

    store: SqliteRawStore
    killed_at: int | None = None
    is_after: bool = False
    writes: int = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)
        return self._mortal(method) if name.startswith("put_") or name == "relink" else method

    def _mortal(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def write(*arguments: Any) -> Any:
            self.writes += 1
            if self.killed_at is None or self.writes < self.killed_at:
                return await method(*arguments)
            if self.writes == self.killed_at and self.is_after:
                await method(*arguments)
            raise Killed

        return write


@dataclass
class InProcess:
    """Reads files in this process, in an order of its own."""

    chance: random.Random = field(default_factory=lambda: random.Random(1))

    async def __call__(
        self,
        archive: Archive,
        wanted: Iterable[Wanted],
        *,
        jobs: int,
        tell: Callable[[ReadFile], Awaitable[None]],
        is_stored: IsStored | None = None,
        has_data: bool = False,
    ) -> None:
        """Read the files and tell each as it comes."""
        assert (jobs, has_data) == (1, True)
        files = list(wanted)
        for each in self.chance.sample(files, len(files)):
            content = archive.read(each.name)
            sha256 = hash_of(content)
            if sha256 and is_stored and is_stored(each, sha256):
                result = FileResult(name=each.name, outcome=FileOutcome.SAME_FILE, sha256=sha256)
                await tell(ReadFile(result=result, content=content))
                continue
            request = Request(
                name=each.name, size=len(content), has_row=each.activity_id is not None, start=each.start,
                elapsed=each.elapsed, has_data=True,
            )  # fmt: skip
            result, sessions = read_file(request, content, sha256)
            await tell(ReadFile(result=result, content=content, sessions=sessions))


def track(start: datetime, *, metres: int = 200) -> bytes:
    """Return a GPX file of a minute."""
    points = "".join(
        f'<trkpt lat="52.0" lon="{13 + part * metres / 68_500:.6f}"><time>'
        f"{start + timedelta(seconds=60 * part):%Y-%m-%dT%H:%M:%SZ}</time></trkpt>"
        for part in (0, 1)
    )
    return f'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'.encode()


def export(count: int = 12, broken: int = 2, bare: int = 2, distance: str = "200.0") -> bytes:
    """Return an export: of its activities some have a broken file, some none."""
    rows, files = [], {}
    for number in range(count):
        start = FIRST + timedelta(days=number)
        name = f"activities/{900 + number}.gpx.gz" if number >= bare else ""
        if name:
            files[name] = gzip.compress(b"broken" if number < bare + broken else track(start))
        shown = {"id": str(100 + number), "date": f"{start:%b %d, %Y, %I:%M:%S %p}", "type": "Run", "file": name}
        rows.append(cells_of(LAYOUT, {"Elapsed Time": "60.0", "Distance": distance}, **shown, elapsed="60"))
    return zip_of({"activities.csv": csv_of([header(LAYOUT, Language.EN_US), *rows]), **files, "media/1.jpg": b"x"})


async def imported(archive: Archive, store: Any, **more: Any) -> ArchiveImport:
    """Import an archive and return the import."""
    run = an_import(archive, store, **more)
    await run.run()
    return run


def an_import(archive: Archive, store: Any, *, reader: InProcess | None = None, **more: Any) -> ArchiveImport:
    """Return an import that has not begun."""
    athlete_id = more.pop("athlete_id", ATHLETE)
    rows, files = more.pop("at_once", (5, 3))
    means = Means(
        jobs=1, rows_at_once=rows, files_at_once=files, read=reader or InProcess(), keep=more.pop("keep", None)
    )
    return ArchiveImport(
        store=store, archive=archive, source="export.zip", athlete_id=athlete_id, choice=more.pop("choice", Choice()),
        means=means, home_zone=more.pop("home_zone", ZoneInfo("UTC")), **more,
    )  # fmt: skip


async def left_out(store: SqliteRawStore) -> int:
    """Return how many rows and files of the newest import have no item."""
    newest = (await store.imports())[0]
    told = await store.import_items(newest.import_id)
    return newest.row_count + newest.file_count - sum(each.kind is not ItemKind.PROBLEM for each in told)


async def items_of(store: SqliteRawStore) -> list[ImportItem]:
    """Return the items of the newest import."""
    return await store.import_items((await store.imports())[0].import_id)


def told(items: Iterable[ImportItem]) -> Counter[tuple[str, str]]:
    """Count kinds and outcomes."""
    return Counter((str(item.kind), item.outcome) for item in items)


async def stored(store: SqliteRawStore) -> list[tuple[Any, ...]]:
    """Return what is known of the athlete's activities and files, without when."""
    facts = await store.match_facts(ATHLETE)
    return sorted((each.source, each.activity_id, each.file_id or "", each.matched_by, each.start_at) for each in facts)


def of_the_api(activity_id: int, start: datetime, *, elapsed_s: int, distance_m: float) -> Observation:
    """Return what the API tells of a run."""
    fields = {
        "id": activity_id, "athlete": {"id": ATHLETE}, "name": "x", "sport_type": "Run", "elapsed_time": elapsed_s,
        "distance": distance_m, "start_date": f"{start:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip
    return Observation(
        activity_id=activity_id,
        athlete_id=ATHLETE,
        observed_at=utc_now(),
        source=Source.WEBHOOK,
        activity=ActivityPayload.from_json(fields),
    )


WHOLE = {("row", "new"): 12, ("file", "read"): 8, ("file", "failed"): 2}


@pytest.mark.slow
@given(
    kills=st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=4),
    seed=st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
def test_killed_anywhere_and_begun_again_it_comes_to_the_same_end(
    kills: list[tuple[int, bool]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each row and file has one outcome, in one import, in each order in which the files are read."""
    asyncio.run(live_through(kills, seed, tmp_path_factory.mktemp("import")))


async def live_through(kills: list[tuple[int, bool]], seed: int, folder: Path) -> None:
    """Import with these kills, and look at the end."""
    store = SqliteRawStore(folder / "pipeline.sqlite")
    reader = InProcess(random.Random(seed))
    with opened(folder / "export.zip", export()) as archive:
        for at, is_after in kills:
            try:
                await imported(archive, Process(store, at, is_after), reader=reader)
            except Killed:
                continue
        ended = [each.status for each in await store.imports()]
        if ImportStatus.FINISHED not in ended:
            await imported(archive, Process(store), reader=reader)
    first = (await store.imports())[-1]
    assert told(await store.import_items(first.import_id)) == WHOLE
    assert (first.row_count, first.file_count, first.status) == (12, 10, ImportStatus.FINISHED)
    facts = await stored(store)
    assert [each[1] for each in facts if each[0] == "archive"] == list(range(100, 112))
    assert [(each[1], each[3]) for each in facts if each[0] == "file"] == [(id_, "row") for id_ in range(104, 112)]
    clocks = {each.activity_id: each.utc_offset_s for each in await store.match_facts(ATHLETE) if not each.file_id}
    assert [clocks[each] for each in range(100, 104)] == [7200] * 4  # which have no recording
    await store.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteRawStore]:
    """An empty warehouse."""
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    yield store
    await store.close()


def stamps(folder: Path) -> list[tuple[Any, ...]]:
    """Return when each row of the athlete's own files last changed."""
    with closing(sqlite3.connect(folder / "pipeline.sqlite")) as connection:
        rows = connection.execute("select activity_id, ingested_at from archive_activities order by 1").fetchall()
        return [*rows, *connection.execute("select file_id, ingested_at from activity_files order by 1")]


async def test_a_second_import_changes_nothing(tmp_path: Path, store: SqliteRawStore) -> None:
    """All rows and files are known, what failed fails again, and no row of theirs is written."""
    content, keep = export(), KeptFiles(tmp_path / "files")
    with opened(tmp_path / "export.zip", content) as archive:
        await imported(archive, store, keep=keep)
        before = stamps(tmp_path)
        await imported(archive, store, keep=keep)
    assert told(await items_of(store)) == {("row", "same_id"): 12, ("file", "same_file"): 8, ("file", "failed"): 2}
    assert stamps(tmp_path) == before
    assert len(before) == 20
    kept = list((tmp_path / "files").rglob("*.gz"))
    assert sorted(gzip.decompress(each.read_bytes()) for each in kept) == sorted(
        track(FIRST + timedelta(days=number)) for number in range(4, 12)
    )


def test_a_file_may_be_kept_several_times_at_once(tmp_path: Path) -> None:
    """The file of a triathlon comes once with each of its activities, and two processes read them side by side."""
    keep, content = KeptFiles(tmp_path), gzip.compress(bytes(10), 0) + bytes(2**24)
    with ThreadPoolExecutor(4) as threads:
        kept = [threads.submit(keep.keep, "ab" * 32, content) for _ in range(4)]
    assert [each.result() for each in kept] == [None] * 4
    assert [each.name for each in (tmp_path / "ab").iterdir()] == [f"{'ab' * 32}.gz"]


async def test_stopped_it_says_so_and_goes_on(tmp_path: Path, store: SqliteRawStore) -> None:
    """By its name as well; an import of another archive cannot go on with it, nor can one that has ended."""
    stops = asyncio.Event()

    async def stop() -> None:
        stops.set()
        await asyncio.sleep(60)

    with opened(tmp_path / "export.zip", export()) as archive:
        task = asyncio.create_task(imported(archive, store, after_rows=stop))
        await stops.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        [stopped] = await store.imports()
        assert (stopped.status, told(await items_of(store))) == (ImportStatus.STOPPED, {("row", "new"): 12})
        with opened(tmp_path / "other.zip", export(count=5)) as other, pytest.raises(OtherArchive):
            await imported(other, store, resume=stopped.import_id)
        await imported(archive, store, resume=stopped.import_id)
        [ended] = await store.imports()
        assert (ended.import_id, ended.status, told(await items_of(store))) == (
            stopped.import_id,
            ImportStatus.FINISHED,
            WHOLE,
        )
        with pytest.raises(OtherArchive, match="was imported to its end"):
            await imported(archive, store, resume=stopped.import_id)
        assert await store.imports() == [ended]


async def test_what_stays_as_it_is_is_compared_once(tmp_path: Path) -> None:
    """Another activity came near the file later: it is compared with that, and not before each refresh from then on."""
    now = utc_now()
    store = SqliteRawStore(tmp_path / "pipeline.sqlite", clock=lambda: now)
    with opened(tmp_path / "watch.zip", zip_of({"watch.gpx": track(FIRST)})) as archive:
        await imported(archive, store)
    now += timedelta(seconds=2)
    await store.apply([of_the_api(7, FIRST + timedelta(hours=3), elapsed_s=6000, distance_m=200.0)])
    now += timedelta(seconds=2)
    assert [each.name for each in await store.unlinked_files()] == ["watch.gpx"]
    assert await relink_open(store) == 0
    assert await store.unlinked_files() == []
    await store.close()


@pytest.mark.slow
async def test_a_thousand_rows_killed_on_the_way(tmp_path: Path, store: SqliteRawStore) -> None:
    """As many as an export has, in the sizes in which they are stored: all of it once, and then nothing."""
    at_once: Any = {"at_once": (500, 32)}
    with opened(tmp_path / "export.zip", export(count=1000, broken=3, bare=10)) as archive:
        for killed_at in (2, 4, 9, 20):
            with pytest.raises(Killed):
                await imported(archive, Process(store, killed_at, is_after=killed_at % 2 == 0), **at_once)
        await imported(archive, store, **at_once)
        [done] = await store.imports()
        first = told(await store.import_items(done.import_id))
        assert first == {("row", "new"): 1000, ("file", "read"): 987, ("file", "failed"): 3}
        assert first.total() == done.row_count + done.file_count == 1990
        before = stamps(tmp_path)
        await imported(archive, store, **at_once)
    again = {("row", "same_id"): 1000, ("file", "same_file"): 987, ("file", "failed"): 3}
    assert (told(await items_of(store)), stamps(tmp_path) == before, len(before)) == (again, True, 1987)


async def test_rows_are_foreseen_of_the_import_that_goes_on(tmp_path: Path, store: SqliteRawStore) -> None:
    """Those that it changed before it was killed are as changed as the others; at its end they are known."""
    with opened(tmp_path / "earlier.zip", export()) as archive:
        await imported(archive, store)
    with opened(tmp_path / "export.zip", export(distance="201.0")) as archive:
        with pytest.raises(Killed):
            await imported(archive, Process(store, killed_at=2, is_after=True))
        assert told(await items_of(store)) == {("row", "updated"): 5}
        foreseen = await an_import(archive, store).foresee_rows()
        assert told(foreseen) == {("row", "updated"): 12}
        assert told(await items_of(store)) == {("row", "updated"): 5}
        await imported(archive, store)
        assert {each.item_id: each.outcome for each in foreseen} == {
            each.item_id: each.outcome for each in await items_of(store) if each.kind is ItemKind.ROW
        }
        assert told(await an_import(archive, store).foresee_rows()) == {("row", "same_id"): 12}


async def test_only_what_is_wanted_is_imported(tmp_path: Path, store: SqliteRawStore) -> None:
    """By start and sport; the rest is counted, and comes with the next import."""
    with opened(tmp_path / "export.zip", export()) as archive:
        await imported(archive, store, choice=Choice(since=FIRST + timedelta(days=10), only=frozenset({"run"})))
        assert await left_out(store) == 10 + 8
        assert told(await items_of(store)) == {("row", "new"): 2, ("file", "read"): 2}
        await imported(archive, store, choice=Choice(only=frozenset({"ride"})))
        assert await left_out(store) == 22
        await imported(archive, store)
        assert told(await items_of(store)) == {
            ("row", "same_id"): 2, ("row", "new"): 10, ("file", "same_file"): 2, ("file", "read"): 6,
            ("file", "failed"): 2,
        }  # fmt: skip


async def test_a_triathlon_of_three_rows_is_three_activities(tmp_path: Path, store: SqliteRawStore) -> None:
    """Strava puts the whole file in for each row; each takes the session that began with it."""
    sessions, start = [], 0
    for sport, seconds in ((SWIMMING, 600), (CYCLING, 1200), (RUNNING, 900)):
        sessions.append(Session(points=course(seconds, start_s=start), sport=sport, start_s=start, elapsed_s=seconds))
        start += seconds
    file, rows = activity(sessions).file(), []
    for number, each in enumerate(sessions):
        at = f"{START_AT + timedelta(seconds=each.start_s):%b %d, %Y, %I:%M:%S %p}"
        named = {"id": str(100 + number), "date": at, "type": "Workout", "file": f"activities/{number}.fit"}
        rows.append(cells_of(LAYOUT, {}, **named, elapsed=f"{each.elapsed_s:.0f}"))
    files = {f"activities/{number}.fit": file for number in range(3)}
    content = zip_of({"activities.csv": csv_of([header(LAYOUT, Language.EN_US), *rows]), **files})
    with opened(tmp_path / "export.zip", content) as archive:
        await imported(archive, store)
        await imported(archive, store)
    found = [each for each in await store.match_facts(ATHLETE) if each.file_id]
    assert sorted((each.activity_id, str(each.file_id)[64:], each.sport_type) for each in found) == [
        (100, "/0/4242", "Swim"), (101, "/1/4242", "Ride"), (102, "/2/4242", "Run"),
    ]  # fmt: skip
    assert told(await items_of(store)) == {("row", "same_id"): 3, ("file", "same_file"): 3}


async def test_a_file_of_several_sessions_is_stored_whole(tmp_path: Path, store: SqliteRawStore) -> None:
    """One sport of it is wanted: the others come too, for the file counts as stored from then on."""
    sessions = [
        Session(points=course(600), sport=SWIMMING, elapsed_s=600),
        Session(points=course(900, start_s=600), sport=RUNNING, start_s=600, elapsed_s=900),
    ]
    with opened(tmp_path / "files.zip", zip_of({"both.fit": activity(sessions).file()})) as archive:
        await imported(archive, store, choice=Choice(only=frozenset({"ride"})))
        assert (await left_out(store), await stored(store)) == (1, [])
        await imported(archive, store, choice=Choice(only=frozenset({"run"})))
    assert sorted(str(each.sport_type) for each in await store.match_facts(ATHLETE)) == ["Run", "Swim"]


async def test_a_copy_of_a_file_that_cannot_be_read_fails_too(tmp_path: Path, store: SqliteRawStore) -> None:
    """Nothing of the first is stored, so the second is not a file that was stored before."""
    with opened(tmp_path / "files.zip", zip_of({"a.gpx": b"broken", "b.gpx": b"broken"})) as archive:
        await imported(archive, store)
    assert told(await items_of(store)) == {("file", "failed"): 2}


async def test_two_athletes_may_have_the_same_file(tmp_path: Path, store: SqliteRawStore) -> None:
    """They rode together, or are an old account and a new one: each has an activity of it."""
    with opened(tmp_path / "files.zip", zip_of({"tandem.gpx": track(FIRST)})) as archive:
        await imported(archive, store)
        await imported(archive, store, athlete_id=ATHLETE + 1)
    mine, theirs = [await store.match_facts(each) for each in (ATHLETE, ATHLETE + 1)]
    assert len(mine) == len(theirs) == 1
    assert mine[0].activity_id != theirs[0].activity_id


async def test_a_crop_since_the_last_export_cuts_the_stored_recording(tmp_path: Path, store: SqliteRawStore) -> None:
    """The file is the same, and its row shorter."""
    file = activity([Session(points=course(900), elapsed_s=899, distance_m=2697)]).file()
    for elapsed in ("899", "300"):
        row = cells_of(
            LAYOUT, {"Elapsed Time": f"{elapsed}.0"}, id="100", date=f"{START_AT:%b %d, %Y, %I:%M:%S %p}", type="Run",
            file="activities/9.fit", elapsed=elapsed,
        )  # fmt: skip
        content = zip_of({
            "activities.csv": csv_of([header(LAYOUT, Language.EN_US), row]), "activities/9.fit": file
        })  # fmt: skip
        with opened(tmp_path / f"export_{elapsed}.zip", content) as archive:
            await imported(archive, store)
        [found] = [each for each in await store.match_facts(ATHLETE) if each.file_id]
        assert (found.activity_id, found.elapsed_time_s) == (100, int(elapsed))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 2, 0), (2, 0, 3, 1), (1, 2, 3, 0)])
async def test_a_watch_s_own_file_joins_its_activity_in_any_order(
    order: tuple[int, ...], tmp_path: Path, store: SqliteRawStore
) -> None:
    """An export's copy without heart rate, the watch's own, one of another device, and the API, all of one activity."""
    copies = [course(900), course(900), course(898, start_s=2)]
    for point in copies[0]:
        point[4] = None
    own = [activity([Session(points=each, start_s=int(each[0][0] or 0), elapsed_s=len(each))], serial=serial).file()
           for each, serial in zip(copies, (1, 1, 2), strict=True)]  # fmt: skip
    row = cells_of(
        LAYOUT, {}, id="100", date=f"{START_AT:%b %d, %Y, %I:%M:%S %p}", type="Run", file="activities/9.fit",
        elapsed="900",
    )  # fmt: skip
    arrivals = [
        zip_of({"activities.csv": csv_of([header(LAYOUT, Language.EN_US), row]), "activities/9.fit": own[0]}),
        zip_of({"watch.fit": own[1]}),
        zip_of({"phone.fit": own[2]}),
    ]
    for each in order:
        if each == len(arrivals):
            await store.apply([of_the_api(100, START_AT, elapsed_s=900, distance_m=2697.0)])
        else:
            with opened(tmp_path / f"{each}.zip", arrivals[each]) as archive:
                await imported(archive, store)
        await relink_open(store)
    found = sorted(
        (each.name, each.activity_id, each.matched_by) for each in await store.match_facts(ATHLETE) if each.file_id
    )
    assert found == [("9.fit", 100, "row"), ("phone.fit", 100, "alike"), ("watch.fit", 100, "same_recording")]
    assert not await store.unlinked_files()
