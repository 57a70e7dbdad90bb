"""Runs imports, one at a time on a machine, each from an opened archive to a finished report."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from filelock import FileLock, Timeout

from backends.engine import is_on_gcp
from backends.engine.pipeline import open_shared_marks, opened_store
from backends.marks.lease import LeaseHeld, LeasePolicy, leased
from backends.warehouse import RawStore, WarehouseBusy
from backends.warehouse.own_files import Import, ImportItem, ItemKind, RowOutcome
from runtime.data_dir import make_private
from runtime.settings import SharedSettings
from strava.archive.archive import Archive, open_archive
from strava.archive.bag import open_recordings
from worker.importing.choice import Choice
from worker.importing.home import HomeZone
from worker.importing.kept_files import KeptFiles
from worker.importing.matching import Match
from worker.importing.outcomes import FileOutcome
from worker.importing.owner import owner_of
from worker.importing.pipeline import ArchiveImport, Means, Progress
from worker.importing.stored import own_activity_id

LOCK = "import.lock"
_NOT_READ = frozenset({RowOutcome.UNREADABLE, FileOutcome.FAILED})


class AnotherImport(WarehouseBusy):
    """Another import is at work, and two at once could store a row twice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a person asks for. `home_zone` counts where no activity tells any."""

    home_zone: ZoneInfo
    choice: Choice = field(default_factory=Choice)
    athlete_id: int | None = None
    resume: str | None = None
    keeps_files: bool = True
    jobs: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """An import that came to its end, with all its items.

    `links` are the matches of recordings, by the number that each would have as an activity of its own. `home_zones`
    are the zones of activities of which nothing tells one, by their numbers. `unlisted` are the activities of earlier
    exports that this one, the newest, does not list any more.
    """

    current: Import
    items: Sequence[ImportItem]
    links: Mapping[int, Match]
    home_zones: Mapping[int, HomeZone]
    unlisted: int = 0

    @property
    def left_out(self) -> int:
        """How many rows and files were not wanted, and so have no item."""
        told = sum(item.kind != ItemKind.PROBLEM for item in self.items)
        return self.current.row_count + self.current.file_count - told

    @property
    def is_empty(self) -> bool:
        """Whether no activity and no file of the archive was wanted, or could be read as one."""
        return all(item.kind is ItemKind.PROBLEM or item.outcome == RowOutcome.UNREADABLE for item in self.items)

    @property
    def was_read(self) -> bool | None:
        """Whether all could be read, as `was_read` tells."""
        of_items = Counter(item.outcome in _NOT_READ for item in self.items if item.kind != ItemKind.PROBLEM)
        return was_read(of_items[False], of_items[True], self.left_out)


def was_read(read: int, failed: int, left_out: int) -> bool | None:
    """Tell whether all rows and files could be read; None where there were some, all were wanted and none could."""
    return None if failed and not read and not left_out else not failed


def opened(paths: Sequence[Path]) -> Archive:
    """Open what belongs together. Raises UnreadableArchive."""
    return open_archive(paths[0]) if len(paths) == 1 else open_recordings(paths)


def name_of(paths: Sequence[Path]) -> str:
    """Return what an archive is called, without folders."""
    return paths[0].absolute().name if len(paths) == 1 else f"{len(paths):,} files"


@asynccontextmanager
async def importing(settings: SharedSettings) -> AsyncIterator[RawStore]:
    """Open the store while no other import runs here or in the project. Raises WarehouseBusy, OSError."""
    make_private(settings.data_dir)
    try:
        lock = FileLock(settings.data_dir / LOCK, fallback_to_soft=False).acquire(timeout=0)
    except Timeout as error:
        raise AnotherImport(f"Another import is at work in {settings.data_dir}; wait until it has ended.") from error
    with lock:
        async with opened_store(settings) as store, _alone(settings):
            yield store


@asynccontextmanager
async def _alone(settings: SharedSettings) -> AsyncIterator[None]:
    """Hold the right to import on Google Cloud, where two at once could store a row twice. Raises AnotherImport."""
    async with AsyncExitStack() as held:
        if is_on_gcp(settings):
            try:
                await held.enter_async_context(leased(open_shared_marks(settings), "import", LeasePolicy()))
            except LeaseHeld as error:
                raise AnotherImport("Another import is at work on Google Cloud; wait until it has ended.") from error
        yield


async def import_archive(  # noqa: PLR0913 - what is imported, and by keyword how
    archive: Archive,
    name: str,
    wish: Wish,
    *,
    store: RawStore,
    settings: SharedSettings,
    after_rows: Callable[[], Awaitable[object]] | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Imported:
    """Import an archive. Raises NotSure, OtherArchive, PurgedMeanwhile, WarehouseBusy, OSError."""
    known = [each.athlete_id for each in await store.athletes()]
    keeps = wish.keeps_files and not is_on_gcp(settings)  # there the folder goes with its container
    run = ArchiveImport(
        store=store,
        archive=archive,
        source=name,
        athlete_id=owner_of(archive, given=wish.athlete_id, known=known),
        choice=wish.choice,
        means=Means(jobs=wish.jobs, keep=KeptFiles(settings.files_path) if keeps else None),
        home_zone=wish.home_zone,
        resume=wish.resume,
        tell=tell,
        after_rows=after_rows,
    )
    current = await run.run()
    items = await store.import_items(current.import_id)
    links = {own_activity_id(file_id): found for file_id, found in run.matches.items()}
    unlisted = await _unlisted(archive, current, store) if wish.choice == Choice() else 0
    return Imported(current=current, items=items, links=links, home_zones=run.home_zones, unlisted=unlisted)


async def foresee_rows(archive: Archive, wish: Wish, *, store: RawStore | None) -> Mapping[int, str]:
    """Return what an import would make of the wanted rows, by activity; without a store they are new.

    Raises NotSure, WarehouseBusy, OSError.
    """
    known = [each.athlete_id for each in await store.athletes()] if store else []
    athlete_id = owner_of(archive, given=wish.athlete_id, known=known)
    if store is None:
        return {row.activity_id: RowOutcome.NEW for row in archive.rows}
    run = ArchiveImport(
        store=store,
        archive=archive,
        source="",
        athlete_id=athlete_id,
        choice=wish.choice,
        means=Means(jobs=wish.jobs),
        home_zone=wish.home_zone,
    )
    return {each.activity_id: each.outcome for each in await run.foresee_rows() if each.activity_id is not None}


async def _unlisted(archive: Archive, current: Import, store: RawStore) -> int:
    """Count what exports told of before and the newest does not; 0 for one that is not the newest."""
    at = current.exported_at
    others = [each.exported_at for each in await store.imports(current.athlete_id) if each.exported_at]
    if archive.activities is None or at is None or at < max(others):
        return 0
    return len(await store.archived_ids(current.athlete_id) - {row.activity_id for row in archive.rows})
