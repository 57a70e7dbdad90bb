"""One activity as Strava lists it: the summary, made from its planned session and nothing else."""

from dataclasses import dataclass
from random import Random
from typing import Any

import polyline

from simulator.world import roads
from simulator.world.places import start_fields
from simulator.world.plan import Session, effort, fitness
from simulator.world.route import Point, decimate, walk
from simulator.world.sports import RIDES, RUNS, Sport, legacy_type, sport

DEVICES = ("Garmin Forerunner 945", "Garmin Edge 830", "Zwift")


@dataclass(frozen=True, slots=True)
class Sketch:
    """What summary, detail and streams share: the session, its sport and its route (may be empty)."""

    seed: int
    session: Session
    sport: Sport
    route: list[Point]

    def rng(self, purpose: str) -> Random:
        """Return a generator that depends on the seed, the activity and the purpose alone."""
        return Random(f"{self.seed}:{self.session.activity_id}:{purpose}")

    @property
    def has_heartrate(self) -> bool:
        """Manual entries have none, and the strap is forgotten now and then."""
        return not self.session.is_manual and self.session.activity_id % 12 != 0


def sketch(seed: int, session: Session) -> Sketch:
    """Draw the route; the same seed and session give the same one."""
    how = sport(session.sport_type)
    rng = Random(f"{seed}:{session.activity_id}:route")
    route: list[Point] = []
    if how.moves and not (session.is_manual or session.is_treadmill) and session.distance_m > 0:
        place, loop = session.place, session.loop
        route = roads.recorded(rng, place, loop) if loop else walk(rng, place, session.distance_m)
    return Sketch(seed, session, how, route)


def summarise(drawn: Sketch, athlete_id: int) -> dict[str, Any]:
    """Return the summary with Strava's keys in Strava's order; absent where Strava leaves them out."""
    summary = _what(drawn, athlete_id) | _shown(drawn)
    for part in (_speed, _cadence, _power, _heart, _ground, _upload):
        summary |= part(drawn)
    if drawn.session.activity_id % 11 == 0:  # whole numbers where floats are usual, as in older recordings
        for key in ("distance", "total_elevation_gain"):
            summary[key] = round(summary[key])
    return summary


def _what(drawn: Sketch, athlete_id: int) -> dict[str, Any]:
    session = drawn.session
    pauses = drawn.rng("pauses").random() ** 4 * 0.25
    return {
        "resource_state": 2,
        "athlete": {"id": athlete_id, "resource_state": 1},
        "name": session.name,
        "distance": round(session.distance_m, 1),
        "moving_time": session.moving_time_s,
        "elapsed_time": session.moving_time_s + round(session.moving_time_s * pauses),
        "total_elevation_gain": climb(drawn),
        "type": legacy_type(session.sport_type),
        "sport_type": session.sport_type,
        "workout_type": _workout_type(session),
        "id": session.activity_id,
        **start_fields(session.wall, session.place.zone),
        "location_city": None,
        "location_state": None,
        "location_country": None,
    }


def climb(drawn: Sketch) -> float:
    """Return the metres climbed; the flat sports, the treadmill and manual entries climb none. A loop has its own."""
    session = drawn.session
    if session.is_manual or session.is_treadmill or not drawn.sport.has_distance:
        return 0.0
    rng = Random(f"{session.place.name}:{session.loop}:climb") if session.loop else drawn.rng("climb")
    hilly = session.place.hills_m_per_km * drawn.sport.hills
    distance = min(session.distance_m, session.moving_time_s * 14)
    return round(distance / 1000 * hilly * rng.uniform(0.4, 1.3), 1)


def _workout_type(session: Session) -> int | None:
    if session.sport_type in RIDES:
        return {"race": 11, "workout": 12}.get(session.purpose, 10)
    if session.sport_type in RUNS:
        return {"race": 1, "long": 2, "workout": 3}.get(session.purpose, 0 if session.activity_id % 2 else None)
    return None


def _shown(drawn: Sketch) -> dict[str, Any]:
    """Return who reacted, the map, and who may see it."""
    session, route, rng = drawn.session, drawn.route, drawn.rng("social")
    line = polyline.encode(decimate(route)) if route else (None, "")[session.activity_id % 2]
    shown: dict[str, Any] = {"id": f"a{session.activity_id}", "summary_polyline": line, "resource_state": 2}
    if not route and session.activity_id % 3 == 0:
        del shown["summary_polyline"]
    return {
        "achievement_count": 0,
        "kudos_count": rng.randrange(30),
        "comment_count": rng.randrange(4),
        "athlete_count": 1 + (rng.randrange(40) if session.purpose == "race" else 0),
        "photo_count": 0,
        "map": shown,
        "trainer": drawn.sport.indoor or session.is_treadmill,
        "commute": session.purpose == "commute",
        "manual": session.is_manual,
        "private": session.is_private,
        "visibility": session.visibility,
        "flagged": False,
        "gear_id": session.gear_id,
        "start_latlng": list(route[0]) if route else [],
        "end_latlng": list(route[-1]) if route else [],
    }


def _speed(drawn: Sketch) -> dict[str, Any]:
    session = drawn.session
    if session.trap == "contradiction":
        return {"average_speed": 2.87, "max_speed": 2.681}
    mean = session.distance_m / session.moving_time_s if session.moving_time_s else 0.0
    return {
        "average_speed": round(mean, 3),
        "max_speed": 0.0 if session.is_manual else round(mean * drawn.rng("max").uniform(1.25, 1.9), 3),
    }


def _cadence(drawn: Sketch) -> dict[str, Any]:
    if drawn.session.is_manual or drawn.sport.cadence is None:
        return {}
    rng = drawn.rng("cadence")
    cadence: dict[str, Any] = {"average_cadence": round(drawn.sport.cadence + rng.gauss(0, 1.6), 1)}
    return cadence | ({} if drawn.session.activity_id % 4 == 0 else {"average_temp": rng.randrange(-3, 31)})


def has_power_meter(session: Session) -> bool:
    """The road bike got a power meter; what the others say is estimated."""
    return sport(session.sport_type).gear == "road" and session.activity_id % 5 != 0


def _power(drawn: Sketch) -> dict[str, Any]:
    session, watts = drawn.session, drawn.sport.watts
    if watts is None or session.is_manual or session.activity_id % 10 == 3:
        return {}
    rng = drawn.rng("power")
    mean = round(watts * fitness(session.wall.date()) * effort(session) ** 2 * rng.uniform(0.97, 1.03), 1)
    power: dict[str, Any] = {"average_watts": mean, "kilojoules": round(mean * session.moving_time_s / 1000, 1)}
    if not has_power_meter(session):
        return power | {"device_watts": False}
    weighted, peak = round(mean * rng.uniform(1.02, 1.14)), round(mean * rng.uniform(2.4, 4.4))
    return power | {"device_watts": True, "weighted_average_watts": weighted, "max_watts": peak}


def _mean_heartrate(drawn: Sketch) -> float:
    """Return beats a minute as the effort asks for: a tenth faster than usual is eleven more."""
    asked = drawn.sport.heartrate + 110 * (effort(drawn.session) - 1)
    return round(min(asked + drawn.rng("heart").gauss(0, 2.5), 184), 1)


def _heart(drawn: Sketch) -> dict[str, Any]:
    if not drawn.has_heartrate:
        return {"has_heartrate": False, "heartrate_opt_out": False, "display_hide_heartrate_option": False}
    rng, mean = drawn.rng("peak"), _mean_heartrate(drawn)
    return {
        "has_heartrate": True,
        "average_heartrate": mean,
        "max_heartrate": float(min(round(mean + rng.uniform(12, 30)), 194)),
        "heartrate_opt_out": False,
        "display_hide_heartrate_option": True,
    }


def _ground(drawn: Sketch) -> dict[str, Any]:
    if not drawn.route:
        return {}
    low = drawn.session.place.ground_m + drawn.rng("ground").uniform(-12, 30)
    return {"elev_high": round(low + min(climb(drawn) * 0.4, 900) + 3, 1), "elev_low": round(low, 1)}


def _upload(drawn: Sketch) -> dict[str, Any]:
    session = drawn.session
    rest: dict[str, Any] = {"from_accepted_tag": False, "pr_count": 0, "total_photo_count": 0, "has_kudoed": False}
    rest["suffer_score"] = None
    if drawn.has_heartrate:
        intensity = max(_mean_heartrate(drawn) - 80, 5) / 60 * drawn.rng("suffer").uniform(0.85, 1.15)
        rest["suffer_score"] = float(round(session.moving_time_s / 60 * intensity))
    if session.is_manual:
        return rest
    upload_id = session.activity_id + 1_070_000_000
    device = DEVICES[2] if session.sport_type == "VirtualRide" else DEVICES[session.sport_type in RIDES]
    return {
        "device_name": device,
        "upload_id": upload_id,
        "upload_id_str": str(upload_id),
        "external_id": f"simulated_{session.activity_id}.fit",
    } | rest
