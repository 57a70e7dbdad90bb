"""What the simulated athlete calls an activity: mostly dull, sometimes an emoji or another script."""

from random import Random

SPECIAL = (
    "Sunrise lap 🌅🏃‍♀️",
    "朝のジョギング",
    "Утренняя пробежка",
    "जंगल की पगडंडी",
    "Παραλία και πίσω",
    "سباق المدينة",
    "Größe zählt, Höhenmeter auch 💪",
    "🚴💨🚴💨",
    'Kids\' run and "so slow!" <3',
    "한강 라이딩",
)
RACES = {10_000: "Lindenfurt 10K 🏅", 21_097.5: "Riverside Half Marathon", 42_195: "Harvest Marathon 🏁"}
DESCRIPTIONS = (
    "",
    "",
    "",
    "Legs heavy, head clear.",
    "4 x 1 km, 90 s jog between.\nFelt strong on the last one.",
    "Rain from the second kilometre on ☔",
    "Mit Rückenwind heim.",
)
NOUNS = {
    "Run": "Run", "TrailRun": "Trail Run", "VirtualRun": "Treadmill Run", "Ride": "Ride", "GravelRide": "Gravel Ride",
    "VirtualRide": "Virtual Ride", "EBikeRide": "E-Bike Ride",
    "Swim": "Swim", "Hike": "Hike", "Walk": "Walk", "NordicSki": "Nordic Ski",
    "WeightTraining": "Weight Training", "Yoga": "Yoga", "Workout": "Workout",
}  # fmt: skip
DAYTIMES = ((5, "Night"), (11, "Morning"), (14, "Lunch"), (18, "Afternoon"), (22, "Evening"), (24, "Night"))


def chosen_name(rng: Random, sport_type: str, hour: int) -> str:
    """Name an activity: one in sixteen is special, the others are named by Strava itself, as `Morning Run`."""
    if rng.random() < 1 / 16:
        return rng.choice(SPECIAL)
    daytime = next(word for until, word in DAYTIMES if hour < until)
    return f"{daytime} {NOUNS.get(sport_type, sport_type)}"
