"""The sports that the simulated athlete does, and what recording each of them looks like."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sport:
    """Speed in m/s at today's fitness, heart rate as a mean, cadence per leg or per turn; None: not recorded."""

    legacy_type: str
    speed_mps: float
    heartrate: float
    moves: bool = True  # covers ground on a map
    cadence: float | None = None
    watts: float | None = None
    gear: str = ""  # shoes | road | gravel
    indoor: bool = False
    has_distance: bool = True
    hills: float = 1.0


SPORTS = {
    "Run": Sport("Run", 3.02, 148, cadence=84, gear="shoes"),
    "TrailRun": Sport("Run", 2.45, 151, cadence=81, gear="shoes", hills=2.6),
    "VirtualRun": Sport("VirtualRun", 2.95, 146, cadence=85, gear="shoes", moves=False, indoor=True),
    "Ride": Sport("Ride", 7.6, 136, cadence=84, watts=186, gear="road"),
    "GravelRide": Sport("Ride", 6.1, 139, cadence=79, watts=178, gear="gravel", hills=1.5),
    "EBikeRide": Sport("EBikeRide", 6.6, 109, cadence=68, hills=1.3),
    "VirtualRide": Sport("VirtualRide", 8.9, 143, cadence=88, watts=205, gear="road", hills=1.2),
    "Swim": Sport("Swim", 0.78, 128, cadence=27, moves=False, indoor=True, hills=0),
    "Hike": Sport("Hike", 1.15, 108, hills=3.5),
    "Walk": Sport("Walk", 1.42, 96),
    "NordicSki": Sport("NordicSki", 3.1, 146, hills=1.6),
    "WeightTraining": Sport("WeightTraining", 0, 104, moves=False, indoor=True, has_distance=False),
    "Yoga": Sport("Yoga", 0, 82, moves=False, indoor=True, has_distance=False),
    "Workout": Sport("Workout", 0, 112, moves=False, indoor=True, has_distance=False),
}

#: Sport types that no client has heard of yet: the set is open, and a client must keep them.
UNKNOWN = {
    "Plogging": Sport("Workout", 2.1, 131, cadence=78),
    "AirScootering": Sport("Workout", 4.8, 92),
    "CanalSkating": Sport("Workout", 5.2, 127),
}

#: What an athlete may call an activity instead, who sees that it was saved as the wrong sport.
ALIKE = {
    "Run": "TrailRun", "TrailRun": "Run", "VirtualRun": "Run", "Ride": "GravelRide", "GravelRide": "Ride",
    "Walk": "Hike", "Hike": "Walk", "WeightTraining": "Workout", "Workout": "WeightTraining",
}  # fmt: skip

RUNS = frozenset({"Run", "TrailRun", "VirtualRun"})
RIDES = frozenset({"Ride", "GravelRide", "VirtualRide", "MountainBikeRide", "EBikeRide", "EMountainBikeRide"})


def sport(name: str) -> Sport:
    """Return how a sport is recorded; an unheard-of one is recorded like a workout outdoors."""
    return SPORTS.get(name) or UNKNOWN.get(name) or Sport("Workout", 2.0, 115)


def legacy_type(name: str) -> str:
    """Return the deprecated `type` of a sport type: TrailRun is a Run, an unknown one a Workout."""
    known = SPORTS.get(name) or UNKNOWN.get(name)
    if known is not None:
        return known.legacy_type
    return "Ride" if name in RIDES else name if name in SAME_NAME else "Workout"


SAME_NAME = frozenset({
    "AlpineSki", "BackcountrySki", "Canoeing", "Crossfit", "Elliptical", "Golf", "Handcycle", "IceSkate",
    "InlineSkate", "Kayaking", "Kitesurf", "RockClimbing", "RollerSki", "Rowing", "Sail", "Skateboard", "Snowboard",
    "Snowshoe", "Soccer", "StairStepper", "StandUpPaddling", "Surfing", "Velomobile", "Wheelchair", "Windsurf",
})  # fmt: skip
