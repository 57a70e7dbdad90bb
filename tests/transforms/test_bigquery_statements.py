"""The statements of the BigQuery store, as Google's own SQL engine reads and executes them."""

import json
from typing import Any

import pytest
from zetasql.api import Analyzer
from zetasql.core.local_service import ZetaSqlLocalService

from backends.warehouse.activities import Observation, StoredActivity
from backends.warehouse.bigquery import changes
from backends.warehouse.bigquery.changes import FenceRows
from backends.warehouse.fence import Fence
from backends.warehouse.schema import PURGES, STRAVA_ACTIVITIES, STRAVA_ATHLETES
from tests.contracts.test_raw_store import ANNA, at, gone, payload, seen
from tests.transforms.bigquery import BigQueryDialect, start_engine, table
from tests.transforms.bigquery_statements import merged_rows, options_for, raw_catalog, statements

pytestmark = pytest.mark.slow
CHANGED = "What was read has changed since"


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> ZetaSqlLocalService:
    """Google's engine; what is compiled of it is kept from run to run."""
    start_engine(request.config.cache.mkdir("zetasql"))
    return ZetaSqlLocalService.get_instance()


def test_every_statement_is_bigquerys_sql(engine: ZetaSqlLocalService) -> None:
    """Names, types and parameters of each are right, with the tables as the schema states them."""
    catalog = raw_catalog()
    kinds = {
        name: type(Analyzer(options_for(sql), catalog, engine).analyze_statement(sql)).__name__
        for name, sql in statements().items()
    }
    assert kinds["put_activities"] == kinds["put_events_and_forget"] == "ResolvedMergeStmt"
    assert kinds["recent_events"] == "ResolvedQueryStmt"


def merged(
    observations: list[Observation], read: dict[int, StoredActivity], found: list[dict[str, Any]], *, receipts: int = 0
) -> list[dict[str, Any]]:
    """Return the rows that the merge would put, worked out on `read`, where `found` is stored by then."""
    outcomes = changes.decide(observations, read, {}, fence=Fence({}), now=at(60))
    fence_rows = FenceRows({ANNA: None}, {str(each): at(0) for each in range(receipts)})
    statement = changes.put_activities(outcomes, read, fence_rows.guard([ANNA]))
    assert statement is not None
    athlete = {**dict.fromkeys(STRAVA_ATHLETES.types), "athlete_id": ANNA, "status": "connected"}
    tables = {
        "strava_activities": table(
            [{**dict.fromkeys(STRAVA_ACTIVITIES.types), **row} for row in found], STRAVA_ACTIVITIES.types
        ),
        "strava_athletes": table([athlete], STRAVA_ATHLETES.types),
        "purges": table([], PURGES.types),
    }
    with BigQueryDialect({}).prepared(merged_rows(statement.sql, statement.bound, tables)) as query:
        content = query.execute().content.table_data
    return [json.loads(row.cell[0].string_value) for row in content.row] if content else []


@pytest.mark.usefixtures("engine")
def test_the_merge_puts_rows_only_while_they_are_what_was_read() -> None:
    """On Google's engine: a new row and one that is as it was are put; one that was changed, or a purge, stops all."""
    detail = payload(1, name="old")
    stored = StoredActivity(
        activity_id=1,
        athlete_id=ANNA,
        resource_state=3,
        observed_at=at(1),
        seen_alive_at=at(1),
        is_deleted=False,
        payload_hash=detail.payload_hash,
    )
    times = {"observed_at": at(1), "seen_alive_at": at(1)}
    row = {"activity_id": 1, "is_deleted": False, "payload_hash": detail.payload_hash, **times}
    history = [gone(5, 1), seen(payload(2), 2)]
    rows = merged(history, {1: stored}, [row])
    assert [(each["activity_id"], each["is_deleted"], each["is_change"]) for each in rows] == [
        (1, True, True),
        (2, False, True),
    ]
    [moved] = merged([seen(detail, 7)], {1: stored}, [row])
    assert (moved["is_change"], moved["observed_at"]) == (False, "2026-05-04T12:00:07Z")
    for found in ([], [{**row, "observed_at": at(2)}], [row, {**row, "activity_id": 2}]):
        with pytest.raises(Exception, match=CHANGED):
            merged(history, {1: stored}, found)
    with pytest.raises(Exception, match=CHANGED):
        merged(history, {1: stored}, [row], receipts=1)
