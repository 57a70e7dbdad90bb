"""The raw tables that are no activities, staged: gear, and what the worker and the transformer note down."""

from datetime import datetime
from typing import Any


def test_gear_is_read_from_its_payload(life: Any) -> None:
    """The recorded shoes are retired after 966,309 m; the bike is a road bike of 9 kg; what is empty is null."""
    shoes, bike = (
        life.row(f"select * from staging.stg_strava__gear where gear_id = '{gear_id}'")  # noqa: S608
        for gear_id in ("g5073738", "b2000289")
    )
    assert (shoes["name"], shoes["brand_name"], shoes["nickname"]) == ("Adidas Supernova ST", "Adidas", None)
    assert (shoes["distance_m"], shoes["is_retired"], shoes["is_primary"]) == (966309, True, False)
    assert (shoes["frame_type"], shoes["weight_kg"]) == (None, None)
    assert (bike["frame_type"], bike["weight_kg"], bike["is_retired"]) == (3, 9, False)


def test_athletes_have_their_scopes_and_status(life: Any) -> None:
    """Both connected with one scope."""
    rows = life.rows("select athlete_id, scopes, status from staging.stg_strava__athletes order by athlete_id")
    assert [tuple(row.values()) for row in rows] == [(7, "read", "connected"), (4605555801, "read", "connected")]


def test_the_ingestion_state_tells_where_a_listing_goes_on(life: Any) -> None:
    """Three moments, as they were written."""
    row = life.row("select * from staging.stg_strava__ingestion_state")
    assert row["complete_as_of"] == datetime(2026, 4, 1, 6)  # noqa: DTZ001  # DuckDB's TIMESTAMP has no zone; it is UTC
    assert row["listing_began_at"] == datetime(2026, 4, 1, 12)  # noqa: DTZ001
    assert row["backfill_cursor"] == datetime(2026, 3, 20, 6)  # noqa: DTZ001


def test_a_reconciliation_has_its_counts(life: Any) -> None:
    """One missing and one changed, both repaired, and nothing that could not be read."""
    row = life.row("select * from staging.stg_strava__reconciliations where verdict = 'complete'")
    assert (row["strava_count"], row["warehouse_count"], row["unreadable_count"], row["reason"]) == (9, 9, 0, None)
    assert (row["missing_count"], row["extra_count"], row["changed_count"], row["repaired_count"]) == (1, 0, 1, 2)


def test_a_purge_has_a_count_for_each_table(life: Any) -> None:
    """Twelve activities, thirty events, one message; of a table that is not named nothing is known."""
    row = life.row("select * from staging.stg_strava__purges")
    assert (row["activity_count"], row["event_count"], row["queue_message_count"]) == (12, 30, 1)
    assert row["gear_count"] is None


def test_runs_reach_back_31_days(life: Any) -> None:
    """On 2 April, 10:00, a run of 2 March, 06:00, is too old."""
    rows = life.rows("select run_id, published_at, is_full_refresh, error from staging.stg_strava__transform_runs")
    assert [tuple(row.values()) for row in rows] == [("new", datetime(2026, 3, 3, 6, 0, 2), False, None)]  # noqa: DTZ001
