"""What athlete.toml may say (docs/athlete-toml.md), checked, as rows with one unit each: settings, goals, gear."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Generic, Literal, Self, TypeVar, get_args

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from backends.athlete_file.faults import AthleteFileFault, fault_of_syntax, faults_of

T = TypeVar("T")
Row = dict[str, Any]

Group = Literal["run", "ride", "swim", "walk", "winter", "water", "strength", "other"]
_METRES_PER_PACE = {"swim": 100}  # a pace is per 100 m in water, and per kilometre elsewhere
# The methods of load, in the order of transforms/macros/training_load.sql, which is taken where the athlete tells none.
LoadMethod = Literal["power", "heart_rate", "pace", "relative_effort", "estimated_power", "time"]
# What a goal may count: the measure's name in the marts, and how many of its units one unit of the file is.
_MEASURES: Mapping[str, tuple[str, float]] = {
    "distance": ("distance_m", 1000),
    "time": ("moving_time_s", 3600),
    "elevation": ("elevation_gain_m", 1),
    "count": ("activity_count", 1),
    "calories": ("calories_kcal", 1),
    "load": ("load", 1),
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Since(_Strict, Generic[T]):
    """A value, and the first day on which it holds; without one it holds from the beginning."""

    value: T
    first_day: date | None = Field(None, alias="from")


def _as_dated(given: object) -> object:
    """Take a value that stands alone for one that always held."""
    is_dated = isinstance(given, list) and any(isinstance(each, dict) for each in given)
    return given if is_dated else [{"value": given}]


def _with_days_of_their_own(dated: list[Since[T]]) -> list[Since[T]]:
    if len({each.first_day for each in dated}) < len(dated):
        raise ValueError("two values hold from the same day; give each a `from` of its own")
    return dated


def _rising(starts: list[int]) -> list[int]:
    if not starts or starts[0] != 0 or sorted(set(starts)) != starts:
        raise ValueError("write where each zone begins, from 0 upwards, such as [0, 115, 152, 171, 190]")
    return starts


def _seconds(pace: object) -> object:
    """Read minutes and seconds."""
    minutes, colon, seconds = pace.partition(":") if isinstance(pace, str) else ("", "", "")
    is_one = colon and minutes.isdecimal() and seconds.isdecimal() and len(seconds) == 2 and int(seconds) < 60  # noqa: PLR2004 - of a clock
    if not is_one:
        raise ValueError('write minutes and seconds in quotes, such as "4:40"')
    return 60 * int(minutes) + int(seconds)


def _each_once(methods: list[str]) -> list[str]:
    if len(set(methods)) < len(methods):
        raise ValueError("name each method once")
    return methods


_DATED = (BeforeValidator(_as_dated), AfterValidator(_with_days_of_their_own))
Zones = Annotated[list[Annotated[int, Field(strict=True)]], Field(max_length=10), AfterValidator(_rising)]
Threshold = Annotated[list[Since[Annotated[float, Field(strict=True, ge=60, le=230)]]], *_DATED]
Pace = Annotated[int, Field(ge=30, le=1800), BeforeValidator(_seconds)]
DatedZones = Annotated[list[Since[Zones]], *_DATED]
LoadOrder = Annotated[list[LoadMethod], Field(min_length=1), AfterValidator(_each_once)]
DatedLoadOrder = Annotated[list[Since[LoadOrder]], *_DATED]
Words = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=100)]


class Sport(_Strict):
    """What holds for one group of sports."""

    ftp: Annotated[list[Since[Annotated[float, Field(strict=True, ge=30, le=800)]]], *_DATED] = []
    threshold_heart_rate: Threshold = []
    threshold_pace: Annotated[list[Since[Pace]], *_DATED] = []
    heart_rate_zones: DatedZones = []
    power_zones: DatedZones = []
    load_order: DatedLoadOrder = []

    def rows(self, name: str) -> Iterator[Row]:
        """Yield a row for each value and date."""
        yield from _rows("ftp_w", name, self.ftp)
        yield from _rows("threshold_heartrate_bpm", name, self.threshold_heart_rate)
        metres = _METRES_PER_PACE.get(name, 1000)
        for each in self.threshold_pace:
            yield _row("threshold_speed_mps", name, each.first_day, value=metres / each.value)
        yield from _rows("heartrate_zones", name, self.heart_rate_zones)
        yield from _rows("power_zones", name, self.power_zones)
        yield from _rows("load_order", name, self.load_order)


class Goal(_Strict):
    """How much of what in which period, by which sports; without sports by all."""

    kind: Literal["distance", "time", "elevation", "count", "calories", "load"] = Field(alias="type")
    period: Literal["week", "month", "year", "lifetime"]
    sports: Annotated[list[Group], Field(min_length=1)] = []
    value: Annotated[float, Field(strict=True, gt=0, le=1e9)]
    first_day: date | None = Field(None, alias="from")
    last_day: date | None = Field(None, alias="to")

    def rows(self, number: int) -> Iterator[Row]:
        """Yield a row for each group of sports."""
        measure, factor = _MEASURES[self.kind]
        for sport_group in dict.fromkeys(self.sports) or ("all",):
            yield {
                "number": number,
                "measure": measure,
                "period_kind": self.period,
                "sport_group": sport_group,
                "target": self.value * factor,
                "valid_from": _iso(self.first_day),
                "valid_to": _iso(self.last_day),
            }


class Service(_Strict):
    """What a piece of gear needs again after so many kilometres, hours or days, whichever comes first."""

    what: Words
    every_km: Annotated[float, Field(strict=True, gt=0, le=1e6)] | None = None
    every_hours: Annotated[float, Field(strict=True, gt=0, le=1e6)] | None = None
    every_days: Annotated[int, Field(strict=True, gt=0, le=36_500)] | None = None
    last: date | None = None

    @model_validator(mode="after")
    def _has_an_interval(self) -> Self:
        if self.every_km is None and self.every_hours is None and self.every_days is None:
            raise ValueError("say how often: every_km, every_hours or every_days")
        return self

    def row(self, number: int, gear_number: int) -> Row:
        """Return it as a row."""
        return {
            "number": number,
            "gear_number": gear_number,
            "service": self.what,
            "every_m": None if self.every_km is None else self.every_km * 1000,
            "every_s": None if self.every_hours is None else self.every_hours * 3600,
            "every_days": self.every_days,
            "last_done_on": _iso(self.last),
        }


class Gear(_Strict):
    """A bike, a pair of shoes or another thing: Strava knows it by this name, or a rule says what it was used for."""

    name: Words
    cost: Annotated[float, Field(strict=True, ge=0, le=1e9)] | None = None
    retired: Annotated[bool, Field(strict=True)] = False
    sports: Annotated[list[Group], Field(min_length=1)] = []
    title_has: Words | None = None
    first_day: date | None = Field(None, alias="from")
    last_day: date | None = Field(None, alias="to")
    service: list[Service] = []

    @model_validator(mode="after")
    def _has_days_for_a_rule(self) -> Self:
        if not self.has_rule and (self.first_day or self.last_day):
            raise ValueError("`from` and `to` are of a rule, which needs `sports` or `title_has` as well")
        return self

    @property
    def has_rule(self) -> bool:
        """Whether the file says which activities it was used in, because Strava does not know it."""
        return bool(self.sports or self.title_has)

    def rows(self, number: int) -> Iterator[Row]:
        """Yield a row for each group of sports."""
        for sport_group in dict.fromkeys(self.sports) or ("all",):
            yield {
                "number": number,
                "name": self.name,
                "cost": self.cost,
                "is_retired": self.retired,
                "has_rule": self.has_rule,
                "sport_group": sport_group,
                "title_has": self.title_has,
                "valid_from": _iso(self.first_day),
                "valid_to": _iso(self.last_day),
            }


def _with_names_of_their_own(gear: list[Gear]) -> list[Gear]:
    if len({each.name.casefold() for each in gear}) < len(gear):
        raise ValueError("two have one name; write what is said of it below one header")
    return gear


class Person(_Strict):
    """One athlete's settings, goals and gear."""

    sex: Literal["F", "M"] | None = None
    birth_year: Annotated[int, Field(strict=True, ge=1900, le=2100)] | None = None
    weight: Annotated[list[Since[Annotated[float, Field(strict=True, ge=20, le=400)]]], *_DATED] = []
    resting_heart_rate: Annotated[list[Since[Annotated[float, Field(strict=True, ge=25, le=110)]]], *_DATED] = []
    max_heart_rate: Annotated[list[Since[Annotated[float, Field(strict=True, ge=120, le=240)]]], *_DATED] = []
    threshold_heart_rate: Threshold = []
    heart_rate_zones: DatedZones = []
    load_order: DatedLoadOrder = []
    run: Sport = Sport()
    ride: Sport = Sport()
    swim: Sport = Sport()
    walk: Sport = Sport()
    winter: Sport = Sport()
    water: Sport = Sport()
    strength: Sport = Sport()
    other: Sport = Sport()
    goal: list[Goal] = []
    gear: Annotated[list[Gear], AfterValidator(_with_names_of_their_own)] = []

    def settings(self) -> Iterator[Row]:
        """Yield a row for each setting, group of sports and date."""
        if self.sex is not None:
            yield _row("sex", "all", None, value_text=self.sex)
        if self.birth_year is not None:
            yield _row("birth_year", "all", None, value=self.birth_year)
        yield from _rows("weight_kg", "all", self.weight)
        yield from _rows("resting_heartrate_bpm", "all", self.resting_heart_rate)
        yield from _rows("max_heartrate_bpm", "all", self.max_heart_rate)
        yield from _rows("threshold_heartrate_bpm", "all", self.threshold_heart_rate)
        yield from _rows("heartrate_zones", "all", self.heart_rate_zones)
        yield from _rows("load_order", "all", self.load_order)
        for name in get_args(Group):
            sport: Sport = getattr(self, name)
            yield from sport.rows(name)

    def goals(self) -> Iterator[Row]:
        """Yield a row for each goal and group of sports."""
        for number, goal in enumerate(self.goal, 1):
            yield from goal.rows(number)

    def gear_rows(self) -> Iterator[Row]:
        """Yield a row for each piece of gear and group of sports."""
        for number, gear in enumerate(self.gear, 1):
            yield from gear.rows(number)

    def services(self) -> Iterator[Row]:
        """Yield a row for each service of each piece of gear."""
        for gear_number, gear in enumerate(self.gear, 1):
            for number, service in enumerate(gear.service, 1):
                yield service.row(number, gear_number)


class _Content(Person):
    athlete: dict[Annotated[int, Field(gt=0)], Person] = {}

    @property
    def is_anonymous(self) -> bool:
        """Whether something is said that names no athlete."""
        return bool(self.model_fields_set - {"athlete"})


@dataclass(frozen=True)
class Document:
    """One athlete's part of the file."""

    person: Person

    @cached_property
    def payload(self) -> Mapping[str, list[Row]]:
        """The lists that `raw.athlete_files` keeps."""
        return {
            "settings": list(self.person.settings()),
            "goals": list(self.person.goals()),
            "gear": list(self.person.gear_rows()),
            "services": list(self.person.services()),
        }

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said."""
        return not any(self.payload.values())

    @property
    def file_hash(self) -> str:
        """Tells whether two say the same."""
        return hashlib.sha256(orjson.dumps(self.payload)).hexdigest()


def document_of(text: str, athlete_ids: Sequence[int]) -> dict[int, Document]:
    """Return what the file says of each of these athletes, which may be nothing. Raises AthleteFileFault.

    What stands in no athlete's table is of the one athlete whom there is.
    """
    try:
        content = _Content.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise fault_of_syntax(error) from error
    except ValidationError as error:
        raise faults_of(error, text) from error
    if content.is_anonymous and len(athlete_ids) > 1:
        known = ", ".join(map(str, athlete_ids))
        raise AthleteFileFault(
            f"it does not say of whom it tells, and there are several athletes ({known}); put each one's lines below a "
            f"header such as [athlete.{athlete_ids[0]}], and a table such as [run] as [athlete.{athlete_ids[0]}.run]"
        )
    own = content.athlete | ({athlete_ids[0]: content} if content.is_anonymous and athlete_ids else {})
    return {each: Document(own.get(each, Person())) for each in athlete_ids}


def _rows(setting: str, sport_group: str, dated: Sequence[Since[Any]]) -> Iterator[Row]:
    for each in dated:
        if isinstance(each.value, list):
            yield _row(setting, sport_group, each.first_day, value_text=",".join(map(str, each.value)))
        else:
            yield _row(setting, sport_group, each.first_day, value=each.value)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _row(
    setting: str, sport_group: str, first_day: date | None, *, value: float | None = None, value_text: str | None = None
) -> Row:
    return {
        "setting": setting,
        "sport_group": sport_group,
        "valid_from": _iso(first_day),
        "value": value,
        "value_text": value_text,
    }
