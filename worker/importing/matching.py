"""Which activity each recording is of: a pure function of all that is known, so the order of arrival changes nothing.

The keys, the strongest first; the first that fits decides:

- `row`: the export's list names the file
- `same_upload`: the file is named after the activity's upload or id
- `same_recording`: maker, serial number and time of creation are those of another recording
- `same_name`: the file's name is the activity's `external_id`, and they begin within a minute of each other
- `alike`: they begin within two minutes and overlap by half, and sport, duration, distance and first position agree

What is alike but for a difference of whole quarter hours, and what only overlaps in time, is told and never joined.
"""

import csv
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path, PurePosixPath
from typing import Generic, NamedTuple, TypeVar

SPORT_GROUPS = Path(__file__).parents[2] / "transforms" / "seeds" / "sport_groups.csv"
NAME_S, ALIKE_S, QUARTER_S, QUARTER_OFF_S, ZONES_S, NEAR_S = 60, 120, 900, 10, 14 * 3600, 15 * 3600
ELAPSED_S, DISTANCE_M, SHARE, POINT_M, OVERLAP = 60, 200, 0.05, 500, 0.5
EARTH_RADIUS_M = 6_371_008.8
ROW, SAME_UPLOAD, SAME_RECORDING, SAME_NAME, ALIKE = "row", "same_upload", "same_recording", "same_name", "alike"
TIME_ZONE, OVERLAPS = "suspect_time_zone", "overlaps"


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What an activity or a recording is compared by; `start` is in seconds since 1970."""

    start: int
    elapsed_s: int
    distance_m: float | None = None
    sport_type: str | None = None
    first_point: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """An activity of Strava's, by its API or an export. `known` is None where its start cannot be read."""

    activity_id: int
    known: Known | None
    upload_id: int | None = None
    external_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One session of a file. `row_activity_id` is the activity whose row names the file.

    `own_activity_id` is its number where no activity is known that it is of.
    """

    file_id: str
    own_activity_id: int
    known: Known
    name: str | None = None
    device_key: str | None = None
    row_activity_id: int | None = None

    @property
    def sha256(self) -> str:
        """The file's."""
        return self.file_id.partition("/")[0]


class Match(NamedTuple):
    """The activity that a recording is of, by which key, and with which activity or file; or what it may be of."""

    activity_id: int
    matched_by: str | None = None
    twin: str | None = None
    suspect: str | None = None
    suspect_twin: str | None = None


Thing = TypeVar("Thing", Activity, Recorded)


def match(activities: Collection[Activity], recordings: Collection[Recorded]) -> dict[str, Match]:
    """Return the match of each recording by its `file_id`."""
    near_activities, near_recordings = _Near(activities), _Near(recordings)
    found, ordered = dict[str, Match](), sorted(recordings, key=_name)
    _add(found, ordered, {each.file_id: _of_row(each) for each in ordered})
    _add(found, ordered, _same_uploads(activities, ordered))
    _add(found, ordered, _in_company(ordered, near_recordings, found, has_alike=False))
    _add(found, ordered, {each.file_id: _of_activity(each, near_activities) for each in ordered})
    while _add(found, ordered, _in_company(ordered, near_recordings, found, has_alike=True)):
        pass
    leaders = [_join(group, found) for group in _groups(ordered, near_recordings, found)]
    for leader in leaders:
        others = [each for each in near_recordings.around(leader) if not _is_company(each, leader, found)]
        suspect = _suspect(leader, near_activities.around(leader)) or _suspect(leader, others) or (None, None)
        found[leader.file_id] = Match(leader.own_activity_id, None, None, *suspect)
    return found


class _Near(Generic[Thing]):
    """Activities or recordings by their start."""

    def __init__(self, things: Collection[Thing]) -> None:
        dated = sorted(
            ((each.known.start, _name(each), each) for each in things if each.known), key=lambda all_: all_[:2]
        )
        self._things: list[Thing] = [thing for _, _, thing in dated]
        self._starts = [start for start, _, _ in dated]
        self._longest = max((each.known.elapsed_s for each in things if each.known), default=0)

    def around(self, recording: Recorded) -> Sequence[Thing]:
        """Return what begins so near to a recording that it may be the same or overlap, in a fixed order."""
        start = recording.known.start
        within_s = max(NEAR_S, self._longest, recording.known.elapsed_s)
        return self._things[bisect_left(self._starts, start - within_s) : bisect_right(self._starts, start + within_s)]


def _name(thing: Activity | Recorded) -> str:
    return f"{thing.activity_id:020}" if isinstance(thing, Activity) else thing.file_id


def _twin(thing: Activity | Recorded) -> str:
    return str(thing.activity_id) if isinstance(thing, Activity) else thing.file_id


def _add(found: dict[str, Match], recordings: Sequence[Recorded], matches: Mapping[str, Match | None]) -> bool:
    """Add the matches of recordings that have none; tell whether there were any."""
    new = {each.file_id: known for each in recordings if (known := matches.get(each.file_id)) is not None}
    new = {file_id: known for file_id, known in new.items() if file_id not in found}
    found |= new
    return bool(new)


def _of_row(recording: Recorded) -> Match | None:
    activity_id = recording.row_activity_id
    return None if activity_id is None else Match(activity_id, ROW, str(activity_id))


def _same_uploads(activities: Collection[Activity], recordings: Sequence[Recorded]) -> dict[str, Match | None]:
    """Return the matches of files that are named after an upload or an activity."""
    by_number = defaultdict[int | None, list[Activity]](list)
    for each in sorted(activities, key=_name):
        for number in {each.activity_id, each.upload_id}:
            by_number[number].append(each)
    sessions = Counter(each.sha256 for each in recordings)
    return {
        each.file_id: _same_upload(each, by_number[number], is_only=sessions[each.sha256] == 1)
        for each in recordings
        if (number := _number(each.name)) in by_number
    }


def _number(name: str | None) -> int:
    stem = PurePosixPath(name or "").name.partition(".")[0]
    return int(stem) if stem.isascii() and stem.isdecimal() else 0


def _same_upload(recording: Recorded, activities: Sequence[Activity], *, is_only: bool) -> Match | None:
    """Return the activity of that number; of several sessions each came to be an activity of another number."""
    for activity in activities:
        known = activity.known
        is_near = known is None or abs(known.start - recording.known.start) <= NEAR_S
        if (is_only and is_near) or (known is not None and _overlap(known, recording.known)):
            return Match(activity.activity_id, SAME_UPLOAD, _twin(activity))
    return None


def _of_activity(recording: Recorded, activities: "_Near[Activity]") -> Match | None:
    """Return the activity of the same name, or else the one that is alike; of several the one that begins nearest."""
    around = sorted(activities.around(recording), key=lambda each: _distance_key(each, recording))
    base = _base(recording.name)
    for activity in around:
        if base and base == _base(activity.external_id) and abs(_apart(activity, recording)) <= NAME_S:
            return Match(activity.activity_id, SAME_NAME, _twin(activity))
    for activity in around:
        if _is_alike(activity, recording):
            return Match(activity.activity_id, ALIKE, _twin(activity))
    return None


def _base(name: str | None) -> str:
    return PurePosixPath(name or "").name.casefold().removesuffix(".gz")


def _in_company(
    recordings: Sequence[Recorded], near: "_Near[Recorded]", found: Mapping[str, Match], *, has_alike: bool
) -> dict[str, Match | None]:
    """Return the matches by other recordings of the same activity that have one."""
    return {
        each.file_id: _by_twin(each, near, found, has_alike=has_alike)
        for each in recordings
        if each.file_id not in found
    }


def _by_twin(
    recording: Recorded, near: "_Near[Recorded]", found: Mapping[str, Match], *, has_alike: bool
) -> Match | None:
    matched = [each for each in near.around(recording) if each.file_id in found]
    matched.sort(key=lambda each: _distance_key(each, recording))
    for wanted in (SAME_RECORDING, ALIKE) if has_alike else (SAME_RECORDING,):
        for each in matched:
            if _key(each, recording) == wanted:
                return Match(found[each.file_id].activity_id, wanted, each.file_id)
    return None


def _groups(
    recordings: Sequence[Recorded], near: "_Near[Recorded]", found: Mapping[str, Match]
) -> Iterator[Sequence[Recorded]]:
    """Yield the recordings without an activity, those of one recording or alike together, the smallest id first."""
    left = {each.file_id: each for each in recordings if each.file_id not in found}
    for leader in recordings:
        if left.pop(leader.file_id, None) is None:
            continue
        group, ahead = [leader], [leader]
        while ahead:
            one = ahead.pop()
            joined = [each for each in near.around(one) if each.file_id in left and _key(each, one)]
            for each in joined:
                del left[each.file_id]
            group += joined
            ahead += joined
        yield group


def _key(one: Recorded, other: Recorded) -> str | None:
    """Return by which key two recordings are of one activity; the sessions of one file never are."""
    if one.sha256 == other.sha256:
        return None
    if one.device_key is not None and one.device_key == other.device_key and _overlap(one.known, other.known):
        return SAME_RECORDING
    return ALIKE if _is_alike(one, other) else None


def _join(group: Sequence[Recorded], found: dict[str, Match]) -> Recorded:
    """Let a group's recordings be one activity, and return the one that leads it."""
    leader, *others = group
    for each in others:
        twins = [(key, other) for other in sorted(group, key=_name) if other is not each and (key := _key(each, other))]
        key, twin = min(twins, key=lambda pair: (pair[0] != SAME_RECORDING, _name(pair[1])))
        found[each.file_id] = Match(leader.own_activity_id, key, twin.file_id)
    return leader


def _is_company(recording: Recorded, leader: Recorded, found: Mapping[str, Match]) -> bool:
    """Whether a recording follows a leader, or is of the same file."""
    known = found.get(recording.file_id)
    is_led = known is not None and known.activity_id == leader.own_activity_id
    return is_led or recording.sha256 == leader.sha256


def _suspect(recording: Recorded, things: Sequence[Activity | Recorded]) -> tuple[str, str] | None:
    """Return what a recording without a match may be, and of which activity or file."""
    around = sorted(things, key=lambda each: _distance_key(each, recording))
    for suspect, is_so in ((TIME_ZONE, _is_in_other_zone), (OVERLAPS, _overlaps)):
        for each in around:
            if is_so(each, recording):
                return suspect, _twin(each)
    return None


def _known(thing: Activity | Recorded) -> Known:
    assert thing.known is not None  # noqa: S101 - what has no start is near nothing
    return thing.known


def _apart(thing: Activity | Recorded, recording: Recorded) -> int:
    return _known(thing).start - recording.known.start


def _distance_key(thing: Activity | Recorded, recording: Recorded) -> tuple[int, int, str]:
    elapsed = abs(_known(thing).elapsed_s - recording.known.elapsed_s)
    return abs(_apart(thing, recording)), elapsed, _name(thing)


def _is_alike(thing: Activity | Recorded, recording: Recorded) -> bool:
    is_near = abs(_apart(thing, recording)) <= ALIKE_S and _overlap(_known(thing), recording.known)
    return is_near and _agree(_known(thing), recording.known)


def _is_in_other_zone(thing: Activity | Recorded, recording: Recorded) -> bool:
    apart = abs(_apart(thing, recording))
    off = abs(apart - round(apart / QUARTER_S) * QUARTER_S)
    is_zone = QUARTER_S - QUARTER_OFF_S <= apart <= ZONES_S + QUARTER_OFF_S and off <= QUARTER_OFF_S
    return is_zone and _agree(_known(thing), recording.known)


def _overlaps(thing: Activity | Recorded, recording: Recorded) -> bool:
    return _overlap(_known(thing), recording.known)


def _agree(one: Known, other: Known) -> bool:
    """Whether all but the start of two can be of one activity."""
    groups = {_group(one.sport_type), _group(other.sport_type)} - {None}
    if len(groups) > 1 or abs(one.elapsed_s - other.elapsed_s) > max(
        ELAPSED_S, SHARE * max(one.elapsed_s, other.elapsed_s)
    ):
        return False
    if one.distance_m and other.distance_m:
        longer = max(one.distance_m, other.distance_m)
        if abs(one.distance_m - other.distance_m) > max(DISTANCE_M, SHARE * longer):
            return False
    if one.first_point and other.first_point:
        return _metres(one.first_point, other.first_point) <= POINT_M
    return True


def _overlap(one: Known, other: Known) -> bool:
    """Whether at least half of the shorter is within the other."""
    first, last = max(one.start, other.start), min(one.start + one.elapsed_s, other.start + other.elapsed_s)
    return last >= first and last - first >= OVERLAP * min(one.elapsed_s, other.elapsed_s)


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the great circle's length between two positions in degrees."""
    (lat, lng), (other_lat, other_lng) = one, other
    half = sin(radians(other_lat - lat) / 2) ** 2
    half += cos(radians(lat)) * cos(radians(other_lat)) * sin(radians(other_lng - lng) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, half)))


@cache
def _sport_groups() -> Mapping[str, str]:
    with SPORT_GROUPS.open(encoding="utf-8", newline="") as file:
        return {row["sport_type"]: row["sport_group"] for row in csv.DictReader(file)}


def _group(sport_type: str | None) -> str | None:
    return _sport_groups().get(sport_type) if sport_type else None
