"""The statements of the BigQuery store, as Google's own SQL engine reads and executes them."""

import json
from datetime import datetime
from typing import Any

import pytest
from zetasql.core.local_service import ZetaSqlLocalService

from backends.warehouse.activities import Observation, StoredActivity
from backends.warehouse.bigquery import changes
from backends.warehouse.bigquery.changes import FenceRows
from backends.warehouse.bigquery.parameters import array, scalar
from backends.warehouse.bigquery.statements import SQL, within
from backends.warehouse.fence import Fence
from backends.warehouse.schema import (
    PURGES,
    STRAVA_ACTIVITIES,
    STRAVA_ATHLETES,
    STRAVA_EVENTS,
    STRAVA_STREAMS,
)
from backends.warehouse.table import Table
from tests.contracts.test_raw_store import ANNA, BEN, at, gone, payload, seen
from tests.transforms.bigquery import BigQueryDialect, start_engine, table
from tests.transforms.bigquery_statements import merged_rows, on_rows, options_for, raw_catalog, statements
from tests.transforms.bigquery_tree import analysed

pytestmark = pytest.mark.slow
CHANGED = "What was read has changed since"


@pytest.fixture(scope="module")
def engine() -> ZetaSqlLocalService:
    """Google's engine."""
    start_engine()
    return ZetaSqlLocalService.get_instance()


@pytest.mark.usefixtures("engine")
def test_every_statement_is_bigquerys_sql() -> None:
    """Names, types and parameters of each are right, with the tables as the schema states them."""
    catalog = raw_catalog()
    kinds = {name: analysed(sql, options_for(sql), catalog).kind for name, sql in statements().items()}
    assert kinds["put_activities"] == kinds["put_events_and_forget"] == "MergeStmt"
    assert kinds["recent_events"] == "QueryStmt"


def executed(sql: str) -> list[dict[str, Any]]:
    """Return the rows of a query that gives each as a line of JSON."""
    return BigQueryDialect({}).found(sql).lines()


def filled(stated: Table, rows: list[dict[str, Any]]) -> str:
    """Return rows as a query, without values in the columns that they do not name."""
    return table([{**dict.fromkeys(stated.types), **row} for row in rows], stated.types)


def merged(
    observations: list[Observation], read: dict[int, StoredActivity], found: list[dict[str, Any]], *, receipts: int = 0
) -> list[dict[str, Any]]:
    """Return the rows that the merge would put, worked out on `read`, where `found` is stored by then."""
    outcomes = changes.decide(observations, read, {}, fence=Fence({}), now=at(60))
    fence_rows = FenceRows({ANNA: None}, {str(each): at(0) for each in range(receipts)})
    statement = changes.put_activities(outcomes, read, fence_rows.guard([ANNA]))
    assert statement is not None
    tables = {
        "strava_activities": filled(STRAVA_ACTIVITIES, found),
        "strava_athletes": filled(STRAVA_ATHLETES, [{"athlete_id": ANNA, "status": "connected"}]),
        "purges": filled(PURGES, []),
    }
    return executed(merged_rows(statement.sql, statement.bound, tables))


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


@pytest.mark.usefixtures("engine")
def test_only_settled_events_are_pruned() -> None:
    """On Google's engine: all rows of an event that is settled, but for each athlete's last ones and what waits."""
    old, late = at(0).isoformat(), at(900).isoformat()
    rows = [
        {"event_id": event, "outcome": outcome, "athlete_id": athlete_id, "finished_at": end, "event_time": end}
        for event, outcome, athlete_id, end in (
            ("settled", "parked", ANNA, old),
            ("settled", "stored", ANNA, old),
            ("parked", "stored", ANNA, old),
            ("parked", "parked", ANNA, old),
            ("deferred", "deferred", ANNA, old),
            ("unread", "ignored", None, old),
            ("of ben", "stored", BEN, old),
            ("again", "parked", ANNA, old),
            ("again", "stored", ANNA, late),
        )
    ]
    stamped = [
        {**row, "delivery_id": f"{row['event_id']}/{place}", "ingested_at": at(place).isoformat()}
        for place, row in enumerate(rows)
    ]
    chosen = SQL["prune_events"].replace("delete from", "select delivery_id from")
    before = [scalar("settled_before", "timestamp", at(60))]
    pruned = executed(on_rows(chosen, before, {"strava_events": filled(STRAVA_EVENTS, stamped)}))
    assert sorted(row["delivery_id"] for row in pruned) == ["settled/0", "settled/1", "unread/5"]


@pytest.mark.usefixtures("engine")
def test_streams_are_due_by_what_the_payload_says() -> None:
    """On Google's engine: candidates by hash and moment, and the facts of each as numbers, absent ones without."""
    facts = {"start_date": "2026-05-04T06:00:00Z", "distance": 9, "moving_time": 10.5, "sport_type": "Run"}
    activities = [
        {
            "activity_id": key,
            "athlete_id": ANNA,
            "is_deleted": False,
            "resource_state": 3,
            "payload_hash": "h",
            "start_date": at(key).isoformat(),
            "ingested_at": at(key).isoformat(),
            "payload": json.dumps(facts),
        }
        for key in (1, 2, 3, 4)
    ]
    streams = [{"activity_id": 1, "activity_hash": "h"}, {"activity_id": 2, "activity_hash": "g", "fetched_for": "[]"}]
    created = {"object_type": "activity", "aspect_type": "create", "object_id": 4, "received_at": at(50).isoformat()}
    tables = {
        "strava_activities": filled(STRAVA_ACTIVITIES, activities),
        "strava_streams": filled(STRAVA_STREAMS, streams),
        "strava_events": filled(STRAVA_EVENTS, [created]),
    }

    def due(*, is_named: bool = True, **moments: datetime) -> list[int]:
        names = ("since", "created_before", "changed_since")
        bounds = [scalar(name, "timestamp", moments.get(name)) for name in names]
        whose = scalar("athlete_id", "int64", ANNA), scalar("is_named", "bool", is_named)
        return [row["activity_id"] for row in executed(on_rows(SQL["due_streams"], [*whose, *bounds], tables))]

    assert (due(), due(is_named=False)) == ([4, 3, 2], [2])
    assert (due(created_before=at(50)), due(since=at(3)), due(changed_since=at(3))) == ([3, 2], [4, 3], [4])
    sql = SQL["stream_facts"].format(ids=within([2, 3]), activity_ids=within([2, 3], "activities.activity_id"))
    found = executed(on_rows(sql, [array("activity_ids", "int64", [2, 3])], tables))
    told = {"payload_hash": "h", **facts, "elapsed_time": None}
    assert sorted(found, key=lambda row: int(row["activity_id"])) == [
        {"activity_id": 2, **told, "stored_for": "[]"},
        {"activity_id": 3, **told, "stored_for": None},
    ]
