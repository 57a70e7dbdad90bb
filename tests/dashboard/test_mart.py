"""The queries on a mart made from the transforms' contract, and what is asked again when."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from backends.warehouse.marts import MartMissing, MartRows
from dashboard.mart import MOST_VALUES, Mart, Snapshot, in_utc

ATHLETE = 7001
TODAY = date(2026, 11, 18)
EVER = (ATHLETE, date(2000, 1, 1), TODAY, "all", "all")


@pytest.fixture
def mart(lively: Any, reader_of: Any) -> Mart:
    """The lively athlete's mart."""
    return Mart(reader_of(lively.path))


def test_days_and_weeks_are_those_typed_in_and_of_the_sport_asked_for(mart: Mart) -> None:
    """Days and weeks with nothing are there; one sport's are those of that sport alone."""
    days = mart.newest().rows("overview/sums", ATHLETE, "day", date(2026, 11, 16), TODAY, "all", "all")
    assert {row["period_start_date"] for row in days} == {date(2026, 11, day) for day in (16, 17, 18)}
    assert sum(row["distance_m"] for row in days) == 10_500 + 1_040_250
    weeks = mart.newest().rows("overview/sums", ATHLETE, "week", date(2025, 11, 24), TODAY, "run", "run")
    assert len(weeks) == 52
    assert {row["sport_group"] for row in weeks} == {"run"}
    assert sum(row["distance_m"] for row in weeks) == 18_500


def test_sports_done_have_their_first_and_last_day(mart: Mart) -> None:
    """What the filters offer, and since when there is anything."""
    done = {
        row["sport_group"]: (row["first_day"], row["last_day"]) for row in mart.newest().rows("sports_done", ATHLETE)
    }
    assert set(done) == {"ride", "run", "walk", "swim", "strength"}
    assert done["ride"] == (date(2025, 3, 2), date(2026, 11, 17))


def test_rows_know_what_was_asked_and_what_it_cost(lively: Any, reader_of: Any) -> None:
    """The statement as it was run with its parameters, how long it took, and what an engine that bills says."""

    class Billing(reader_of):  # type: ignore[misc]
        """An engine that reads two million bytes for everything."""

        def rows(self, sql: str, parameters: Sequence[object] = ()) -> MartRows:
            return MartRows(super().rows(sql, parameters), 2_000_000)

    for reader, scanned in ((reader_of, None), (Billing, 2_000_000)):
        rows = Mart(reader(lively.path)).newest().rows("sports_done", ATHLETE)
        assert "from mart.fct_activities\nwhere athlete_id = ?" in rows.statement
        assert (rows.query, rows.parameters, rows.scanned_bytes) == ("sports_done", (ATHLETE,), scanned)
        assert rows.milliseconds > 0


def test_the_latest_come_newest_first_and_never_another_athletes(lively: Any, reader_of: Any) -> None:
    """One athlete's page shows nothing of another."""
    lively.activity("2026-11-18", "Run", km=5, minutes=25, athlete_id=9, name="somebody else's")
    lively.publish()
    names = [row["name"] for row in Mart(reader_of(lively.path)).newest().rows("overview/latest", *EVER)]
    assert names[:3] == ["WeightTraining 8", "<b>Far</b> **out** :bike: 🚴", "Run 6"]
    assert len(names) == 8


def test_the_latest_of_one_day_are_in_the_order_of_their_local_start(lively: Any, reader_of: Any) -> None:
    """What the table shows explains its order, across zones too."""
    for name, start in (("noon", "12:00"), ("dawn", "06:10"), ("night", "23:59"), ("dusk", "18:40")):
        at = datetime.fromisoformat(f"2026-11-18T{start}")
        lively.activity("2026-11-18", "Run", km=5, minutes=25, name=name, start_at_local=at)
    lively.publish()
    names = [row["name"] for row in Mart(reader_of(lively.path)).newest().rows("overview/latest", *EVER)]
    assert names[:5] == ["night", "dusk", "noon", "WeightTraining 8", "dawn"]


def test_an_answer_is_remembered_until_other_marts_are_published(lively: Any, reader_of: Any) -> None:
    """Each query is asked once of the same marts, and again of the next."""
    reader = reader_of(lively.path)
    mart = Mart(reader)
    for _ in range(2):
        assert mart.newest().snapshot().athlete_ids == [ATHLETE]
        assert len(mart.newest().rows("overview/latest", *EVER)) == 8
    assert len(reader.asked) == 2
    lively.activity("2026-11-18", "Run", km=5, minutes=25, name="just now")
    lively.health(8)
    lively.publish()
    assert mart.newest().snapshot().athlete_ids == [8, ATHLETE]
    assert mart.newest().rows("overview/latest", *EVER)[0]["name"] == "just now"


def test_what_was_used_last_is_remembered_up_to_a_bound() -> None:
    """Two answers fit, a third takes the place of that which was unused the longest; one too large takes no place."""

    class Long:
        """Answers with one list, of as many values as the athlete's number."""

        def __init__(self) -> None:
            self.asked: list[int] = []

        def version(self) -> str:
            return "the same"

        def rows(self, sql: str, parameters: Sequence[Any] = ()) -> MartRows:
            self.asked.append(parameters[0])
            return MartRows([{"values": [0] * parameters[0]}])

        def close(self) -> None: ...

    reader = Long()
    mart = Mart(reader)
    half = MOST_VALUES // 2
    for athlete in (half, half - 1, half, half - 2, half, half - 1):
        assert len(mart.newest().rows("sports_done", athlete)[0]["values"]) == athlete
    assert reader.asked == [half, half - 1, half - 2, half - 1]
    for _ in range(2):
        assert len(mart.newest().rows("sports_done", MOST_VALUES + 1)[0]["values"]) == MOST_VALUES + 1
    assert len(mart.newest().rows("sports_done", half)) == 1
    assert reader.asked[4:] == [MOST_VALUES + 1] * 2


def test_without_a_mart_it_says_so(mart_file: Any, reader_of: Any) -> None:
    """The pages turn this into advice."""
    with pytest.raises(MartMissing):
        Mart(reader_of(mart_file.path)).newest().snapshot()


def test_a_moment_without_a_zone_is_utc() -> None:
    """The mart keeps UTC, whether the engine says so or not."""
    aware = datetime(2026, 11, 18, 19, 30, tzinfo=UTC)
    assert in_utc(aware.replace(tzinfo=None)) == in_utc(aware) == aware
    assert Snapshot(()).built_at is None
