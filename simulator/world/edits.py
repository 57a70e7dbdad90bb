"""What an edit does to an activity: renaming, hiding, cropping, another sport."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polyline

from simulator.clock import iso, read_iso
from simulator.world.places import local_time, wall_clock
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
    after = full
    if "distance" in changes and changes["distance"] < full["distance"]:
        after = cropped(after, float(changes["distance"]))
    after = after | changes
    if after.get("laps") and "laps" not in changes and not changes.keys().isdisjoint(OF_LAPS):
        after["laps"] = [after["laps"][0] | {key: after[key] for key in OF_LAPS if key in after}]  # one that adds up
    if "sport_type" in changes:
        after = _as_sport(after)
    if "start_date" in changes:
        after |= _moved(after)
    return after


def cropped(full: dict[str, Any], distance: float) -> dict[str, Any]:
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
            after[key] = _within(full[key], distance, is_split=key != "best_efforts")
    return after | _shorter_map(full, share)


def _within(pieces: list[dict[str, Any]], distance: float, *, is_split: bool) -> list[dict[str, Any]]:
    if not is_split:
        return [piece for piece in pieces if piece["distance"] <= distance]
    kept, reached = [], 0.0
    for piece in pieces:
        reached += piece["distance"]
        if reached <= distance:
            kept.append(piece)
    return kept


def _shorter_map(full: dict[str, Any], share: float) -> dict[str, Any]:
    shown = dict(full.get("map") or {})
    end = full.get("end_latlng")
    for key in ("polyline", "summary_polyline"):
        if shown.get(key):
            points = polyline.decode(shown[key])
            kept = points[: max(2, round(len(points) * share))]
            shown[key], end = polyline.encode(kept), list(kept[-1])
    return {"map": shown, "end_latlng": end}


def _as_sport(after: dict[str, Any]) -> dict[str, Any]:
    kept = after if after["sport_type"] in RUNS else {key: value for key, value in after.items() if key not in RUN_ONLY}
    return kept | {"type": legacy_type(after["sport_type"])}


def mirrored(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes with `private` and the visibility `only_me` in step, whichever of the two was given."""
    if "visibility" in changes:
        return changes | {"private": changes["visibility"] == "only_me"}
    if "private" in changes:
        return changes | {"visibility": "only_me" if changes["private"] else "everyone"}
    return changes


def _moved(after: dict[str, Any]) -> dict[str, Any]:
    start, zone = read_iso(after["start_date"]), after["timezone"].partition(" ")[2]
    local = local_time(wall_clock(start, zone), zone)
    return {
        "start_date": iso(start),
        "start_date_local": iso(local.wall),
        "timezone": local.timezone,
        "utc_offset": local.utc_offset,
    }
