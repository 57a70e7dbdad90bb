"""The transformer and its watch, on a real warehouse, with a fake dbt."""

import asyncio
import errno
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event as ThreadEvent
from typing import Any

import pytest
from structlog.testing import capture_logs

from backends.athlete_file.sync import OwnFile
from backends.marks.file import FileMarks
from backends.sqlite import last_write
from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Observation, Source
from backends.warehouse.athletes import Athlete
from backends.warehouse.marts import MartMissing
from backends.warehouse.runs import TransformRun, TransformRuns, changed_tables
from backends.warehouse.sqlite.store import SqliteRawStore
from worker.dbt_runner.loop import PollPolicy, keep_fresh
from worker.dbt_runner.port import Build, Node
from worker.dbt_runner.single_flight import single_flight
from worker.dbt_runner.transformer import Transformer

ATHLETE = 4605555801
QUICK = PollPolicy(poll_s=0.001, debounce_s=0.005, first_rest_s=0.002, longest_rest_s=0.01, erase_after_s=0.05)
Rows = Callable[[str], list[dict[str, Any]]]


@dataclass
class FakeModels:
    """Builds nothing; fails as often as asked, and can be held in the middle of a build."""

    builds: list[tuple[bool, bool]] = field(default_factory=list)
    changed: list[set[str] | None] = field(default_factory=list)
    failures: int = 0
    is_killed: bool = False
    is_of_this_version: bool = True
    at_once: int = 0
    most_at_once: int = 0
    may_go_on: ThreadEvent = field(default_factory=ThreadEvent)

    def __post_init__(self) -> None:
        self.may_go_on.set()

    def is_built(self) -> bool:
        return self.is_of_this_version

    def build(self, *, full_refresh: bool, tests: bool, changed: Collection[str] | None = None) -> Build:
        self.changed.append(None if changed is None else set(changed))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.builds.append((full_refresh, tests))
        self.may_go_on.wait(30)
        self.at_once -= 1
        if self.is_killed:
            raise RuntimeError("killed")
        error = None
        if self.failures:
            self.failures -= 1
            error = "fct_activities: no such column"
        nodes = (Node(name="fct_activities", status="success", seconds=0.1),)
        return Build(nodes=nodes, is_full_refresh=full_refresh, error=error)

    def stale_sources(self) -> list[str]:
        return []


class FakeSnapshot:
    """A snapshot that does what the test says."""

    def __init__(
        self,
        publish: Callable[[], None],
        compact: Callable[[], None],
        separate: Callable[[], None],
        is_published: Callable[[], bool],
    ) -> None:
        self.publish = publish
        self.compact = compact
        self.separate = separate
        self.is_published = is_published

    def is_built(self) -> bool:
        return True

    def discard_if_damaged(self, error: str) -> bool:
        raise AssertionError(error)


@pytest.fixture
def models() -> FakeModels:
    """What is built."""
    return FakeModels()


@pytest.fixture
def make_transformer(
    store: SqliteRawStore, models: FakeModels, tmp_path: Path, clock: Any
) -> Callable[..., Transformer]:
    """Makes a transformer, as each process has one of its own."""
    mart_path, lock_path, marks_dir = (tmp_path / name for name in ("mart.duckdb", "transform.lock", "dbt"))

    def make(
        publish: Callable[[], None] = mart_path.touch,
        compact: Callable[[], None] = lambda: None,
        separate: Callable[[], None] = lambda: None,
        is_published: Callable[[], bool] = mart_path.exists,
        runs: TransformRuns = store,
        own_file: OwnFile | None = None,
        **more: Any,
    ) -> Transformer:
        return Transformer(
            runs,
            models,
            FakeSnapshot(publish, compact, separate, is_published),
            single_flight=partial(single_flight, lock_path),
            marks=FileMarks(marks_dir),
            own_file=own_file,
            clock=clock,
            **more,
        )

    return make


async def test_readers_are_given_their_file_before_the_builder_is_given_its_own(
    make_transformer: Callable[..., Transformer], models: FakeModels, tmp_path: Path
) -> None:
    """Nothing is copied before a run is published; what a killed run left is made good before anything is built."""
    done: list[tuple[str, int]] = []
    mart = tmp_path / "mart.duckdb"

    def note(what: str) -> None:
        done.append((what, len(models.builds)))
        if what == "publish":
            mart.touch()

    transformer = make_transformer(publish=partial(note, "publish"), separate=partial(note, "separate"))
    assert (await transformer.run()).is_published
    assert done[:3] == [("separate", 0), ("publish", 1), ("separate", 1)]


async def test_a_run_that_is_published_is_told_where_no_copy_can_be_made(
    make_transformer: Callable[..., Transformer],
) -> None:
    """The next run tells why nothing can be built."""
    room = iter([True])

    def separate() -> None:
        if not next(room, False):
            raise WarehouseBusy("No space left on device")

    transformer = make_transformer(separate=separate)
    assert (await transformer.run()).is_published
    with pytest.raises(WarehouseBusy, match="No space left"):
        await transformer.run()


async def test_recordings_are_linked_before_each_run_reads_raw(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, clock: Any
) -> None:
    """What that changes in raw is built by the same run, which leaves nothing stale."""
    before = await store.watermark()
    transformer = make_transformer(relink=partial(gone, store, clock))
    done = await transformer.run()
    assert before != done.run.watermark == await store.watermark()
    assert not await transformer.is_stale()


async def test_a_snapshot_that_cannot_be_read_is_published_again(
    make_transformer: Callable[..., Transformer], models: FakeModels
) -> None:
    """Marts that are level with raw but damaged count as none: the next look runs the transforms."""
    whole = [True]
    transformer = make_transformer(is_published=lambda: whole[0])
    await transformer.run()
    assert not await transformer.is_stale()
    whole[0] = False
    assert await transformer.is_stale()
    assert await transformer.run_if_stale() is not None
    assert len(models.builds) == 2


async def test_marts_of_another_version_are_built_at_once(
    make_transformer: Callable[..., Transformer], models: FakeModels
) -> None:
    """After an upgrade the pages ask for columns that the old marts lack: nothing waits for new data, or the hour."""
    transformer = make_transformer()
    await transformer.run()
    assert not await transformer.is_stale()
    models.is_of_this_version = False
    assert await transformer.run_if_stale() is not None
    models.is_of_this_version = True
    assert not await transformer.is_stale()


async def change(store: SqliteRawStore, clock: Any) -> None:
    """Move the watermark."""
    await store.put_athlete(
        Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=clock.now + timedelta(days=1))
    )
    clock.advance(60)


async def until_built(models: FakeModels, builds: int) -> None:
    """Let the loop go on until so many builds have begun."""
    async with asyncio.timeout(30):
        while len(models.builds) < builds:  # noqa: ASYNC110 - builds begin in a thread
            await asyncio.sleep(0.001)


async def until_level(transformer: Transformer) -> None:
    """Let the loop go on until the marts are level with raw."""
    async with asyncio.timeout(30):
        while await transformer.is_stale():  # noqa: ASYNC110 - what is asked is the file
            await asyncio.sleep(0.001)


async def test_a_run_is_published_and_written_down(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels
) -> None:
    """The run's row holds the watermark from before it began; afterwards nothing is behind."""
    transformer = make_transformer()
    watermark = await store.watermark()
    assert await transformer.is_stale()
    done = await transformer.run(full_refresh=True, tests=True)
    assert (models.builds, done.is_published, done.nodes[0].name) == ([(True, True)], True, "fct_activities")
    last = await store.last_run()
    assert last is not None
    assert (last, last.watermark, last.is_full_refresh) == (done.run, watermark, True)
    assert not await transformer.is_stale()
    assert await transformer.run_if_stale() is None


async def test_without_a_snapshot_it_is_behind(make_transformer: Callable[..., Transformer], tmp_path: Path) -> None:
    """A snapshot that was removed is built again even if nothing changed."""
    transformer = make_transformer()
    await transformer.run()
    (tmp_path / "mart.duckdb").unlink()
    assert await transformer.is_stale()


async def test_an_edited_file_of_the_athletes_makes_it_behind(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, tmp_path: Path, clock: Any
) -> None:
    """What the file says is in raw before the run, which is told of it; a run without an edit tells of nothing."""
    await change(store, clock)
    path = tmp_path / "athlete.toml"
    path.write_text("weight = 60")
    transformer = make_transformer(own_file=OwnFile(path, store))
    await transformer.run()
    assert not await transformer.is_stale()
    path.write_text("weight = 59.5")
    assert await transformer.is_stale()
    assert await transformer.run_if_stale() is not None
    assert models.changed == [None, {"athlete_files"}]
    assert not await transformer.is_stale()


@pytest.mark.parametrize(
    ("now", "is_stale"),
    [
        ("2026-05-01T12:59:59", False),
        ("2026-05-01T13:00:00", True),
        ("2026-05-02T00:00:00", True),
        ("2026-05-01T11:00:00", True),  # the clock was set back: the marts are of a day and an hour to come
    ],
)
async def test_a_new_hour_makes_it_behind(
    make_transformer: Callable[..., Transformer], clock: Any, now: str, is_stale: bool
) -> None:
    """Today's rows and the last 24 hours move on although raw does not: once every full hour, midnight among them."""
    transformer = make_transformer()
    await transformer.run()
    clock.now = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert await transformer.is_stale() == is_stale
    assert (await transformer.run_if_stale() is not None) == is_stale
    assert await transformer.is_stale() is False


async def test_a_refresh_is_told_which_tables_changed(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, clock: Any
) -> None:
    """Those that changed since the run before was given its watermark, also while it was under way."""
    transformer = make_transformer()
    await transformer.run()
    await change(store, clock)
    models.may_go_on.clear()
    refreshing = asyncio.create_task(transformer.run_if_stale())
    await until_built(models, 2)
    await gone(store, clock)
    models.may_go_on.set()
    await refreshing
    await transformer.run_if_stale()
    assert models.changed == [None, {"strava_athletes"}, {"strava_activities"}]


@pytest.mark.parametrize("fault", ["failed", "killed", "unpublished", "of another folder", "an hour ago", "lost"])
async def test_after_a_run_that_proves_nothing_everything_is_looked_at(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, clock: Any, fault: str
) -> None:
    """What was built may be ahead of the newest published run, or behind the clock; one whole run makes it known."""
    has_room, is_readable = [True], [True]

    def publish() -> None:
        if not has_room[0]:
            raise WarehouseBusy("the disk is full")

    transformer = make_transformer(publish, is_published=lambda: is_readable[0])
    await transformer.run()
    await change(store, clock)
    match fault:
        case "failed":
            models.failures = 1
            await transformer.run_if_stale()
        case "killed":
            models.is_killed = True
            with pytest.raises(RuntimeError):
                await transformer.run_if_stale()
            models.is_killed = False
        case "unpublished":
            has_room[0] = False
            await transformer.run_if_stale()
            has_room[0] = True
        case "of another folder":
            last = await store.last_run()
            assert last is not None
            await store.put_run(replace(last, run_id="of a backup"))
        case "an hour ago":
            clock.advance(3600)
        case "lost":
            is_readable[0] = False
    await transformer.run_if_stale()
    is_readable[0] = True
    await change(store, clock)
    await transformer.run_if_stale()
    assert models.changed[-2:] == [None, {"strava_athletes"}]


def test_watermarks_of_other_tables_tell_nothing() -> None:
    """One that an older version wrote, or before a table came, does not say what changed since."""
    assert changed_tables("a=1 b=None", "a=2 b=None") == frozenset("a")
    assert changed_tables("a=1 b=None", "a=1 b=None") == frozenset()
    assert changed_tables("2026-05-01 None", "a=1 b=None") is None
    assert changed_tables("a=1", "a=1 b=None") is None


async def test_a_failed_run_leaves_the_snapshot(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, clock: Any, rows: Rows
) -> None:
    """Nothing is published, the row holds the error, and the work is still to be done."""
    transformer = make_transformer()
    good = await transformer.run()
    await change(store, clock)
    models.failures = 1
    failed = await transformer.run()
    assert (failed.is_published, failed.run.error) == (False, "fct_activities: no such column")
    assert await store.last_run() == good.run
    assert await transformer.is_stale()
    assert [row["error"] for row in rows("select error from transform_runs order by started_at")] == [
        None,
        "fct_activities: no such column",
    ]


@pytest.mark.parametrize("error", [MartMissing("nothing was built"), WarehouseBusy("the disk is full")])
async def test_a_snapshot_that_cannot_be_published_is_a_failed_run(
    make_transformer: Callable[..., Transformer], error: Exception
) -> None:
    """The error of publishing is the run's error."""

    def publish() -> None:
        raise error

    done = await make_transformer(publish).run()
    assert (done.is_published, done.run.error) == (False, str(error))


async def test_a_purge_has_everything_built_anew_once(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, clock: Any
) -> None:
    """The run after a purge is a full refresh, the one after that is not."""
    transformer = make_transformer()
    await transformer.run()
    receipt = await store.purge(ATHLETE)
    clock.now = receipt.purged_at
    await transformer.run()
    clock.advance(1)
    await transformer.run()
    assert [everything for everything, _ in models.builds] == [False, True, False]


async def test_a_purge_is_noticed_by_a_clock_that_was_set_back(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, clock: Any
) -> None:
    """The last run began in what is the future by now; the purge has everything built from nothing, once."""
    transformer = make_transformer()
    clock.now = datetime.now(UTC) + timedelta(hours=2)
    await transformer.run()
    clock.advance(-7200)
    await store.purge(ATHLETE)
    await transformer.run()
    await transformer.run()
    assert [everything for everything, _ in models.builds] == [False, True, False]


async def test_a_purge_is_not_forgotten_by_a_run_that_failed(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels
) -> None:
    """Until a full refresh was published every run is one."""
    transformer = make_transformer()
    await transformer.run()
    await store.purge(ATHLETE)
    models.failures = 1
    for _ in range(3):
        await transformer.run()
    assert [everything for everything, _ in models.builds] == [False, True, True, False]


async def test_two_processes_never_run_at_once(
    make_transformer: Callable[..., Transformer], models: FakeModels
) -> None:
    """The second waits, and when it only wants to catch up it finds nothing left to do."""
    first, second, third = make_transformer(), make_transformer(), make_transformer()
    done = await asyncio.gather(first.run_if_stale(), second.run_if_stale(), third.run())
    assert models.most_at_once == 1
    assert sum(each is not None for each in done[:2]) <= 1
    assert len(models.builds) == 1 + sum(each is not None for each in done[:2])


async def test_the_watch_runs_at_once_and_after_each_change(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, clock: Any
) -> None:
    """An empty warehouse gets its first snapshot; a change gets one run; then it is quiet."""
    stop = asyncio.Event()
    transformer = make_transformer()
    watching = asyncio.create_task(keep_fresh(transformer, stop, QUICK))
    await until_built(models, 1)
    await change(store, clock)
    await until_built(models, 2)
    await until_level(transformer)
    stop.set()
    await watching
    assert len(models.builds) == 2


async def test_a_write_is_seen_before_it_is_time_to_look(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, clock: Any, tmp_path: Path
) -> None:
    """The database is asked once an hour here, and yet each change is run at once."""
    stop = asyncio.Event()
    transformer = make_transformer()
    policy = replace(QUICK, poll_s=3600, glance_s=0.001)
    watching = asyncio.create_task(
        keep_fresh(transformer, stop, policy, partial(last_write, tmp_path / "pipeline.sqlite"))
    )
    for count in range(1, 5):
        await until_built(models, count)
        await until_level(transformer)
        await change(store, clock)
    await until_built(models, 5)
    stop.set()
    await watching


async def test_writes_that_change_nothing_let_the_watch_rest(make_transformer: Callable[..., Transformer]) -> None:
    """A queue in the same file is written all the time: between two looks there is a pause in each case."""
    stop, looks = asyncio.Event(), iter(range(1_000_000))
    transformer = make_transformer()
    await transformer.run()
    policy = replace(QUICK, poll_s=3600, glance_s=3600)
    watching = asyncio.create_task(keep_fresh(transformer, stop, policy, lambda: next(looks)))
    await asyncio.sleep(0.2)
    stop.set()
    await watching
    assert next(looks) <= 2


async def test_changes_during_a_run_cost_one_more(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, clock: Any
) -> None:
    """Twenty changes while a run is under way are one run, which begins when that one ends."""
    stop = asyncio.Event()
    transformer = make_transformer()
    models.may_go_on.clear()
    watching = asyncio.create_task(keep_fresh(transformer, stop, replace(QUICK, poll_s=3600)))
    await until_built(models, 1)
    for _ in range(20):
        await change(store, clock)
    models.may_go_on.set()
    await until_built(models, 2)
    await until_level(transformer)
    stop.set()
    await watching
    assert len(models.builds) == 2


async def test_a_failed_run_is_tried_again(make_transformer: Callable[..., Transformer], models: FakeModels) -> None:
    """Three failures, then success, without anything having changed."""
    models.failures = 3
    stop = asyncio.Event()
    transformer = make_transformer()
    watching = asyncio.create_task(keep_fresh(transformer, stop, QUICK))
    await until_level(transformer)
    stop.set()
    await watching
    assert len(models.builds) == 4


def test_failures_rest_longer_and_longer() -> None:
    """1, 2, 4 … seconds, and never more than a minute: no busy loop."""
    assert [PollPolicy().rest_s(n) for n in (1, 2, 3, 7, 1000)] == [1, 2, 4, 60, 60]


def test_where_nothing_is_written_the_pause_grows() -> None:
    """Twenty glances a second while something happens and shortly after it, then four; never longer than a look."""
    assert [PollPolicy().pause_s(quiet_s) for quiet_s in (0, 9.9, 10, 3600)] == [0.05, 0.05, 0.25, 0.25]
    assert QUICK.pause_s(3600) == QUICK.poll_s


async def test_a_busy_warehouse_does_not_end_the_watch(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore
) -> None:
    """While the warehouse cannot be read the loop waits, and still stops when it is told to."""
    stop = asyncio.Event()
    await store.close()
    watching = asyncio.create_task(keep_fresh(make_transformer(), stop, QUICK))
    await asyncio.sleep(0)
    assert not watching.done()
    stop.set()
    await watching


async def gone(store: SqliteRawStore, clock: Any, activity_id: int = 1) -> None:
    """Leave the tombstone of an activity."""
    await store.apply(
        [Observation(activity_id=activity_id, athlete_id=ATHLETE, observed_at=clock.now, source=Source.WEBHOOK)]
    )


@dataclass
class Compactions:
    """Counts how often the files were rewritten; fails as often as asked."""

    count: int = 0
    failures: int = 0

    def __call__(self) -> None:
        if self.failures:
            self.failures -= 1
            raise WarehouseBusy("no space left on device")
        self.count += 1


async def test_the_files_are_rewritten_once_after_a_removal(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, clock: Any
) -> None:
    """A deletion and a purge each have them rewritten, by the first of several processes, and only then."""
    compactions = Compactions()
    transformer, other = make_transformer(compact=compactions), make_transformer(compact=compactions)
    await transformer.run_if_stale()
    assert (await transformer.erase(), compactions.count) == (True, 0)
    await gone(store, clock)
    assert all(await asyncio.gather(transformer.erase(), other.erase()))
    assert compactions.count == 1
    await store.purge(ATHLETE)
    assert all(await asyncio.gather(transformer.erase(), other.erase()))
    assert compactions.count == 2
    clock.advance(1)
    await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=clock.now))
    await gone(store, clock)
    await transformer.run()
    assert (await other.erase(), compactions.count) == (True, 3)


async def test_erasing_runs_the_models_first(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, clock: Any
) -> None:
    """Rows that are still in the tables would be copied, so a failed run leaves the erasure to be done."""
    compactions = Compactions()
    transformer = make_transformer(compact=compactions)
    await gone(store, clock)
    models.failures = 1
    assert (await transformer.erase(), compactions.count, len(models.builds)) == (False, 0, 1)
    assert (await transformer.erase(), compactions.count, len(models.builds)) == (True, 1, 2)


async def test_the_watch_erases_after_a_while(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, clock: Any
) -> None:
    """Several removals cost one rewriting, and one that fails is tried again."""
    compactions, stop = Compactions(failures=2), asyncio.Event()
    for activity_id in (1, 2, 3):
        await gone(store, clock, activity_id)
    transformer = make_transformer(compact=compactions)
    watching = asyncio.create_task(keep_fresh(transformer, stop, QUICK))
    async with asyncio.timeout(30):
        while not compactions.count:  # noqa: ASYNC110 - it happens in a thread
            await asyncio.sleep(0.001)
    await until_level(transformer)
    stop.set()
    await watching
    assert (compactions.count, compactions.failures) == (1, 0)


async def test_files_that_cannot_be_rewritten_delay_no_refresh(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, clock: Any
) -> None:
    """No room for the copy: the rewriting is tried again, and a change of raw is published without a rest."""
    compactions, stop = Compactions(failures=1_000_000), asyncio.Event()
    await gone(store, clock, 1)
    transformer = make_transformer(compact=compactions)
    policy = PollPolicy(poll_s=0.001, debounce_s=0.001, first_rest_s=3600, longest_rest_s=3600, erase_after_s=0.01)
    with capture_logs() as logs:
        watching = asyncio.create_task(keep_fresh(transformer, stop, policy))
        async with asyncio.timeout(30):
            while not any(line["event"] == "transform.erasing_failed" for line in logs):  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.001)
        await gone(store, clock, 2)
        await asyncio.wait_for(until_level(transformer), 30)
    stop.set()
    await watching
    assert compactions.count == 0


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), WarehouseBusy("database or disk is full")]
)
async def test_a_full_disk_does_not_end_the_watch(
    make_transformer: Callable[..., Transformer], store: SqliteRawStore, models: FakeModels, error: Exception
) -> None:
    """The lock, the run's row and the files may each meet it; once there is room the marts are level again."""
    stop = asyncio.Event()
    fates: list[Exception | None] = [error, error, None]

    class Full:
        """The store, whose disk is full at first."""

        async def put_run(self, run: TransformRun) -> None:
            if fate := fates.pop(0):
                raise fate
            await store.put_run(run)

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

    transformer = make_transformer(runs=Full())
    watching = asyncio.create_task(keep_fresh(transformer, stop, QUICK))
    await until_level(transformer)
    stop.set()
    await watching
    assert (fates, len(models.builds)) == ([], 3)


async def test_a_lock_that_cannot_be_made_does_not_end_the_watch(
    make_transformer: Callable[..., Transformer], tmp_path: Path
) -> None:
    """A folder in the way of the lock's file stands for a disk without room for it."""
    (tmp_path / "transform.lock").mkdir()
    transformer, stop = make_transformer(), asyncio.Event()
    with capture_logs() as logs:
        watching = asyncio.create_task(keep_fresh(transformer, stop, QUICK))
        async with asyncio.timeout(30):
            while not logs:  # noqa: ASYNC110 - a log can only be read
                await asyncio.sleep(0.001)
    (tmp_path / "transform.lock").rmdir()
    await until_level(transformer)
    stop.set()
    await watching
    assert logs[0]["event"] == "transform.waiting"


async def test_a_snapshot_without_a_run_is_behind(
    make_transformer: Callable[..., Transformer], models: FakeModels, tmp_path: Path
) -> None:
    """A snapshot of which no run tells, as in a folder whose raw was begun from nothing, is built again."""
    (tmp_path / "mart.duckdb").touch()
    transformer = make_transformer()
    assert await transformer.is_stale()
    await transformer.run()
    assert not await transformer.is_stale()
    assert models.builds == [(False, False)]
