"""Own files and their imports in BigQuery.

Rows come first and then the items that tell of them, so that a kill in between costs nothing: what has no item is put
once more. Changing a row costs all that its partitions hold, recordings are large, and most are new: so it is asked
first which are there, and their partitions alone are named.
https://cloud.google.com/bigquery/pricing#data-manipulation-language-dml
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from backends.warehouse import own_file_rows
from backends.warehouse.bigquery.athletes import Athletes
from backends.warehouse.bigquery.changes import follow_deletes
from backends.warehouse.bigquery.parameters import Parameter, array, int64s, scalar, timestamps
from backends.warehouse.bigquery.statements import SQL, Given, Statement, put_rows, within
from backends.warehouse.fence import Fence
from backends.warehouse.own_file_rows import HOME_TIME, LINK, Sight, decide_rows
from backends.warehouse.own_file_tables import ACTIVITY_FILES, ARCHIVE_ACTIVITIES, FIRST_OWN_ID, IMPORT_ITEMS, IMPORTS
from backends.warehouse.own_files import ArchivedActivity, FileRow, HomeTime, Import, ImportItem, Link, MatchFacts
from backends.warehouse.rows import Row, athlete_row, bound
from backends.warehouse.schema import STRAVA_ATHLETES
from backends.warehouse.table import Table

PLACE = {"place": "int64"}
_NOT_OF_FILES = {"elapsed_time_s", "file_id", "own_activity_id", "name", "device_key"} | (LINK.keys() - {"activity_id"})


def given_kinds(table: Table) -> dict[str, str]:
    """Return the columns of rows as they come with a statement: without the stamp, with their place in its order."""
    return {name: kind for name, kind in table.types.items() if name != "ingested_at"} | PLACE


def put_files_statement(own_ids: Collection[int]) -> str:
    """Return the merge of recordings; of these own ids there are rows already, and they are replaced."""
    if not own_ids:
        return put_rows(ACTIVITY_FILES, "files")
    moved = "if(kept.activity_id != given.activity_id, kept.activity_id, kept.previous_activity_id)"
    pruned = within(own_ids, "kept.own_activity_id")
    return put_rows(ACTIVITY_FILES, "files", pruned=pruned, changes={"previous_activity_id": moved})


def put_archive_rows_statement(activity_ids: Collection[int]) -> str:
    """Return the merge of rows of an export."""
    return put_rows(ARCHIVE_ACTIVITIES, "archived", pruned=within(activity_ids, "kept.activity_id"), changes={})


class ImportedFiles(Athletes):
    """Implements `OwnFiles`."""

    async def put_import(self, current: Import) -> bool:
        """Add it or put it in the place of its earlier state."""
        athlete_ids, row = [current.athlete_id], own_file_rows.import_row(current)
        if not await self._fenced(athlete_ids, lambda _, guard: self._make_known(current, guard)):
            return False

        async def put(fence: Fence, guard: Sequence[Parameter]) -> bool:
            is_held_back = fence.holds_back(current.athlete_id, current.started_at)
            if is_held_back and not await self._are_known({current.import_id}):  # a purge removes what it overtakes
                return False
            await self._put_guarded(IMPORTS, row, guard)
            return True

        return await self._fenced(athlete_ids, put)

    async def imports(self, athlete_id: int | None = None) -> list[Import]:
        """Return the imports, the one that started last first."""
        return await self._imports(athlete_id, None)

    async def last_import(self, fingerprint: str) -> Import | None:
        """Return the import of this content that started last."""
        found = await self._imports(None, fingerprint)
        return found[0] if found else None

    async def import_items(self, import_id: str) -> list[ImportItem]:
        """Return what became of an import's entries so far."""
        found = await self._read("import_items", scalar("import_id", "string", import_id))
        return [own_file_rows.item_of(row) for row in found]

    async def put_archive_rows(self, rows: Sequence[ArchivedActivity], import_id: str) -> list[ImportItem]:
        """Store rows of an import's list, and then their items."""
        ids = [each.activity_id for each in rows]

        async def put(_: Fence, guard: Sequence[Parameter]) -> list[ImportItem]:
            if not rows or not await self._are_known({import_id}):
                return []
            written, items = await self._decide_rows(rows, import_id)
            if written:
                stored = _placed([own_file_rows.archive_row(each, None) for each in written])
                given = Given("archived", given_kinds(ARCHIVE_ACTIVITIES), stored)
                await self._run(Statement("put_archive_rows", put_archive_rows_statement(ids), guard, given))
                await self._follow_deletes(ids)
            await self._put_items(items, guard)
            return items

        return await self._fenced({each.athlete_id for each in rows}, put)

    async def foresee_rows(self, rows: Sequence[ArchivedActivity], import_id: str) -> list[ImportItem]:
        """Return the items that `put_archive_rows` would store."""
        _, items = await self._decide_rows(rows, import_id)
        return items

    async def put_files(self, files: Sequence[FileRow], items: Sequence[ImportItem]) -> list[ImportItem]:
        """Store recordings of an import, and then the items."""

        async def put(_: Fence, guard: Sequence[Parameter]) -> list[ImportItem]:
            imports = {each.import_id for each in files} | {each.import_id for each in items}
            if not imports or not await self._are_known(imports):
                return []
            left = own_file_rows.left_out(files, await self._sights([each.activity_id for each in files]))
            kept = [each for each in files if each.activity_id not in left]
            if kept:
                await self._put_files(kept, guard)
            told = own_file_rows.skipped(items, left)
            await self._put_items(told, guard)
            return told

        athletes = {each.athlete_id for each in files} | {each.athlete_id for each in items}
        return await self._fenced(athletes, put)

    async def archived_ids(self, athlete_id: int) -> set[int]:
        """Return the activities that an export of the athlete tells of."""
        return {row["activity_id"] for row in await self._read("archived_ids", *int64s(athlete_id=athlete_id))}

    async def file_only_count(self, athlete_id: int) -> int:
        """Return how many activities own files alone tell of."""
        [row] = await self._read("file_only_count", *int64s(athlete_id=athlete_id))
        return int(row["activities"])

    async def known_files(self, sha256s: Collection[str]) -> set[str]:
        """Return those of which a recording is stored."""
        found = await self._read("known_files", array("sha256s", "string", sha256s)) if sha256s else []
        return {row["sha256"] for row in found}

    async def match_facts(
        self, athlete_id: int, since: datetime | None = None, until: datetime | None = None
    ) -> list[MatchFacts]:
        """Return the athlete's activities and recordings that began in the period."""
        which = [*int64s(athlete_id=athlete_id), *timestamps(since=since, until=until)]
        near = "true"
        if since is not None:
            near = within([row["activity_id"] for row in await self._read("activities_near", *which)])
        activities = await self._read("activity_facts", *which, ids=near)
        files = await self._read("file_facts", *which, array("file_ids", "string", []))
        return [own_file_rows.match_facts(dict.fromkeys(_NOT_OF_FILES) | row) for row in [*activities, *files]]

    async def unlinked_files(self) -> list[MatchFacts]:
        """Return the recordings that may have to be linked otherwise."""
        found = await self._read("unlinked_files", *int64s(first_own_id=FIRST_OWN_ID))
        if not found:
            return []
        ids = array("file_ids", "string", [row["file_id"] for row in found])
        files = await self._read("file_facts", *int64s(athlete_id=None), *timestamps(since=None, until=None), ids)
        return [own_file_rows.match_facts(row) for row in files]

    async def relink(self, links: Sequence[Link]) -> int:
        """Link recordings as is said."""
        own_ids = await self._own_ids({each.file_id: each.activity_id for each in links})
        if not own_ids:
            return 0
        given = Given("links", {**LINK, **PLACE}, _placed([own_file_rows.link_row(each) for each in links]))
        sql = SQL["relink"].format(kept_ids=within(own_ids, "kept.own_activity_id"))
        return await self._run(Statement("relink", sql, [], given))

    async def put_home_times(self, times: Sequence[HomeTime]) -> int:
        """Note the clocks of the athlete's usual zone."""
        rows = [each for each in times if each.file_id is None]
        files = [each for each in times if each.file_id is not None]
        own_ids = await self._own_ids({str(each.file_id): each.activity_id for each in files})
        changed = 0
        for name, some, kept_ids in (
            ("put_home_times_of_rows", rows, within([each.activity_id for each in rows], "kept.activity_id")),
            ("put_home_times_of_files", files, within(own_ids, "kept.own_activity_id")),
        ):
            if some:
                given = Given("times", {**HOME_TIME, **PLACE}, _placed(list(map(own_file_rows.home_time_row, some))))
                changed += await self._run(Statement(name, SQL[name].format(kept_ids=kept_ids), [], given))
        return changed

    async def _imports(self, athlete_id: int | None, fingerprint: str | None) -> list[Import]:
        which = [*int64s(athlete_id=athlete_id), scalar("fingerprint", "string", fingerprint)]
        return [own_file_rows.import_of(row) for row in await self._read("imports", *which)]

    async def _make_known(self, current: Import, guard: Sequence[Parameter]) -> bool:
        """Add an athlete who is not known; False where a purge came after the import had begun."""
        athlete_id = current.athlete_id
        if athlete_id in (self._fence_rows or await self._read_fence()).fenced_until:
            return True
        fenced_until = await self._fenced_until(athlete_id)
        if fenced_until is not None and current.started_at <= fenced_until:
            return False
        row = athlete_row(own_file_rows.own_athlete(current)) | {"fenced_until": fenced_until}
        await self._put_guarded(STRAVA_ATHLETES, row, guard, replaces=False)
        return True

    async def _are_known(self, import_ids: Collection[str]) -> bool:
        [row] = await self._read("known_imports", array("import_ids", "string", sorted(import_ids)))
        return bool(row["imports"] == len(import_ids))

    async def _decide_rows(
        self, rows: Sequence[ArchivedActivity], import_id: str
    ) -> tuple[list[ArchivedActivity], list[ImportItem]]:
        ids = [each.activity_id for each in rows]
        seen = await self._sights(ids)
        which = array("activity_ids", "int64", ids)
        found = await self._read("archive_contents", which, ids=within(ids)) if ids else []
        return decide_rows(rows, import_id, self._clock(), stored=own_file_rows.contents(found), seen=seen)

    async def _sights(self, activity_ids: Sequence[int]) -> dict[int, Sight]:
        if not activity_ids:
            return {}
        which = array("activity_ids", "int64", activity_ids)
        found = await self._read("archive_sights", which, ids=within(activity_ids))
        return own_file_rows.sights(found, archive_follows=self._archive_follows)

    async def _follow_deletes(self, activity_ids: Sequence[int]) -> None:
        """Remove what was put just while its activity was deleted."""
        if self._archive_follows:
            await self._run(follow_deletes(activity_ids))

    async def _put_files(self, files: Sequence[FileRow], guard: Sequence[Parameter]) -> None:
        own_ids = await self._own_ids({each.file_id: each.activity_id for each in files})
        given = {"is_deleted": False, "previous_activity_id": None, "ingested_at": None}
        written = _placed([bound(ACTIVITY_FILES, each, **given) for each in files])
        rows = Given("files", given_kinds(ACTIVITY_FILES), written)
        await self._run(Statement("put_files", put_files_statement(own_ids), guard, rows))
        if exported := [each.activity_id for each in files if each.exported_at is not None]:
            await self._follow_deletes(exported)

    async def _own_ids(self, moves: Mapping[str, int]) -> list[int]:
        """Return the own ids of the recordings that have a row, of those that are to be of these activities.

        What they were of before one that they leave may have been built with them, and no row tells of it any more: it
        counts as changed.
        """
        if not moves:
            return []
        found = await self._read("stored_files", array("file_ids", "string", list(moves)))
        left = {row["previous_activity_id"] for row in found if _moves_on(row, moves[row["file_id"]])}
        if left:
            texts = {"ids": within(left), "kept_ids": within(left, "kept.activity_id")}
            for name in ("touch_activities", "touch_archived"):
                await self._change(name, array("activity_ids", "int64", sorted(left)), **texts)
        return [row["own_activity_id"] for row in found]

    async def _put_items(self, items: Sequence[ImportItem], guard: Sequence[Parameter]) -> None:
        if items:
            given = Given("items", given_kinds(IMPORT_ITEMS), _placed(list(map(own_file_rows.item_row, items))))
            await self._run(Statement("put_import_items", put_rows(IMPORT_ITEMS, "items"), guard, given))


def _moves_on(row: Row, activity_id: int) -> bool:
    """Whether a recording leaves an activity which it was not always of."""
    before = row["previous_activity_id"]
    return not row["is_deleted"] and before is not None and activity_id not in {before, row["activity_id"]}


def _placed(rows: Sequence[Row]) -> list[Row]:
    return [{**row, "place": place} for place, row in enumerate(rows)]
