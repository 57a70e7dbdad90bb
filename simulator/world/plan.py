"""When the simulated athlete trains: a periodised year, planned day by day.

Each day's plan depends on the seed and the date alone, so the history does not shift when it is asked for tomorrow.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from math import pi, sin
from random import Random

from simulator.world import roads
from simulator.world.names import RACES, chosen_name
from simulator.world.places import HOME, Place, place_on
from simulator.world.sports import RIDES, RUNS, SPORTS, UNKNOWN, sport

EPOCH = date(1990, 1, 1)
IDS_PER_DAY = 1_000_000
IDS_PER_ATHLETE = 100_000_000_000
GEAR_PER_ATHLETE = 10_000
CYCLE_WEEKS = 16
LOADS = (0.85, 0.92, 1.0, 0.7, 0.95, 1.02, 1.1, 0.75, 1.05, 1.12, 1.2, 0.8, 1.18, 1.0, 0.6, 0.45)
RACE_WEEK = 14
WINTER = frozenset({11, 12, 1, 2})
TREADMILL = 0.25  # of the short runs in winter
SHOE_DAYS = 420  # a pair of shoes lasts this long


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One planned activity: all that its payload is made from. `trap` names an oddity that it must show.

    `loop` names the route in `roads`; without one it is drawn for this activity alone.
    """

    activity_id: int
    sport_type: str
    wall: datetime
    place: Place
    distance_m: float
    moving_time_s: int
    name: str
    purpose: str = ""  # "" | race | long | workout | commute
    trap: str = ""  # "" | hidden_start | contradiction
    is_manual: bool = False
    is_treadmill: bool = False
    is_private: bool = False
    visibility: str = "everyone"
    gear_id: str | None = None
    loop: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of a week: how likely, what (with weights) and how long (metres, or seconds when nothing is covered)."""

    chance: float
    sports: tuple[tuple[str, float], ...]
    amount: float
    hour: float
    purpose: str = ""


SUMMER_WEEK: dict[int, tuple[Slot, ...]] = {
    0: (Slot(0.45, (("Yoga", 3), ("Walk", 1)), 2400, 19.0),),
    1: (
        Slot(0.9, (("Run", 1),), 9000, 18.2, "workout"),
        Slot(0.4, (("Ride", 3), ("EBikeRide", 1)), 6200, 7.6, "commute"),
    ),
    2: (Slot(0.8, (("Ride", 4), ("GravelRide", 2), ("Swim", 2)), 34_000, 17.8),),
    3: (Slot(0.85, (("Run", 4), ("TrailRun", 1)), 8000, 6.6), Slot(0.35, (("GravelRide", 1),), 6200, 7.6, "commute")),
    4: (Slot(0.55, (("WeightTraining", 3), ("Workout", 1)), 2700, 18.6),),
    5: (Slot(0.9, (("Ride", 5), ("GravelRide", 3), ("Hike", 1)), 72_000, 9.1, "long"),),
    6: (
        Slot(0.9, (("Run", 4), ("TrailRun", 2)), 17_000, 9.4, "long"),
        Slot(0.3, (("Walk", 4), ("EBikeRide", 1)), 4500, 16.3),
    ),
}
WINTER_WEEK: dict[int, tuple[Slot, ...]] = {
    0: (Slot(0.5, (("Yoga", 3), ("WeightTraining", 2)), 2700, 19.0),),
    1: (Slot(0.85, (("Run", 4), ("VirtualRun", 2)), 8500, 18.0, "workout"),),
    2: (Slot(0.85, (("VirtualRide", 5), ("Swim", 2)), 28_000, 18.4),),
    3: (Slot(0.8, (("Run", 5), ("TrailRun", 1)), 8000, 17.4),),
    4: (Slot(0.6, (("WeightTraining", 4), ("Workout", 1)), 3000, 18.6),),
    5: (Slot(0.85, (("NordicSki", 3), ("VirtualRide", 3), ("Hike", 2), ("GravelRide", 1)), 40_000, 10.2, "long"),),
    6: (Slot(0.9, (("Run", 5), ("TrailRun", 2)), 15_000, 10.0, "long"), Slot(0.3, (("Walk", 1),), 4500, 15.1)),
}
SCALE = {"Swim": 0.06, "Hike": 0.17, "NordicSki": 0.45, "TrailRun": 0.85}  # against the slot's own amount


def plan_days(seed: int, first: date, until: date, density: int) -> Iterator[Session]:
    """Yield every session from `first` to the day before `until`. Ids grow from day to day, as Strava's do."""
    for ordinal in range(first.toordinal(), until.toordinal()):
        is_ill = Random(f"{seed}:ill:{ordinal // 7}").random() < 0.045
        rng = Random(f"{seed}:day:{ordinal}")
        taken = 0
        for _ in range(0 if is_ill else density):
            sessions = _train(rng, date.fromordinal(ordinal), taken)
            taken += len(sessions)
            yield from sessions


def fitness(day: date) -> float:
    """How fast the athlete is against the table of sports.

    Two per cent a year, three up in summer and down in winter, and two more from the start of a cycle to its race.
    """
    years = day.year + day.timetuple().tm_yday / 366 - 2025
    season = 0.03 * sin(2 * pi * (day.timetuple().tm_yday - 115) / 365.25)
    build = 0.02 * min(day.toordinal() // 7 % CYCLE_WEEKS, RACE_WEEK) / RACE_WEEK
    return min(max(0.98 + 0.02 * years, 0.8), 1.2) + season + build


def usual_speed(sport_type: str, day: date) -> float:
    """Return the metres a second of an ordinary outing that day; 0 where nothing is covered."""
    return sport(sport_type).speed_mps * (fitness(day) if sport_type in RUNS | RIDES else 1.0)


def effort(session: Session) -> float:
    """Return how hard a session was: its speed as a multiple of the usual one on that day, 1 where none is known."""
    usual = usual_speed(session.sport_type, session.wall.date()) * session.moving_time_s
    return min(max(session.distance_m / usual, 0.75), 1.25) if usual and session.distance_m else 1.0


def first_id(day: date, number: int = 0) -> int:
    """Return the least id that an activity saved on that day can have. `number` counts the athletes from 0."""
    return number * IDS_PER_ATHLETE + (day - EPOCH).days * IDS_PER_DAY


def owned(session: Session, number: int) -> Session:
    """Return a session that was planned without regard to whose it is, with ids of the athlete's own."""
    if number == 0:
        return session
    activity_id = session.activity_id + number * IDS_PER_ATHLETE
    gear_id = gear_of(sport(session.sport_type).gear, session.wall.date(), number)
    return replace(session, activity_id=activity_id, gear_id=gear_id)


def gear_of(kind: str, day: date, number: int = 0) -> str | None:
    """Return the gear's id: the pair of shoes in use that day, or the bike. No two athletes share one."""
    serial = number * GEAR_PER_ATHLETE
    if kind == "shoes":
        return f"g{7_000_000 + serial + day.toordinal() // SHOE_DAYS}"
    return {"road": f"b{5_000_001 + serial}", "gravel": f"b{5_000_002 + serial}"}.get(kind)


def _train(rng: Random, day: date, taken: int) -> list[Session]:
    race = _race(rng, day, taken)
    if race is not None:
        return [race]
    slots = (WINTER_WEEK if day.month in WINTER else SUMMER_WEEK)[day.weekday()]
    away = place_on(day) != HOME
    planned = [slot for slot in slots if rng.random() < slot.chance and not (away and slot.purpose == "commute")]
    return [_session(rng, day, slot, taken + index) for index, slot in enumerate(planned)]


def _race(rng: Random, day: date, taken: int) -> Session | None:
    cycle, week = divmod(day.toordinal() // 7, CYCLE_WEEKS)
    if week != RACE_WEEK or day.weekday() != 6:
        return None
    distance = tuple(RACES)[cycle % 3]
    pace = SPORTS["Run"].speed_mps * 1.2 * fitness(day) * (distance / 10_000) ** -0.06
    return Session(
        activity_id=_id(rng, day, taken),
        sport_type="Run",
        wall=_at(day, 9.5, rng),
        place=place_on(day),
        distance_m=distance * rng.uniform(1.001, 1.006),
        moving_time_s=round(distance / pace),
        name=RACES[distance],
        purpose="race",
        gear_id=gear_of("shoes", day),
        loop=roads.race_course(distance),
    )


def _session(rng: Random, day: date, slot: Slot, index: int) -> Session:
    sport_type = _sport_type(rng, day, slot)
    how = sport(sport_type)
    is_treadmill = sport_type == "Run" and day.month in WINTER and slot.purpose == "" and rng.random() < TREADMILL
    distance, moving_time, loop = _outing(rng, day, slot, sport_type, is_treadmill=is_treadmill)
    serial = day.toordinal() * 3 + index
    trap = "contradiction" if sport_type in RIDES and serial % 149 == 5 else ""
    if serial % 53 == 11:
        trap = "hidden_start"
    wall = datetime.combine(day, time(0, 0, 1)) if trap == "hidden_start" else _at(day, slot.hour, rng)
    is_private = serial % 23 == 4
    return Session(
        activity_id=_id(rng, day, index),
        sport_type=sport_type,
        wall=wall,
        place=place_on(day),
        distance_m=101_529.0 if trap == "contradiction" else distance,
        moving_time_s=2432 if trap == "contradiction" else moving_time,
        name=chosen_name(rng, sport_type, wall.hour),
        purpose=slot.purpose,
        trap=trap,
        is_treadmill=is_treadmill,
        is_manual=serial % 41 == 7 or (how.indoor and serial % 9 == 2),
        is_private=is_private,
        visibility="only_me" if is_private else "followers_only" if serial % 17 == 3 else "everyone",
        gear_id=gear_of(how.gear, day),
        loop=loop,
    )


def _sport_type(rng: Random, day: date, slot: Slot) -> str:
    if day.toordinal() % 101 == 13:
        return tuple(UNKNOWN)[day.toordinal() // 101 % len(UNKNOWN)]
    if day.month == 2 and day.weekday() == 5 and rng.random() < 0.6:
        return "NordicSki"
    names = [name for name, _ in slot.sports]
    return rng.choices(names, [weight for _, weight in slot.sports])[0]


def _outing(rng: Random, day: date, slot: Slot, sport_type: str, *, is_treadmill: bool) -> tuple[float, int, str]:
    """Return the metres, the seconds, and the loop where it leads over ground."""
    how = sport(sport_type)
    load = LOADS[day.toordinal() // 7 % CYCLE_WEEKS] if slot.purpose != "commute" else 1.0
    amount = slot.amount * load * fitness(day) ** 3 * rng.uniform(0.82, 1.18) * SCALE.get(sport_type, 1.0)
    if not how.has_distance:
        return 0.0, round(min(amount, 5400)), ""
    if sport_type in UNKNOWN or (slot.amount < 5000 and sport_type != "Walk"):
        amount = rng.uniform(4000, 9000)
    amount = min(amount, 260_000 if sport_type in RIDES else 32_000)
    loop = roads.choose(rng, sport_type, amount, slot.purpose) if how.moves and not is_treadmill else ""
    if loop:
        amount = roads.length_m(place_on(day).name, loop) * rng.uniform(0.992, 1.008)
    speed = usual_speed(sport_type, day) * rng.uniform(0.93, 1.07)
    speed *= {"workout": 1.06, "long": 0.97, "commute": 0.88}.get(slot.purpose, 1.0)
    return round(amount, 1), round(amount / speed), loop


def _at(day: date, hour: float, rng: Random) -> datetime:
    seconds = round((hour + rng.gauss(0, 0.55)) * 3600)
    return datetime.combine(day, time()) + timedelta(seconds=min(max(seconds, 5 * 3600), 21 * 3600))


def _id(rng: Random, day: date, index: int) -> int:
    return first_id(day) + index * 10_000 + rng.randrange(10_000)
