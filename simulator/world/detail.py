"""One activity as Strava tells it on its own: the summary and what only the detailed form has."""

from typing import Any

import polyline

from simulator.world.efforts import STANDARD_UNITS, best_efforts, laps, segment_efforts, splits
from simulator.world.names import DESCRIPTIONS
from simulator.world.sports import RUNS
from simulator.world.summary import Sketch

#: Keys of the detailed form that the summary lacks.
DETAIL_ONLY = frozenset({
    "description", "calories", "perceived_exertion", "prefer_perceived_exertion", "segment_efforts", "splits_metric",
    "splits_standard", "laps", "best_efforts", "gear", "photos", "stats_visibility", "hide_from_home", "embed_token",
    "available_zones", "similar_activities", "partner_brand_tag", "highlighted_kudosers", "segment_leaderboard_opt_out",
    "leaderboard_opt_out", "private_note",
})  # fmt: skip
VISIBLE_STATS = ("heart_rate", "pace", "power", "speed", "calories")


def detail(drawn: Sketch, summary: dict[str, Any], gear: dict[str, Any] | None) -> dict[str, Any]:
    """Return the detailed activity. `gear` is its short form, or None."""
    shown = summary["map"]
    line = polyline.encode(drawn.route) if drawn.route else ""
    rng = drawn.rng("detail")
    per_minute = 3.5 + max(drawn.sport.heartrate - 80, 0) / 9
    full = summary | {
        "resource_state": 3,
        "map": {"id": shown["id"], "polyline": line} | shown | {"resource_state": 3},
        "description": rng.choice((*DESCRIPTIONS, None)),
        "calories": round(summary["moving_time"] / 60 * per_minute * rng.uniform(0.9, 1.1), 1),
        "perceived_exertion": rng.choice((None, None, None, 3, 5, 7)),
        "prefer_perceived_exertion": rng.choice((None, False)),
    }
    if not drawn.session.is_manual:
        full |= _pieces(drawn, summary)
    if gear is not None:
        full["gear"] = gear
    is_run = summary["type"] == "Run" and not drawn.session.is_manual
    has = {"heartrate": summary["has_heartrate"], "pace": is_run, "power": summary.get("device_watts")}
    return full | {
        "photos": {"primary": None, "count": 0},
        "stats_visibility": [{"type": kind, "visibility": "everyone"} for kind in VISIBLE_STATS],
        "hide_from_home": False,
        "embed_token": f"{drawn.session.activity_id:040x}",
        "available_zones": [kind for kind, is_there in has.items() if is_there],
    }


def _pieces(drawn: Sketch, summary: dict[str, Any]) -> dict[str, Any]:
    rng = drawn.rng("pieces")
    pieces: dict[str, Any] = {"segment_efforts": segment_efforts(summary, rng)}
    is_run = drawn.session.sport_type in RUNS
    if is_run:
        pieces |= {key: splits(summary, unit, rng) for key, unit in STANDARD_UNITS.items()}
    pieces["laps"] = laps(summary, rng)
    if is_run:
        pieces["best_efforts"] = best_efforts(summary, rng)
    return pieces


def summary_of(full: dict[str, Any]) -> dict[str, Any]:
    """Take the summary out of a detailed activity."""
    summary = {key: value for key, value in full.items() if key not in DETAIL_ONLY}
    shown = {key: value for key, value in (full.get("map") or {}).items() if key != "polyline"}
    return summary | {"resource_state": 2, "map": shown | {"resource_state": 2}}
