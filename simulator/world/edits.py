"""What an edit does to an activity: renaming, hiding, cropping, another sport."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import polyline

from simulator.clock import read_iso
from simulator.world.places import start_fields, wall_clock
from simulator.world.sports import RUNS, legacy_type

OF_LAPS = ("distance", "moving_time", "elapsed_time", "total_elevation_gain")
RUN_ONLY = ("best_efforts", "splits_metric", "splits_standard")


class ImpossibleChange(Exception):
    """Fields were given from which no activity can be made or told."""


@contextmanager
def only_possible() -> Iterator[None]:
    """Raises ImpossibleChange in place of the errors that odd fields raise inside."""
    try:
        yield
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
        raise ImpossibleChange(f"no activity can be like that: {error}") from error


def edited(full: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the detailed activity after the changes (Strava's field names), everything derived from them included."""
    is_crop = "distance" in changes and changes["distance"] < full["distance"]
    after = (_cropped(full, float(changes["distance"])) if is_crop else full) | changes
    if after.get("laps") and "laps" not in changes and not changes.keys().isdisjoint(OF_LAPS):
        after["laps"] = [after["laps"][0] | {key: after[key] for key in OF_LAPS if key in after}]  # one that adds up
    if "sport_type" in changes:
        after["type"] = legacy_type(after["sport_type"])
        if after["sport_type"] not in RUNS:
            after = {key: value for key, value in after.items() if key not in RUN_ONLY}
    if "start_date" in changes:
        start, zone = read_iso(after["start_date"]), after["timezone"].partition(" ")[2]
        after |= start_fields(wall_clock(start, zone), zone)
    return after


def _cropped(full: dict[str, Any], distance: float) -> dict[str, Any]:
    """Cut the end off: times shrink with the distance, pieces beyond it are gone."""
    share = distance / full["distance"]
    after = full | {"distance": distance}
    for key in ("moving_time", "elapsed_time"):
        after[key] = round(full[key] * share)
    for key in ("total_elevation_gain", "calories", "kilojoules"):
        if full.get(key) is not None:
            after[key] = round(full[key] * share, 1)
    for key in RUN_ONLY:
        if key in full:
            lengths = [piece["distance"] for piece in full[key]]
            ends = lengths if key == "best_efforts" else accumulate(lengths)
            after[key] = [piece for piece, end in zip(full[key], ends, strict=True) if end <= distance]
    shown, last = dict(full.get("map") or {}), full.get("end_latlng")
    for key in ("polyline", "summary_polyline"):
        if shown.get(key):
            points = polyline.decode(shown[key])
            kept = points[: max(2, round(len(points) * share))]
            shown[key], last = polyline.encode(kept), list(kept[-1])
    return after | {"map": shown, "end_latlng": last}


def mirrored(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes with `private` and the visibility `only_me` in step, whichever of the two was given."""
    if "visibility" in changes:
        return changes | {"private": changes["visibility"] == "only_me"}
    if "private" in changes:
        return changes | {"visibility": "only_me" if changes["private"] else "everyone"}
    return changes
