"""Numbers as a person reads them: with units, thousands separators, and a dash where there is none."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

NOTHING = "\N{EN DASH}"
_A_WEEK = timedelta(days=6)  # a weekday names no other day

# Sports that are a matter of speed, though the marts count it for wheels only; Strava's words for the rollers.
SPEED_GROUPS = frozenset({"winter", "water"})
ROLLER_SPORTS = frozenset({"InlineSkate", "RollerSki", "Skateboard", "Wheelchair"})


def total(amounts: Iterable[float]) -> float:
    """The sum, the same in any order; to a millionth, as the marts add up."""
    return round(math.fsum(amounts), 6)


def distance(metres: float) -> str:
    """Kilometres with one decimal."""
    return f"{metres / 1000:,.1f} km"


def time(seconds: float) -> str:
    """Hours and minutes."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02d} min"


def elevation(metres: float) -> str:
    """Whole metres."""
    return f"{metres:,.0f} m"


def count(number: float) -> str:
    """A whole number."""
    return f"{number:,.0f}"


def clock(seconds: float | None) -> str:
    """`hh:mm:ss`, padded so that it also sorts as text."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}"


def pace_or_speed(activity: Mapping[str, Any]) -> str:
    """How fast a row of `fct_activities` was, as its sport counts it.

    Minutes per kilometre on foot, per 100 m swum, else km/h; a dash for sports that go nowhere, or without distance.
    """
    metres, seconds = activity["distance_m"] or 0, activity["moving_time_s"] or 0
    if (pace := activity["pace_s_per_km"]) is not None:
        return f"{_minutes(pace)} /km"
    if (speed := activity["speed_kmh"]) is not None:
        return f"{speed:,.1f} km/h"
    if metres <= 0 or seconds <= 0:
        return NOTHING
    if activity["sport_group"] == "swim":
        return f"{_minutes(seconds / metres * 100)} /100 m"
    is_speed = activity["sport_group"] in SPEED_GROUPS or activity["sport_type"] in ROLLER_SPORTS
    return f"{metres / seconds * 3.6:,.1f} km/h" if is_speed else NOTHING


def latency(seconds: float | None) -> str:
    """Seconds with one decimal, or minutes and seconds."""
    if seconds is None:
        return NOTHING
    if (tenths := round(seconds, 1)) < 60:  # noqa: PLR2004 - a minute
        return f"{tenths:.1f} s" if tenths else "< 0.1 s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest:02d} s"


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """Date, time to the second and the zone's own short name at that moment."""
    return NOTHING if at is None else f"{at.astimezone(zone):%-d %b %Y, %H:%M:%S %Z}"


def minute(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """When something was or will be, to the minute: the time alone on the day that it is now."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%-d %b %Y, %H:%M}"


def about(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """When something will be, to the minute, with the day as near as a person says it."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if at <= now + timedelta(minutes=1):
        return "within minutes"
    if local.date() == today:
        return f"today about {local:%H:%M}"
    return f"{local:%A} about {local:%H:%M}" if at - now < _A_WEEK else f"{local:%-d %B} about {local:%H:%M}"


def failed(number: int, retry_at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """How many activities could not be fetched, and when the first is tried again; nothing for none."""
    if not number or retry_at is None:
        return ""
    things, they = ("activity", "it is") if number == 1 else ("activities", "they are")
    return f"{number:,} {things} could not be fetched; {they} tried again {about(retry_at, now, zone)}."


def plain(text: str) -> str:
    """Text that Markdown shows as it is, but for `code`."""
    return re.sub(r"([\\*_\[\]$<~])", r"\\\1", text)


def age(since: timedelta) -> str:
    """How long ago, in the one unit that matters, so that an idle page changes at most once a minute."""
    seconds = since.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:,.0f} {unit} ago"
    return "less than 1 min ago"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
