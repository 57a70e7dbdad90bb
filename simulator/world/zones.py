"""The athlete's zones, and how long an activity was in each of them.

https://developers.strava.com/docs/reference/#api-Activities-getZonesByActivityId
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any


@dataclass(frozen=True, slots=True)
class Zones:
    """What one kind of zones is made of: where each but the first begins, the stream, and its mean in the summary."""

    bounds: tuple[float, ...]
    stream: str
    mean: str

    @property
    def ranges(self) -> list[dict[str, float]]:
        """From 0 upwards; the last has no end, which is -1."""
        return [{"min": low, "max": high} for low, high in pairwise((0, *self.bounds, -1))]


HEARTRATE = Zones((115, 133, 151, 170), "heartrate", "average_heartrate")
SHARES_OF_FTP = (0.55, 0.75, 0.9, 1.05, 1.2, 1.5)
#: By Strava's words. The power of an activity is divided every 50 W, not by the athlete's own zones.
OF_ACTIVITY = {
    "heartrate": HEARTRATE,
    "pace": Zones((2.2, 2.55, 2.85, 3.05, 3.3), "velocity_smooth", "average_speed"),
    "power": Zones(tuple(range(50, 500, 50)), "watts", "average_watts"),
}


def of_athlete(ftp_w: int) -> dict[str, Any]:
    """Return the athlete's zones as `GET /athlete/zones` does."""
    power = Zones(tuple(round(ftp_w * share) for share in SHARES_OF_FTP), "watts", "average_watts")
    return {
        "heart_rate": {"custom_zones": False, "zones": HEARTRATE.ranges},
        "power": {"zones": power.ranges},
    }


def of_activity(full: Mapping[str, Any], streams: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the seconds of an activity in each zone of each kind that it has; they add up to its moving time.

    Without a stream all of it is where its mean is.
    """
    return [
        {
            "type": kind,
            "resource_state": 3,
            "sensor_based": True,
            "custom_zones": False,
            "distribution_buckets": _buckets(zones, full, streams),
        }
        | ({"score": int(full.get("suffer_score") or 0)} if kind == "heartrate" else {})
        for kind, zones in OF_ACTIVITY.items()
        if kind in full.get("available_zones", ())
    ]


def _buckets(zones: Zones, full: Mapping[str, Any], streams: Mapping[str, Sequence[Any]]) -> list[dict[str, float]]:
    values = streams.get(zones.stream) or [full.get(zones.mean) or 0]
    found = Counter(bisect_right(zones.bounds, value) for value in values)
    reached = accumulate((found[index] for index in range(len(zones.ranges))), initial=0)
    ends = [round(full["moving_time"] * count / len(values)) for count in reached]
    seconds = (after - before for before, after in pairwise(ends))
    return [each | {"time": time} for each, time in zip(zones.ranges, seconds, strict=True)]
