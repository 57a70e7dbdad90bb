"""What files call a sport, as Strava's `sport_type`. Strava's list: https://developers.strava.com/docs/reference/."""

from collections.abc import Mapping

RUNS = frozenset({"Run", "TrailRun", "VirtualRun"})
TRANSITION = 3  # between two sessions

# FIT's sports, and what a kind of a sport makes of them: https://developer.garmin.com/fit/
_FIT_SPORTS: Mapping[int, str] = {
    0: "Workout",
    1: "Run",
    2: "Ride",
    4: "Workout",
    5: "Swim",
    6: "Basketball",
    7: "Soccer",
    8: "Tennis",
    10: "Workout",
    11: "Walk",
    12: "NordicSki",
    13: "AlpineSki",
    14: "Snowboard",
    15: "Rowing",
    16: "Hike",
    17: "Hike",
    19: "Canoeing",
    21: "EBikeRide",
    25: "Golf",
    30: "InlineSkate",
    31: "RockClimbing",
    32: "Sail",
    33: "IceSkate",
    35: "Snowshoe",
    37: "StandUpPaddling",
    38: "Surfing",
    41: "Kayaking",
    43: "Windsurf",
    44: "Kitesurf",
    48: "RockClimbing",
    62: "HighIntensityIntervalTraining",
    65: "Wheelchair",
    66: "Wheelchair",
    71: "Cricket",
    75: "Volleyball",
    83: "Dance",
}
_FIT_KINDS: Mapping[tuple[int, int], str] = {
    (1, 3): "TrailRun",
    (1, 58): "VirtualRun",
    (2, 8): "MountainBikeRide",
    (2, 9): "MountainBikeRide",
    (2, 12): "Handcycle",
    (2, 28): "EBikeRide",
    (2, 46): "GravelRide",
    (2, 47): "EMountainBikeRide",
    (2, 58): "VirtualRide",
    (2, 88): "Handcycle",
    (4, 1): "Run",
    (4, 14): "Rowing",
    (4, 15): "Elliptical",
    (4, 16): "StairStepper",
    (4, 20): "WeightTraining",
    (4, 43): "Yoga",
    (4, 44): "Pilates",
    (10, 20): "WeightTraining",
    (10, 43): "Yoga",
    (10, 44): "Pilates",
    (10, 70): "HighIntensityIntervalTraining",
    (13, 37): "BackcountrySki",
    (15, 58): "VirtualRow",
    (21, 47): "EMountainBikeRide",
    (64, 84): "Pickleball",
    (64, 85): "Padel",
    (64, 94): "Squash",
    (64, 95): "Badminton",
    (64, 96): "Racquetball",
    (64, 97): "TableTennis",
}
# Treadmill, spinning, indoor cycling and rowing, elliptical, stairs, pool, indoor skiing, walking, running, climbing …
_FIT_INDOORS = frozenset({1, 5, 6, 14, 15, 16, 17, 25, 27, 45, 58, 68, 69, 86, 87, 88})

_WORDS: Mapping[str, str] = {
    "1": "Ride",  # what Strava's own GPX files once held
    "4": "Hike",
    "9": "Run",
    "10": "Walk",
    "16": "Swim",
    "biking": "Ride",
    "cycling": "Ride",
    "cyclingsport": "Ride",
    "ride": "Ride",
    "roadbiking": "Ride",
    "roadcycling": "Ride",
    "mountainbiking": "MountainBikeRide",
    "mountainbikeride": "MountainBikeRide",
    "gravelcycling": "GravelRide",
    "gravelride": "GravelRide",
    "ebikeride": "EBikeRide",
    "ebiking": "EBikeRide",
    "virtualride": "VirtualRide",
    "run": "Run",
    "running": "Run",
    "trailrun": "TrailRun",
    "trailrunning": "TrailRun",
    "treadmillrunning": "Run",
    "virtualrun": "VirtualRun",
    "walk": "Walk",
    "walking": "Walk",
    "hike": "Hike",
    "hiking": "Hike",
    "swim": "Swim",
    "swimming": "Swim",
    "openwaterswimming": "Swim",
    "rowing": "Rowing",
    "kayaking": "Kayaking",
    "canoeing": "Canoeing",
    "nordicski": "NordicSki",
    "crosscountryskiing": "NordicSki",
    "alpineski": "AlpineSki",
    "alpineskiing": "AlpineSki",
    "backcountryski": "BackcountrySki",
    "snowboard": "Snowboard",
    "snowboarding": "Snowboard",
    "snowshoe": "Snowshoe",
    "inlineskate": "InlineSkate",
    "iceskate": "IceSkate",
    "elliptical": "Elliptical",
    "weighttraining": "WeightTraining",
    "workout": "Workout",
    "yoga": "Yoga",
}


def of_fit(sport: int | None, kind: int | None) -> tuple[str | None, bool]:
    """Return Strava's word for FIT's `sport` and `sub_sport`, None for one that has none; and whether it is indoors."""
    if sport is None:
        return None, False
    return _FIT_KINDS.get((sport, kind or 0)) or _FIT_SPORTS.get(sport), kind in _FIT_INDOORS


def of_word(word: str | None) -> str | None:
    """Return Strava's word for what a TCX or GPX file calls the sport, None for one that is not known."""
    return _WORDS.get("".join(letter for letter in (word or "").lower() if letter.isalnum()))
