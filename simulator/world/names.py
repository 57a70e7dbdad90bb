"""What the simulated athlete calls an activity: mostly dull, sometimes an emoji or another script."""

from random import Random

from simulator.world.sports import RIDES, RUNS

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


ON_FOOT = (
    "Easy", "Steady", "Tempo", "Hill repeats", "Fartlek", "Recovery jog", "Progression", "Intervals", "Long way home",
    "Same but slower", "朝のジョギング", "Runde am Fluss",
)  # fmt: skip
BY_BIKE = (
    "Coffee ride", "Around the lake", "Headwind both ways", "Three climbs", "Endurance", "Easy spin", "Group ride",
    "Wind from everywhere", "Over the ridge", "한강 라이딩", "Feierabendrunde",
)  # fmt: skip
OUTDOORS = ("Up to the tower", "Along the river", "Family outing", "Through the woods", "Feet up after this", "Рассвет")
INDOORS = ("Core and back", "Legs", "Upper body", "Mobility", "Short and sweaty", "Before breakfast", "Circuit")
IN_WATER = ("Technique", "Drills and kicks", "Long and easy", "Pyramid", "Freibad")
ENDINGS = (
    "", "", "", " with Mara", " mit Freunden", " in the rain ☔", " 🔥", ", legs heavy", ", felt good", " before work",
)  # fmt: skip


def own_title(rng: Random, sport_type: str, distance_m: float) -> str:
    """Return what the athlete may call an activity of a sport afterwards, sometimes with its kilometres."""
    known = {"Swim": IN_WATER, **dict.fromkeys(RUNS, ON_FOOT), **dict.fromkeys(RIDES, BY_BIKE)}
    title = rng.choice(known.get(sport_type, OUTDOORS if distance_m else INDOORS))
    far = f", {distance_m / 1000:.0f} km" if distance_m >= 1000 and rng.random() < 0.4 else ""
    return f"{title}{far}{rng.choice(ENDINGS)}"


def chosen_name(rng: Random, sport_type: str, hour: int) -> str:
    """Name an activity: one in sixteen is special, the others are named by Strava itself, as `Morning Run`."""
    if rng.random() < 1 / 16:
        return rng.choice(SPECIAL)
    daytime = next(word for until, word in DAYTIMES if hour < until)
    return f"{daytime} {NOUNS.get(sport_type, sport_type)}"
