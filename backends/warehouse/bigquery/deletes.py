"""Removes from BigQuery what exports say of activities that were deleted at Strava since."""

from collections.abc import Sequence

from backends.warehouse.bigquery.database import BigQueryDatabase
from backends.warehouse.bigquery.parameters import array
from backends.warehouse.bigquery.statements import within


class Deletes(BigQueryDatabase):
    """What follows a delete, and what is asked after rows were added just while one came."""

    async def _follow_deletes(self, activity_ids: Sequence[int]) -> None:
        """Remove what exports that were written before say of those of these activities that are deleted."""
        if not activity_ids or not self._archive_follows:
            return
        which = array("activity_ids", "int64", activity_ids)
        texts = {"ids": within(activity_ids), "kept_ids": within(activity_ids, "kept.activity_id")}
        await self._change("follow_delete_of_rows", which, **texts)
        if found := await self._read("deleted_files", which, ids=texts["ids"]):
            files = array("file_ids", "string", [row["file_id"] for row in found])
            own_ids = within([row["own_activity_id"] for row in found], "own_activity_id")
            await self._change("delete_files", files, own_ids=own_ids)
