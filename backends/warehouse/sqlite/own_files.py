"""Own files and their imports in the pipeline's SQLite file."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from backends.warehouse import own_file_rows
from backends.warehouse.own_file_rows import Sight, decide_rows
from backends.warehouse.own_file_tables import ACTIVITY_FILES, ARCHIVE_ACTIVITIES, FIRST_OWN_ID, IMPORT_ITEMS, IMPORTS
from backends.warehouse.own_files import ArchivedActivity, FileRow, HomeTime, Import, ImportItem, Link, MatchFacts
from backends.warehouse.purge_receipts import CheckedReceipts
from backends.warehouse.rows import bound
from backends.warehouse.schema import STRAVA_ACTIVITIES
from backends.warehouse.sqlite.athletes import put_athlete
from backends.warehouse.sqlite.database import SQL, SqliteDatabase, named, put_statement
from backends.warehouse.sqlite.fence import fence_around, purges_of
from backends.warehouse.sqlite.transactions import STEP, Clock, next_stamp
from runtime.clock import utc_text

_PUT_IMPORT = put_statement(IMPORTS, replaces=True)
_PUT_ITEM = put_statement(IMPORT_ITEMS, replaces=False)
_PUT_ROW = put_statement(ARCHIVE_ACTIVITIES, replaces=True)
# What a recording was of two links ago is told by no row of the recording any more.
_TOUCHES = [
    f"update {table.name} set ingested_at = :ingested_at where {column} = :activity_id"  # noqa: S608 - our own names
    for table, column in (
        (STRAVA_ACTIVITIES, "activity_id"), (ARCHIVE_ACTIVITIES, "activity_id"), (ACTIVITY_FILES, "own_activity_id"),
    )
]  # fmt: skip
_IS_STORED = "select 1 from imports where import_id = ?"


class ImportedFiles(SqliteDatabase):
    """Implements `OwnFiles`."""

    async def put_import(self, current: Import) -> bool:
        """Add it or put it in the place of its earlier state."""
        return await self._write_fenced(
            lambda connection: _put_import(connection, current, self._receipts, self._clock)
        )

    async def imports(self, athlete_id: int | None = None) -> list[Import]:
        """Return the imports, the one that started last first."""
        return [
            own_file_rows.import_of(row) for row in await self._read("imports", athlete_id=athlete_id, fingerprint=None)
        ]

    async def last_import(self, fingerprint: str) -> Import | None:
        """Return the import of this content that started last."""
        found = await self._read("imports", athlete_id=None, fingerprint=fingerprint)
        return own_file_rows.import_of(found[0]) if found else None

    async def import_items(self, import_id: str) -> list[ImportItem]:
        """Return what became of an import's entries so far."""
        return [own_file_rows.item_of(row) for row in await self._read("import_items", import_id=import_id)]

    async def put_archive_rows(self, rows: Sequence[ArchivedActivity], import_id: str) -> list[ImportItem]:
        """Store rows of an import's list together with their items."""
        follows, clock = self._archive_follows, self._clock
        return await self._write(
            lambda connection: _put_archive_rows(connection, rows, import_id, clock, archive_follows=follows)
        )

    async def foresee_rows(self, rows: Sequence[ArchivedActivity], import_id: str) -> list[ImportItem]:
        """Return the items that `put_archive_rows` would store."""
        follows, now = self._archive_follows, self._clock()
        _, items = await self._in_reader(
            lambda connection: _decide_rows(connection, rows, import_id, now, archive_follows=follows)
        )
        return items

    async def put_files(self, files: Sequence[FileRow], items: Sequence[ImportItem]) -> list[ImportItem]:
        """Store recordings of an import with their items."""
        follows, clock = self._archive_follows, self._clock
        return await self._write(
            lambda connection: _put_files(connection, files, items, clock, archive_follows=follows)
        )

    async def archived_ids(self, athlete_id: int) -> set[int]:
        """Return the activities that an export of the athlete tells of."""
        return {row[0] for row in await self._read("archived_ids", athlete_id=athlete_id)}

    async def file_only_count(self, athlete_id: int) -> int:
        """Return how many activities own files alone tell of."""
        [(count,)] = await self._read("file_only_count", athlete_id=athlete_id)
        return int(count)

    async def known_files(self, sha256s: Collection[str]) -> set[str]:
        """Return those of which a recording is stored."""
        return {row[0] for row in await self._read("known_files", sha256s=json.dumps(list(sha256s)))}

    async def match_facts(
        self, athlete_id: int, since: datetime | None = None, until: datetime | None = None
    ) -> list[MatchFacts]:
        """Return the athlete's activities and recordings that began in the period."""
        period = {"since": since and utc_text(since), "until": utc_text(until) if until else "9999"}
        return [
            own_file_rows.match_facts(row) for row in await self._read("match_facts", athlete_id=athlete_id, **period)
        ]

    async def unlinked_files(self) -> list[MatchFacts]:
        """Return the recordings that may have to be linked otherwise."""
        found = await self._read("unlinked_files", first_own_id=FIRST_OWN_ID)
        return [own_file_rows.match_facts(row) for row in found]

    async def relink(self, links: Sequence[Link]) -> int:
        """Link recordings as is said."""
        return await self._write(lambda connection: _relink(connection, links, self._clock)) if links else 0

    async def put_home_times(self, times: Sequence[HomeTime]) -> int:
        """Note the clocks of the athlete's usual zone."""
        return await self._write(lambda connection: _put_home_times(connection, times, self._clock)) if times else 0


def _put_import(connection: sqlite3.Connection, current: Import, receipts: CheckedReceipts, clock: Clock) -> bool:
    athlete_id = current.athlete_id
    if connection.execute(_IS_STORED, (current.import_id,)).fetchone() is not None:  # a purge removes what it overtakes
        connection.execute(_PUT_IMPORT, own_file_rows.import_row(current))
        return True
    if connection.execute(SQL["fenced_until"], {"athlete_id": athlete_id}).fetchone() is None:
        purged_at = purges_of(connection, [athlete_id], receipts).get(athlete_id)
        if purged_at is not None and current.started_at <= min(purged_at, clock()):
            return False
        put_athlete(connection, own_file_rows.own_athlete(current), receipts, clock)
    elif fence_around(connection, [athlete_id], receipts, clock()).holds_back(athlete_id, current.started_at):
        return False
    connection.execute(_PUT_IMPORT, own_file_rows.import_row(current))
    return True


def _put_archive_rows(
    connection: sqlite3.Connection,
    rows: Sequence[ArchivedActivity],
    import_id: str,
    clock: Clock,
    *,
    archive_follows: bool,
) -> list[ImportItem]:
    if connection.execute(_IS_STORED, (import_id,)).fetchone() is None:
        return []
    stamp = next_stamp(connection, clock)
    written, items = _decide_rows(connection, rows, import_id, clock(), archive_follows=archive_follows)
    stamped = [own_file_rows.archive_row(each, stamp + place * STEP) for place, each in enumerate(written)]
    connection.executemany(_PUT_ROW, stamped)
    connection.executemany(_PUT_ITEM, map(own_file_rows.item_row, items))
    return items


def _decide_rows(
    connection: sqlite3.Connection,
    rows: Sequence[ArchivedActivity],
    import_id: str,
    now: datetime,
    *,
    archive_follows: bool,
) -> tuple[list[ArchivedActivity], list[ImportItem]]:
    ids = {"activity_ids": json.dumps([each.activity_id for each in rows])}
    seen = _sights(connection, ids, archive_follows=archive_follows)
    stored = own_file_rows.contents(list(named(connection.execute(SQL["archive_contents"], ids))))
    return decide_rows(rows, import_id, now, stored=stored, seen=seen)


def _put_files(
    connection: sqlite3.Connection,
    files: Sequence[FileRow],
    items: Sequence[ImportItem],
    clock: Clock,
    *,
    archive_follows: bool,
) -> list[ImportItem]:
    imports = {each.import_id for each in files} | {each.import_id for each in items}
    if any(connection.execute(_IS_STORED, (each,)).fetchone() is None for each in imports):
        return []
    ids = {"activity_ids": json.dumps([each.activity_id for each in files])}
    seen = _sights(connection, ids, archive_follows=archive_follows)
    left = own_file_rows.left_out(files, seen)
    kept = [each for each in files if each.activity_id not in left]
    _touch_left(connection, [(each.file_id, each.activity_id) for each in kept], clock)
    stamp = next_stamp(connection, clock)
    given = {"is_deleted": False, "previous_activity_id": None}
    written = [
        bound(ACTIVITY_FILES, each, ingested_at=stamp + place * STEP, **given) for place, each in enumerate(kept)
    ]
    connection.executemany(SQL["put_file"], written)
    told = own_file_rows.skipped(items, left)
    connection.executemany(_PUT_ITEM, map(own_file_rows.item_row, told))
    return told


def _sights(connection: sqlite3.Connection, ids: Mapping[str, str], *, archive_follows: bool) -> dict[int, Sight]:
    found = list(named(connection.execute(SQL["archive_sights"], ids)))
    return own_file_rows.sights(found, archive_follows=archive_follows)


def _relink(connection: sqlite3.Connection, links: Sequence[Link], clock: Clock) -> int:
    _touch_left(connection, [(each.file_id, each.activity_id) for each in links], clock)
    stamp = next_stamp(connection, clock)
    changed = 0
    for each in links:
        row = own_file_rows.link_row(each) | {"ingested_at": utc_text(stamp + changed * STEP)}
        changed += connection.execute(SQL["relink_file"], row).rowcount
    return changed


def _touch_left(connection: sqlite3.Connection, moves: Iterable[tuple[str, int]], clock: Clock) -> None:
    """Let what recordings were of before count as changed where they move on: it may have been built with them."""
    for file_id, activity_id in moves:
        for (left,) in connection.execute(
            SQL["moved_twice"], {"file_id": file_id, "activity_id": activity_id}
        ).fetchall():
            stamp = utc_text(next_stamp(connection, clock))
            for touch in _TOUCHES:
                connection.execute(touch, {"activity_id": left, "ingested_at": stamp})


def _put_home_times(connection: sqlite3.Connection, times: Iterable[HomeTime], clock: Clock) -> int:
    stamp = next_stamp(connection, clock)
    changed = 0
    for each in times:
        row = own_file_rows.home_time_row(each) | {"ingested_at": utc_text(stamp + changed * STEP)}
        name = "put_home_time_of_row" if each.file_id is None else "put_home_time_of_file"
        changed += connection.execute(SQL[name], row).rowcount
    return changed
