"""The athlete's usual zone, for activities whose own nothing tells: that of the one nearest in time.

A pure function of all that is known, like the match: the order of arrival changes nothing.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from backends.warehouse.own_files import FactSource, HomeTime, MatchFacts, OwnFiles
from strava.zones import find_zone, offset_s, written

ATHLETE = "athlete"  # who tells a zone that is only taken to be the usual one
AT_ONCE = 500  # clocks that are noted together


@dataclass(frozen=True, slots=True)
class HomeZone:
    """A zone that is taken, and whether it is the setting's, as no activity tells any."""

    zone: ZoneInfo
    is_default: bool


async def note_home(
    store: OwnFiles, facts: Collection[MatchFacts], default: ZoneInfo | None = None
) -> dict[int, HomeZone]:
    """Let an athlete's activities whose zone nothing tells count by the usual one, and return their zones.

    `facts` are all of the athlete. What is noted so already is not written. Raises WarehouseBusy.
    """
    zones = home_zones(facts, default)
    times = list(home_times(facts, zones))
    for place in range(0, len(times), AT_ONCE):
        await store.put_home_times(times[place : place + AT_ONCE])
    return zones


def home_zones(facts: Collection[MatchFacts], default: ZoneInfo | None) -> dict[int, HomeZone]:
    """Return the zones of the activities whose own nothing tells; those without a start have none.

    Where no activity tells any it is the default, and without one what was taken before stays.
    """
    told = {each.activity_id for each in facts if _is_told(each)}
    known = sorted(set(_known(facts)))
    starts = [start for start, _, _ in known]
    found = dict[int, HomeZone]()
    for each in sorted(facts, key=lambda each: each.file_id or ""):  # a row before its recordings
        is_known = each.activity_id in told or each.activity_id in found
        if is_known or each.start_at is None or each.source is FactSource.API:
            continue
        place = bisect_left(starts, each.start_at)
        around = [(abs(start - each.start_at), name) for start, _, name in known[max(place - 1, 0) : place + 1]]
        zone = find_zone(min(around)[1]) if around else None
        if (taken := zone or default) is not None:
            found[each.activity_id] = HomeZone(taken, is_default=zone is None)
    return found


def home_times(facts: Collection[MatchFacts], zones: Mapping[int, HomeZone]) -> Iterator[HomeTime]:
    """Yield the clocks that are to be noted so and are not: of a row, or of the recordings where there is none."""
    listed = {each.activity_id for each in facts if each.source is FactSource.ARCHIVE}
    for each in facts:
        home = zones.get(each.activity_id)
        is_elsewhere = each.source is FactSource.FILE and each.activity_id in listed
        if home is None or each.start_at is None or is_elsewhere:
            continue
        timezone, offset = written(home.zone, each.start_at), offset_s(home.zone, each.start_at)
        if (timezone, offset) != (each.timezone, each.utc_offset_s):
            yield HomeTime(activity_id=each.activity_id, file_id=each.file_id, timezone=timezone, utc_offset_s=offset)


def _is_told(each: MatchFacts) -> bool:
    """Whether it tells a clock of its own."""
    return each.utc_offset_source != ATHLETE and (each.timezone is not None or each.utc_offset_s is not None)


def _known(facts: Collection[MatchFacts]) -> Iterator[tuple[datetime, int, str]]:
    """Yield when and where the clock was one that has a name."""
    for each in facts:
        if _is_told(each) and each.start_at is not None and find_zone(each.timezone):
            yield each.start_at, each.activity_id, str(each.timezone)
