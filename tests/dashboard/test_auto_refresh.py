"""When an open page stops to call its charts live."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.warehouse import WarehouseBusy
from dashboard.auto_refresh import Drawn, days_of, is_late, is_outdated
from dashboard.context import PageContext
from dashboard.mart import Mart


@pytest.mark.parametrize(
    ("built_at", "now", "late"),
    [
        ("2026-11-18T11:59:59Z", "2026-11-18T12:04:59Z", False),
        ("2026-11-18T11:59:59Z", "2026-11-18T12:05:00Z", True),
        ("2026-11-18T12:00:00Z", "2026-11-18T13:04:59Z", False),
        ("2026-11-18T12:00:00Z", "2026-11-18T13:05:00Z", True),
        ("2026-11-18T23:59:59Z", "2026-11-19T00:05:00Z", True),
        ("2026-11-18T11:45:00Z", "2026-11-18T17:29:00+05:30", False),
    ],
)
def test_charts_are_late_when_no_build_followed_the_full_hour(built_at: str, now: str, late: bool) -> None:
    """The transformer builds as soon as an hour begins, and is given five minutes for it."""
    assert is_late(datetime.fromisoformat(built_at), datetime.fromisoformat(now)) is late


@pytest.mark.parametrize(
    ("now", "late"), [("2026-11-18T23:59:59Z", False), ("2026-11-19T00:29:59Z", False), ("2026-11-19T00:30:00Z", True)]
)
def test_on_google_cloud_charts_are_late_a_day_after(now: str, late: bool) -> None:
    """No build follows an hour there, for each is billed."""
    built_at = datetime.fromisoformat("2026-11-18T00:31:00Z")
    assert is_late(built_at, datetime.fromisoformat(now), timedelta(days=1)) is late


def test_a_change_of_clocks_makes_no_build_late() -> None:
    """At 3:02 of a Berlin night without an hour from 2 to 3, five minutes ago was 1:57, and a build then is in time."""
    now = datetime(2026, 3, 29, 3, 2, tzinfo=ZoneInfo("Europe/Berlin"))
    assert not is_late(datetime(2026, 3, 29, 0, 57, tzinfo=UTC), now)


@pytest.mark.slow
@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - given there
def test_no_build_older_than_65_minutes_passes_for_live(now: datetime) -> None:
    """At any minute in any zone; and one of five minutes always does."""
    now_utc = now.astimezone(UTC)
    assert is_late(now_utc - timedelta(minutes=65, microseconds=1), now)
    assert not is_late(now_utc - timedelta(minutes=5), now)


def drawn(context: PageContext) -> Drawn:
    """What a page is drawn from now."""
    snapshot = context.mart.newest().snapshot()
    return Drawn(version=context.mart.version(), snapshot=snapshot, days=days_of(context, snapshot))


def test_a_page_is_drawn_again_on_the_athletes_new_day(mart_file: Any, context_of: Any) -> None:
    """Auckland's midnight is noon in Berlin, whose own midnight changes nothing."""
    mart_file.health(utc_offset_s=46_800)
    mart_file.publish()
    clock = [datetime.fromisoformat("2026-11-18T10:59:59Z")]
    context = context_of(mart_file, lambda: clock[0])
    shown = drawn(context)
    assert shown.days == [date(2026, 11, 18)]
    assert not is_outdated(context, shown)
    clock[0] = datetime.fromisoformat("2026-11-18T11:00:00Z")
    assert is_outdated(context, shown)
    shown = drawn(context)
    clock[0] = datetime.fromisoformat("2026-11-18T23:00:00Z")
    assert not is_outdated(context, shown)


def test_a_page_is_drawn_again_for_other_marts(mart_file: Any, context_of: Any) -> None:
    """From none to one, and from one to the next; also where nothing could be shown of them."""
    context = context_of(mart_file)
    nothing = Drawn(version=None, snapshot=None)
    assert not is_outdated(context, nothing)
    mart_file.health()
    mart_file.publish()
    assert is_outdated(context, nothing)
    shown = drawn(context)
    misfit = Drawn(version=shown.version, snapshot=None)
    assert not is_outdated(context, shown)
    assert not is_outdated(context, misfit)
    mart_file.publish()
    assert is_outdated(context, shown)
    assert is_outdated(context, misfit)


def test_an_open_page_asks_no_query(lively: Any, context_of: Any, reader_of: Any) -> None:
    """However often it looks; and a file that cannot be looked at just now is no reason to draw it again."""
    reader = reader_of(lively.path)
    context = replace(context_of(lively), mart=Mart(reader))
    shown = drawn(context)
    asked = list(reader.asked)
    for _ in range(3):
        assert not is_outdated(context, shown)
    assert reader.asked == asked

    class Unreachable(reader_of):  # type: ignore[misc]
        """Its file's folder is gone for a moment."""

        def version(self) -> str | None:
            raise WarehouseBusy

    assert not is_outdated(replace(context, mart=Mart(Unreachable(lively.path))), shown)
