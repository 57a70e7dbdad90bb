"""Who the simulated athletes are, and what they wear and ride. Nobody real."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from simulator.world.plan import SHOE_DAYS, gear_of

SHOES = (("Cloudhopper", "Ember 2"), ("Fjordline", "Tempo"), ("Cloudhopper", "Ember 3"), ("Northpaw", "Ridge GTX"))
METRES_PER_MILE = 1609.344


@dataclass(frozen=True, slots=True)
class Person:
    """What tells one athlete from the others."""

    firstname: str
    weight_kg: float
    ftp_w: int


PEOPLE = (
    Person("Robin", 68.0, 238), Person("Kim", 61.5, 214), Person("Sascha", 74.0, 271), Person("Toni", 58.5, 196),
    Person("Alex", 80.0, 255), Person("Noa", 66.0, 229), Person("Jona", 71.5, 248), Person("Mika", 63.0, 207),
    Person("Luca", 77.0, 262), Person("Elia", 69.5, 241),
)  # fmt: skip


def athlete(athlete_id: int, person: Person, gear: list[dict[str, Any]], *, is_detailed: bool) -> dict[str, Any]:
    """Return the athlete as `GET /athlete` does; the short form also comes with a code exchange."""
    short: dict[str, Any] = {
        "id": athlete_id, "username": f"{person.firstname.lower()}_sample", "resource_state": 2,
        "firstname": person.firstname, "lastname": "Sample", "bio": None, "city": "Lindenfurt", "state": "Nowhere",
        "country": "Germany", "sex": None, "premium": True, "summit": True,
        "created_at": "2016-03-01T08:00:00Z", "updated_at": "2026-01-01T08:00:00Z",
        "badge_type_id": 1, "weight": person.weight_kg, "profile_medium": "https://example.org/medium.png",
        "profile": "https://example.org/large.png", "friend": None, "follower": None,
    }  # fmt: skip
    if not is_detailed:
        return short
    return short | {
        "resource_state": 3, "follower_count": 12, "friend_count": 9, "mutual_friend_count": 0, "athlete_type": 1,
        "date_preference": "%m/%d/%Y", "measurement_preference": "meters", "clubs": [], "ftp": person.ftp_w,
        "bikes": [short_gear(item) for item in gear if item["id"].startswith("b")],
        "shoes": [short_gear(item) for item in gear if item["id"].startswith("g")],
    }  # fmt: skip


def wardrobe(first: date, until: date, distances: dict[str, float], number: int) -> list[dict[str, Any]]:
    """Return every piece of gear used between two days, detailed; `distances` are metres by gear id.

    `number` counts the athletes from 0.
    """
    bikes = [
        _gear(gear_of("road", first, number), "Blue Racer", ("Velowerk", "Aria 5"), distances)
        | {"primary": True, "nickname": "Blue Racer", "frame_type": 3, "weight": 8.1},
        _gear(gear_of("gravel", first, number), "Mud Donkey", ("Velowerk", "Schotter"), distances)
        | {"nickname": "Mud Donkey", "frame_type": 4, "weight": 9.9},
    ]
    shoes, newest = [], until.toordinal() // SHOE_DAYS
    for pair in range(first.toordinal() // SHOE_DAYS, newest + 1):
        brand, model = SHOES[pair % len(SHOES)]
        gear_id = gear_of("shoes", date.fromordinal(pair * SHOE_DAYS), number)
        is_worn = {"primary": pair == newest, "retired": pair != newest, "notification_distance": 800_000}
        shoes.append(_gear(gear_id, f"{brand} {model}", (brand, model), distances) | is_worn)
    return bikes + shoes


def short_gear(gear: dict[str, Any]) -> dict[str, Any]:
    """Return the gear as it appears inside a detailed activity."""
    keys = ("id", "primary", "name", "nickname", "resource_state", "retired", "distance", "converted_distance")
    return {key: gear[key] for key in keys if key in gear} | {"resource_state": 2}


def _gear(gear_id: str | None, name: str, make: tuple[str, str], distances: dict[str, float]) -> dict[str, Any]:
    metres = round(distances.get(gear_id or "", 0))
    return {
        "id": gear_id, "primary": False, "name": name, "nickname": "", "resource_state": 3, "retired": False,
        "distance": metres, "converted_distance": round(metres / 1000, 1), "brand_name": make[0],
        "model_name": make[1], "description": "",
    }  # fmt: skip
