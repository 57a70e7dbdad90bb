"""Payloads that got too old, in BigQuery: they go, and what is still at Strava is asked for again."""

from collections.abc import Sequence
from datetime import datetime

from backends.warehouse import rows
from backends.warehouse.activities import Expired
from backends.warehouse.athletes import ASKED_FOR
from backends.warehouse.bigquery import changes
from backends.warehouse.bigquery.athletes import Athletes
from backends.warehouse.bigquery.parameters import Parameter, array, scalar
from backends.warehouse.bigquery.statements import within
from backends.warehouse.retention import LAST, WHOLE_ROWS, reloading, removal
from backends.warehouse.schema import RETENTION_RUNS

REMOVALS = {f"expire_{table.name}": removal(table, "@") for table in WHOLE_ROWS}


class Retention(Athletes):
    """Implements `Retention`, and what `Athletes` does."""

    async def expire(self, *, observed_before: datetime, how_many: int) -> Expired:
        """Remove `how_many` at most of what was last seen at Strava before the moment.

        A kill in between leaves the rest for the next time: a row counts as expired only by its own statement.
        """
        before = scalar("observed_before", "timestamp", observed_before)
        activities = await self._expire_activities(before, how_many)
        others = await self._expire_streams(before, how_many - activities)
        for name, sql in REMOVALS.items():
            if left := how_many - activities - others:
                others += await self._execute(name, sql, before, _limit(left))
        if activities or others:
            await self._put(RETENTION_RUNS, {"retention": LAST})
        return Expired(activities=activities, others=others)

    async def reload_expired(self) -> list[int]:
        """Ask for the whole history of each athlete whose payloads expired since it was.

        The request comes last, for by it an athlete is not found again.
        """
        found = await self._read("expired_athletes", array("asked_for", "string", sorted(ASKED_FOR)))
        known = {each.athlete_id: each for each in await self.backfills()} if found else {}
        for row in found:
            # Not before what expired, also after the clock was set back, or it would be asked for again and again.
            now = max(self._clock(), datetime.fromisoformat(row["expired_at"]))
            await self._list_again(reloading(known.get(row["athlete_id"]), row["athlete_id"], now))
        return [row["athlete_id"] for row in found]

    async def _expire_activities(self, before: Parameter, how_many: int) -> int:
        ids = await self._old_ids("expired_activities", before, how_many)
        if not ids:
            return 0
        expired = await self._change_of("expire_activities", ids, before)
        self._forget()
        await self._run(changes.drop_streams(ids))
        return expired

    async def _expire_streams(self, before: Parameter, how_many: int) -> int:
        """Empty streams that are older than their activities, which count as changed first."""
        ids = await self._old_ids("expired_streams", before, how_many) if how_many else []
        if not ids:
            return 0
        await self._change_of("touch_activities", ids)
        return await self._change_of("expire_streams", ids, before)

    async def _old_ids(self, name: str, before: Parameter, how_many: int) -> list[int]:
        found: list[rows.Row] = await self._read(name, before, _limit(how_many))
        return [row["activity_id"] for row in found]

    async def _change_of(self, name: str, ids: Sequence[int], *parameters: Parameter) -> int:
        texts = {"ids": within(ids), "kept_ids": within(ids, "kept.activity_id")}
        return await self._change(name, array("activity_ids", "int64", ids), *parameters, **texts)


def _limit(how_many: int) -> Parameter:
    return scalar("how_many", "int64", how_many)
