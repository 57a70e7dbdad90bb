"""Who the simulated athlete is, and what they wear and ride. Nobody real."""

from datetime import date
from typing import Any

from simulator.world.plan import SHOE_DAYS, gear_of

SHOES = (("Cloudhopper", "Ember 2"), ("Fjordline", "Tempo"), ("Cloudhopper", "Ember 3"), ("Northpaw", "Ridge GTX"))
FTP_W = 238
METRES_PER_MILE = 1609.344


def athlete(athlete_id: int, gear: list[dict[str, Any]], *, is_detailed: bool) -> dict[str, Any]:
    """Return the athlete as `GET /athlete` does; the short form also comes with a code exchange."""
    short: dict[str, Any] = {
        "id": athlete_id, "username": "robin_sample", "resource_state": 2, "firstname": "Robin",
        "lastname": "Sample", "bio": None, "city": "Lindenfurt", "state": "Nowhere", "country": "Germany", "sex": None,
        "premium": True, "summit": True, "created_at": "2016-03-01T08:00:00Z", "updated_at": "2026-01-01T08:00:00Z",
        "badge_type_id": 1, "weight": 68.0, "profile_medium": "https://example.org/medium.png",
        "profile": "https://example.org/large.png", "friend": None, "follower": None,
    }  # fmt: skip
    if not is_detailed:
        return short
    return short | {
        "resource_state": 3, "follower_count": 12, "friend_count": 9, "mutual_friend_count": 0, "athlete_type": 1,
        "date_preference": "%m/%d/%Y", "measurement_preference": "meters", "clubs": [], "ftp": FTP_W,
        "bikes": [short_gear(item) for item in gear if item["id"].startswith("b")],
        "shoes": [short_gear(item) for item in gear if item["id"].startswith("g")],
    }  # fmt: skip


def wardrobe(first: date, until: date, distances: dict[str, float]) -> list[dict[str, Any]]:
    """Return every piece of gear used between two days, detailed; `distances` are metres by gear id."""
    bikes = [
        _gear("b5000001", "Blue Racer", ("Velowerk", "Aria 5"), distances)
        | {"primary": True, "nickname": "Blue Racer", "frame_type": 3, "weight": 8.1},
        _gear("b5000002", "Mud Donkey", ("Velowerk", "Schotter"), distances)
        | {"nickname": "Mud Donkey", "frame_type": 4, "weight": 9.9},
    ]
    shoes, newest = [], until.toordinal() // SHOE_DAYS
    for pair in range(first.toordinal() // SHOE_DAYS, newest + 1):
        brand, model = SHOES[pair % len(SHOES)]
        gear_id = gear_of("shoes", date.fromordinal(pair * SHOE_DAYS)) or ""
        is_worn = {"primary": pair == newest, "retired": pair != newest, "notification_distance": 800_000}
        shoes.append(_gear(gear_id, f"{brand} {model}", (brand, model), distances) | is_worn)
    return bikes + shoes


def short_gear(gear: dict[str, Any]) -> dict[str, Any]:
    """Return the gear as it appears inside a detailed activity."""
    keys = ("id", "primary", "name", "nickname", "resource_state", "retired", "distance", "converted_distance")
    return {key: gear[key] for key in keys if key in gear} | {"resource_state": 2}


def _gear(gear_id: str, name: str, make: tuple[str, str], distances: dict[str, float]) -> dict[str, Any]:
    metres = round(distances.get(gear_id, 0))
    return {
        "id": gear_id, "primary": False, "name": name, "nickname": "", "resource_state": 3, "retired": False,
        "distance": metres, "converted_distance": round(metres / 1000, 1), "brand_name": make[0],
        "model_name": make[1], "description": "",
    }  # fmt: skip
