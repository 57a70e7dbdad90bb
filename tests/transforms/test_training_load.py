"""Loads of random lives: the models' SQL against the definitions written in plain Python."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.compiled import InMemory
from tests.transforms.warehouse import BERLIN

pytestmark = pytest.mark.slow

FIRST = date(2024, 1, 1)
BEGINNING = date(1900, 1, 1)
ACTIVITY = {
    "activity_id": "bigint", "athlete_id": "bigint", "sport_group": "varchar", "is_assisted": "boolean",
    "start_date_local": "date", "moving_time_s": "bigint", "elapsed_time_s": "bigint", "weighted_power_w": "double",
    "average_power_w": "double", "is_power_measured": "boolean", "average_heartrate_bpm": "double",
    "distance_m": "double", "is_speed_inconsistent": "boolean", "suffer_score": "double",
    "is_moving_time_implausible": "boolean", "is_elapsed_time_implausible": "boolean",
}  # fmt: skip
SETTING = {
    "athlete_id": "bigint", "setting": "varchar", "sport_group": "varchar", "valid_from": "date",
    "next_valid_from": "date", "value": "double", "value_text": "varchar",
}  # fmt: skip
STREAMED = {
    "activity_id": "bigint", "heartrate_s": "bigint", "trimp": "double", "normalised_power_w": "double",
}  # fmt: skip
KNOWN = {name: kind for name, kind in SETTING.items() if name != "next_valid_from"} | {"source": "varchar"}
# The words of athlete.toml, in the order that is taken where it tells none, and the methods that each names.
WORDS = {
    "power": "power_s power_a", "heart_rate": "heart_rate", "pace": "pace swim", "relative_effort": "suffer_score",
    "estimated_power": "power_e", "time": "time",
}  # fmt: skip
RANKS = ("file", "strava", "own_activities", "age", "default")


@dataclass(frozen=True)
class Settings:
    """What an athlete's settings are from a day on; None where nobody told."""

    first_day: int
    sex: str | None
    ftp: Mapping[str, float]
    threshold_speed: Mapping[str, float]
    threshold_heartrate: Mapping[str, float]
    resting: float
    maximum: float
    order: Mapping[str, Sequence[str]]

    def values(self) -> Iterator[tuple[str, str, float | str | None]]:
        """Yield setting, group of sports and value."""
        yield from (("sex", "all", self.sex), ("resting_heartrate_bpm", "all", self.resting))
        yield "max_heartrate_bpm", "all", self.maximum
        yield from (("load_order", group, ",".join(words)) for group, words in self.order.items())
        told = (
            ("ftp_w", self.ftp),
            ("threshold_speed_mps", self.threshold_speed),
            ("threshold_heartrate_bpm", self.threshold_heartrate),
        )
        for name, by_group in told:
            yield from ((name, group, value) for group, value in by_group.items())
        if "all" not in self.threshold_heartrate:
            yield "threshold_heartrate_bpm", "all", at_threshold(self.resting, self.maximum)


def at_threshold(resting: float, maximum: float) -> float:
    """Return the heart rate at threshold of whom nobody tells one."""
    return resting + 0.85 * (maximum - resting)


def by_group(*groups: str, least: float, most: float) -> st.SearchStrategy[dict[str, float]]:
    """Make values of some groups of sports."""
    return st.dictionaries(st.sampled_from(groups), st.floats(least, most), max_size=2)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make a value, or none."""
    return st.none() | strategy


SETTINGS = st.builds(
    Settings,
    first_day=st.just(0),
    sex=maybe(st.sampled_from(["F", "M"])),
    ftp=by_group("ride", "run", least=100, most=400),
    threshold_speed=by_group("run", "swim", least=0.5, most=5),
    threshold_heartrate=by_group("all", "run", "ride", least=140, most=180),
    resting=st.floats(40, 70),
    maximum=st.floats(170, 210),
    order=st.dictionaries(
        st.sampled_from(["all", "run", "ride"]),
        st.lists(st.sampled_from(list(WORDS)), unique=True, min_size=1),
        max_size=2,
    ),
)
ACTIVITIES = st.lists(
    st.fixed_dictionaries(
        {
            "days": st.integers(0, 800),
            "sport_group": st.sampled_from(["ride", "run", "swim", "strength"]),
            "is_assisted": st.booleans(),
            "moving_time_s": st.integers(0, 20_000),
            "weighted_power_w": maybe(st.floats(0, 900)),
            "average_power_w": maybe(st.floats(0, 900)),
            "is_power_measured": maybe(st.booleans()),
            "average_heartrate_bpm": maybe(st.floats(0, 300)),
            "distance_m": maybe(st.floats(0, 60_000)),
            "is_speed_inconsistent": st.booleans(),
            "suffer_score": maybe(st.integers(0, 300)),
            "is_moving_time_implausible": st.sampled_from([False, False, False, True]),
            "is_elapsed_time_implausible": st.sampled_from([False, False, False, True]),
            "heartrate_share": maybe(st.sampled_from([0, 0.8, 1, 1.1])),
            "trimp": maybe(st.floats(0, 500)),
            "normalised_power_w": maybe(st.floats(0, 900)),
        }
    ),
    max_size=25,
)


def trimp(minutes: float, bpm: float, of: Settings) -> float:
    """Banister's impulse."""
    share = min(max((bpm - of.resting) / (of.maximum - of.resting), 0), 1)
    factor, exponent = (0.86, 1.67) if of.sex == "F" else (0.64, 1.92)
    return minutes * share * factor * math.exp(exponent * share)


def body_loads(activity: Mapping[str, Any], of: Settings) -> dict[str, float]:
    """Return the loads by power and heart rate, as far as they can be told."""
    group, hours = activity["sport_group"], activity["moving_time_s"] / 3600
    found: dict[str, float] = {}
    if activity["is_moving_time_implausible"]:
        return found
    weighted = activity["weighted_power_w"]
    ftp, bpm = of.ftp.get(group), activity["average_heartrate_bpm"]
    powers = {
        "power_stream": activity["normalised_power_w"] if is_recorded(activity) else None,
        "power_strava" if weighted is not None else "power_average": weighted
        if weighted is not None
        else activity["average_power_w"],
    }
    for name, power in powers.items():
        if ftp and power and power < 10 * ftp and activity["is_power_measured"]:
            found[name] = hours * (power / ftp) ** 2 * 100
    threshold = of.threshold_heartrate.get(group, of.threshold_heartrate.get("all"))
    threshold = at_threshold(of.resting, of.maximum) if threshold is None else threshold
    suffix = "" if of.sex else "_sex_unknown"
    if is_recorded(activity) and activity["heartrate_share"] >= 0.9 and activity["trimp"] is not None:
        found[f"heart_rate_stream{suffix}"] = 100 * activity["trimp"] / trimp(60, threshold, of)
    if bpm is not None and 30 <= bpm <= 250:
        found[f"heart_rate{suffix}"] = 100 * trimp(hours * 60, bpm, of) / trimp(60, threshold, of)
    return found


def taken(found: Mapping[str, float], activity: Mapping[str, Any], of: Settings) -> list[tuple[str, float]]:
    """Return the loads that the athlete's order for the sport names, in its order."""
    order = of.order.get(activity["sport_group"], of.order.get("all", list(WORDS)))
    return [
        (name, load) for word in order for name, load in found.items() if name.startswith(tuple(WORDS[word].split()))
    ]


def body_load(found: Mapping[str, float], activity: Mapping[str, Any], of: Settings) -> float:
    """Return the load by power or heart rate that comes first, also if the order names neither."""
    return next(load for _, load in (*taken(found, activity, of), *found.items()))


def is_recorded(activity: Mapping[str, Any]) -> bool:
    """Whether it has streams."""
    return activity["heartrate_share"] is not None


def score_alone(activity: Mapping[str, Any], factor: float | None) -> dict[str, float]:
    """Return the load by Strava's score, which counts also where the moving time cannot be right."""
    if activity["suffer_score"] is None:
        return {}
    return {"suffer_score" if factor else "suffer_score_unscaled": activity["suffer_score"] * (factor or 1)}


def other_loads(activity: Mapping[str, Any], of: Settings, factor: float | None) -> dict[str, float]:
    """Return the loads by the other methods, in their order."""
    group, seconds, hours = activity["sport_group"], activity["moving_time_s"], activity["moving_time_s"] / 3600
    found: dict[str, float] = {}
    if activity["is_moving_time_implausible"]:
        return score_alone(activity, factor)
    speed = (
        None if activity["is_speed_inconsistent"] or not activity["distance_m"] else activity["distance_m"] / seconds
    )
    threshold = of.threshold_speed.get(group)
    if speed and threshold and group == "run":
        found["pace"] = hours * (speed / threshold) ** 2 * 100
    if speed and threshold and group == "swim" and not activity["is_elapsed_time_implausible"]:
        found["swim"] = activity["elapsed_time_s"] / 3600 * (speed / threshold) ** 3 * 100
    found |= score_alone(activity, factor)
    power = activity["weighted_power_w"]
    power = activity["average_power_w"] if power is None else power
    ftp = of.ftp.get("ride")
    is_estimate = group == "ride" and not activity["is_assisted"] and not activity["is_power_measured"]
    if is_estimate and ftp and power and power < 10 * ftp:
        found["power_estimated"] = hours * (power / ftp) ** 2 * 100
    return {**found, "time": hours * 50}


def expected(activities: Sequence[Mapping[str, Any]], before: Settings, after: Settings) -> dict[int, Any]:
    """Return method and load of each activity in motion."""
    moving = {number: each for number, each in enumerate(activities) if each["moving_time_s"]}
    settings_of = {number: before if each["days"] < after.first_day else after for number, each in moving.items()}
    body = {number: body_loads(each, settings_of[number]) for number, each in moving.items()}

    def cap(number: int) -> float:
        return 200 * float(moving[number]["moving_time_s"]) / 3600

    def factor(day: int) -> float | None:
        scored = [
            n for n, each in moving.items() if day - 365 < each["days"] <= day and each["suffer_score"] and body[n]
        ]
        if len(scored) < 10:
            return None
        loads = sum(min(body_load(body[n], moving[n], settings_of[n]), cap(n)) for n in scored)
        return loads / float(sum(moving[n]["suffer_score"] for n in scored))

    found = {}
    for number, each in moving.items():
        of = settings_of[number]
        by_method = taken({**body[number], **other_loads(each, of, factor(each["days"]))}, each, of)
        if not by_method:
            continue
        [(method, load), *_] = by_method
        most = 200 * each["elapsed_time_s"] / 3600 if method == "swim" else cap(number)
        found[number] = method, load if each["is_moving_time_implausible"] else min(load, most)
    return found


@pytest.fixture(scope="module")
def database(compiled_models: dict[str, str]) -> Iterator[InMemory]:
    """The models of training in memory."""
    with closing(InMemory(compiled_models)) as made:
        yield made


@settings(max_examples=80, deadline=None)
@given(ACTIVITIES, SETTINGS, SETTINGS, st.integers(1, 800))
def test_loads_are_those_of_the_definition(
    database: InMemory, activities: list[dict[str, Any]], before: Settings, after: Settings, first_day: int
) -> None:
    """By the first method of the order that has what it needs, with the settings of the day, at most 200 an hour."""
    after = replace(after, first_day=first_day)
    for each in activities:
        each["elapsed_time_s"] = each["moving_time_s"] + 60
        each["is_moving_time_implausible"] &= each["moving_time_s"] > 0
        each["is_elapsed_time_implausible"] |= each["is_moving_time_implausible"]
    days = (FIRST + timedelta(days=each["days"]) for each in activities)
    database.put(
        "staging.stg_strava__activities",
        ACTIVITY,
        [
            {**each, "activity_id": number, "athlete_id": BERLIN, "start_date_local": day}
            for number, (each, day) in enumerate(zip(activities, days, strict=True))
        ],
    )
    recorded = [
        {**each, "activity_id": number, "heartrate_s": math.ceil(each["heartrate_share"] * each["moving_time_s"])}
        for number, each in enumerate(activities)
        if is_recorded(each)
    ]
    database.put("mart.stream_summary", STREAMED, recorded)
    change = FIRST + timedelta(days=first_day)
    rows = []
    for of, first, last in ((before, BEGINNING, change), (after, change, None)):
        for setting, group, value in of.values():
            told = {"value_text" if setting in {"sex", "load_order"} else "value": value}
            span = {"valid_from": first, "next_valid_from": last}
            rows.append({"athlete_id": BERLIN, "setting": setting, "sport_group": group, **span, **told})
    database.put("mart.athlete_setting", SETTING, rows)
    database.build("staging.int_training__inputs", "staging.int_training__loads")
    found = database.rows(
        "select activity_id, load_method, load from staging.int_training__loads where load is not null"
    )
    wanted = expected(activities, before, after)
    assert {row["activity_id"]: row["load_method"] for row in found} == {n: method for n, (method, _) in wanted.items()}
    for row in found:
        assert row["load"] == pytest.approx(wanted[row["activity_id"]][1], rel=1e-6, abs=1e-6)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.tuples(st.sampled_from(RANKS), st.integers(0, 60)), st.integers(1, 999), max_size=12),
    st.integers(0, 70),
)
def test_the_value_in_force_is_that_of_the_best_source(
    database: InMemory, told: dict[tuple[str, int], int], day: int
) -> None:
    """The newest of the best source that told by the day; before all the first that is known; a default last."""
    rows = [
        {"athlete_id": BERLIN, "setting": "weight_kg", "sport_group": "all", "value": value, "source": source}
        | {"valid_from": BEGINNING if source == "default" else FIRST + timedelta(days=first)}
        for (source, first), value in told.items()
    ]
    rows = list({(row["source"], row["valid_from"]): row for row in rows}.values())
    database.put("staging.int_training__known_settings", KNOWN, rows)
    database.build("mart.athlete_setting")
    moment = FIRST + timedelta(days=day)
    at = f"date '{moment}' >= valid_from and (next_valid_from is null or date '{moment}' < next_valid_from)"
    found = database.rows(f"select value, source from mart.athlete_setting where {at}")  # noqa: S608 - a date of ours
    wanted = in_force(rows, moment)
    assert [(row["value"], row["source"]) for row in found] == wanted


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.tuples(st.sampled_from(("file", "default")), st.integers(0, 60)), st.integers(40, 70)),
    st.dictionaries(st.tuples(st.sampled_from(RANKS), st.integers(0, 60)), st.integers(170, 210)),
    st.integers(0, 70),
)
def test_the_threshold_is_that_of_the_heart_rates_in_force(
    database: InMemory, resting: dict[tuple[str, int], int], maximal: dict[tuple[str, int], int], day: int
) -> None:
    """On each day 85 % of the way from rest to maximum, where both are known."""
    told = [("resting_heartrate_bpm", resting), ("max_heartrate_bpm", maximal)]
    rows = [
        {"athlete_id": BERLIN, "setting": setting, "sport_group": "all", "value": value, "source": source}
        | {"valid_from": BEGINNING if source == "default" else FIRST + timedelta(days=first)}
        for setting, values in told
        for (source, first), value in values.items()
    ]
    rows = list({(row["setting"], row["source"], row["valid_from"]): row for row in rows}.values())
    database.put("staging.int_training__known_settings", KNOWN, rows)
    database.build("mart.athlete_setting")
    moment = FIRST + timedelta(days=day)
    found = database.rows(
        "select value from mart.athlete_setting where setting = 'threshold_heartrate_bpm' "  # noqa: S608 - a date of ours
        f"and date '{moment}' >= valid_from and (next_valid_from is null or date '{moment}' < next_valid_from)"
    )
    known = [in_force([row for row in rows if row["setting"] == setting], moment) for setting, _ in told]
    wanted = [at_threshold(low, high) for (low, _), (high, _) in itertools.product(*known)]
    assert [row["value"] for row in found] == [pytest.approx(value) for value in wanted]


def in_force(rows: Sequence[Mapping[str, Any]], day: date) -> list[tuple[float, str]]:
    """Return value and source of the row that holds on a day, if there is any row."""
    known = [row for row in rows if row["source"] != "default"]
    for source in RANKS[:-1]:
        by_then = [row for row in known if row["source"] == source and row["valid_from"] <= day]
        if by_then:
            best = max(by_then, key=lambda row: row["valid_from"])
            return [(best["value"], source)]
    first = min(known, key=lambda row: (row["valid_from"], RANKS.index(row["source"])), default=None)
    chosen = first or next(iter(rows), None)
    return [(chosen["value"], chosen["source"])] if chosen else []
