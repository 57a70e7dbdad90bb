"""The athlete's totals: the last four weeks, the year so far, and everything, by ride, run and swim.

https://developers.strava.com/docs/reference/#api-Athletes-getStats
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from simulator.clock import read_iso

RECENT = timedelta(weeks=4)
SUMS = {
    "distance": "distance",
    "moving_time": "moving_time",
    "elapsed_time": "elapsed_time",
    "elevation_gain": "total_elevation_gain",
}


def stats(summaries: Sequence[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """Sum up summaries. Only what everyone may see counts, as at Strava."""
    seen = [each for each in summaries if each.get("visibility", "everyone") == "everyone"]
    recent = [each for each in seen if now - RECENT < read_iso(each["start_date"]) <= now]
    this_year = [each for each in seen if each["start_date_local"][:4] == f"{now.year}"]
    rides = [each for each in seen if each["type"] == "Ride"]
    told: dict[str, Any] = {
        "biggest_ride_distance": max((each["distance"] for each in rides), default=None),
        "biggest_climb_elevation_gain": max((each["total_elevation_gain"] for each in rides), default=None),
    }
    for period, chosen in (("recent", recent), ("ytd", this_year), ("all", seen)):
        for kind in ("Ride", "Run", "Swim"):
            told[f"{period}_{kind.lower()}_totals"] = _totals(kind, chosen, with_achievements=chosen is recent)
    return told


def _totals(kind: str, activities: Sequence[dict[str, Any]], *, with_achievements: bool) -> dict[str, float]:
    summaries = [each for each in activities if each["type"] == kind]
    sums = {name: round(sum(each[field] for each in summaries), 1) for name, field in SUMS.items()}
    achieved = {"achievement_count": sum(each.get("achievement_count", 0) for each in summaries)}
    return {"count": len(summaries)} | sums | (achieved if with_achievements else {})
