"""The athlete's usual zone: that of the activity nearest in time whose own is known, else the setting's."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from backends.warehouse.own_files import FactSource, HomeTime, MatchFacts
from worker.importing.home import HomeZone, home_times, home_zones

HOME = ZoneInfo("America/Lima")
BERLIN, TOKYO = "(GMT+01:00) Europe/Berlin", "(GMT+09:00) Asia/Tokyo"


def fact(activity_id: int, day: int | None, source: FactSource = FactSource.ARCHIVE, **told: object) -> MatchFacts:
    """Return an activity that began at 23:30 UTC of a day in October 2026."""
    began = None if day is None else datetime(2026, 10, day, 23, 30, tzinfo=UTC)
    plain = MatchFacts(
        source=source, athlete_id=7, activity_id=activity_id, start_at=began, elapsed_time_s=60, distance_m=None,
        sport_type=None, first_point=None,
    )  # fmt: skip
    return replace(plain, **told)  # type: ignore[arg-type]


API, FILE = FactSource.API, FactSource.FILE
FACTS = [
    fact(1, 1, API, timezone=BERLIN, utc_offset_s=7200),
    fact(2, 2),  # a day after Berlin, eight before Tokyo
    fact(3, 9),
    fact(3, 9, FILE, file_id="c", own_activity_id=30),  # the row stands for its recording
    fact(4, 10, FILE, timezone=TOKYO, utc_offset_s=32400, utc_offset_source="place", file_id="d"),
    fact(5, 11, FILE, file_id="e"),
    fact(6, 12, FILE, utc_offset_s=3600, utc_offset_source="file", file_id="f"),  # a clock without a name
    fact(7, 24, timezone=BERLIN, utc_offset_s=7200, utc_offset_source="athlete"),  # as it was taken before
    fact(8, 26, API, timezone=BERLIN, utc_offset_s=3600),
    fact(9, None),
    fact(10, 13, API),
]


def test_the_nearest_in_time_tells_the_zone() -> None:
    """In each order of arrival; what tells its own is left alone, and the clock is that of its own moment."""
    for _ in range(20):
        facts = random.sample(FACTS, len(FACTS))
        zones = home_zones(facts, HOME)
        assert {key: str(home.zone) for key, home in zones.items()} == {
            2: "Europe/Berlin", 3: "Asia/Tokyo", 5: "Asia/Tokyo", 7: "Europe/Berlin",
        }  # fmt: skip
        noted = sorted(home_times(facts, zones), key=lambda each: each.activity_id)
        assert noted == [
            HomeTime(activity_id=2, timezone=BERLIN, utc_offset_s=7200),
            HomeTime(activity_id=3, timezone=TOKYO, utc_offset_s=32400),
            HomeTime(activity_id=5, file_id="e", timezone=TOKYO, utc_offset_s=32400),
        ]  # 7 is noted so already


def test_where_nothing_tells_the_setting_does() -> None:
    """A zone that was only taken tells nobody anything."""
    facts = [fact(7, 24, timezone=BERLIN, utc_offset_s=7200, utc_offset_source="athlete"), fact(2, 24)]
    zones = home_zones(facts, HOME)
    assert zones == dict.fromkeys((2, 7), HomeZone(HOME, is_default=True))
    assert {(each.activity_id, each.utc_offset_s) for each in home_times(facts, zones)} == {(2, -18000), (7, -18000)}
