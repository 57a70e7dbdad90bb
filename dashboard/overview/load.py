"""What the load of the latest activities rests on: which methods gave it, and the newest one with its values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dashboard.card import Why
from dashboard.formatting import Teller, plain
from dashboard.languages import N_
from dashboard.mart import Row

# The methods of `fct_activities.load_method`, as a reader calls them.
METHODS: Mapping[str, str] = {
    "power_stream": N_("power by the second"),
    "power_strava": N_("power"),
    "power_average": N_("average power"),
    "heart_rate_stream": N_("heart rate by the second"),
    "heart_rate_stream_sex_unknown": N_("heart rate by the second, sex unknown"),
    "heart_rate": N_("heart rate"),
    "heart_rate_sex_unknown": N_("heart rate, sex unknown"),
    "pace": N_("pace"),
    "swim": N_("swim speed"),
    "suffer_score": N_("Relative Effort"),
    "suffer_score_unscaled": N_("Relative Effort, not scaled"),
    "power_estimated": N_("estimated power"),
    "time": N_("time alone"),
}
DEFINITION = N_(
    "**Load = about 100 for an hour at threshold**, by the first method of your order that has what it needs. Where "
    "`athlete.toml` tells none (`load_order`), that is measured power, heart rate, pace or swim speed, Relative "
    "Effort, estimated power, time."
)
# What each method reckons; a value is a column of `fct_activities`.
FORMULAS: Mapping[str, str] = {
    "power_stream": N_("hours · (normalised power {load_normalised_power_w} W ÷ FTP)² · 100, FTP {load_ftp_w} W"),
    "power_strava": N_("hours · (weighted power ÷ FTP)² · 100, FTP {load_ftp_w} W"),
    "power_average": N_(
        "hours · (average power ÷ FTP)² · 100, FTP {load_ftp_w} W; Strava sent no weighted power, so hard stretches "
        "count too little"
    ),
    "heart_rate_stream": N_(
        "100 · training impulse {load_trimp}, summed over the recording, ÷ that of an hour at threshold; at rest "
        "{load_resting_heartrate_bpm} bpm, threshold {load_threshold_heartrate_bpm} bpm, maximum "
        "{load_max_heartrate_bpm} bpm"
    ),
    "heart_rate": N_(
        "100 · training impulse ÷ that of an hour at threshold; at rest {load_resting_heartrate_bpm} bpm, threshold "
        "{load_threshold_heartrate_bpm} bpm, maximum {load_max_heartrate_bpm} bpm, average {average_heartrate_bpm} bpm"
    ),
    "pace": N_("hours · (speed ÷ threshold speed)² · 100, threshold speed {load_threshold_speed_mps} m/s"),
    "swim": N_("elapsed hours · (speed ÷ threshold speed)³ · 100, threshold speed {load_threshold_speed_mps} m/s"),
    "suffer_score": N_("Strava's Relative Effort · {load_suffer_score_factor}, this athlete's own factor"),
    "suffer_score_unscaled": N_("Strava's Relative Effort, as too few activities tell what a point of it is worth"),
    "power_estimated": N_("hours · (power as Strava estimates it ÷ FTP)² · 100, FTP {load_ftp_w} W"),
    "time": N_("hours · 50, as nothing else is known"),
}
FORMULAS = {
    **FORMULAS,
    "heart_rate_stream_sex_unknown": FORMULAS["heart_rate_stream"],
    "heart_rate_sex_unknown": FORMULAS["heart_rate"],
}


def coverage(rows: Sequence[Row], tell: Teller) -> str:
    """Return what share of the load each method gave: `Load: 61 % heart rate, 24 % power, 15 % estimated power`."""
    shares = ", ".join(f"{tell.percent(row['load_share'])} {method(row['load_method'], tell)}" for row in rows)
    return tell("Load: {shares}", shares=shares)


def method(name: str, tell: Teller) -> str:
    """Return what a reader calls a method; one that is new to us keeps the mart's name."""
    return tell(METHODS[name]) if name in METHODS else name


def why(activities: Sequence[Row], tell: Teller) -> Why | None:
    """Explain the load of the newest activity that has one; None where none has."""
    newest = next((row for row in activities if row["load"] is not None), None)
    if newest is None:
        return None
    told = Why(
        formula=tell(DEFINITION),
        inputs=[tell("The newest: {told}", told=explained(newest, tell))],
        models=["fct_activities", "load_alternatives", "athlete_setting"],
        activities=[newest],
    )
    if newest["is_load_capped"]:
        return replace(told, excluded=[tell("What is above 200 an hour is left out: the recording is hardly right.")])
    return told


def explained(row: Row, tell: Teller) -> str:
    """Say how the load of an activity came about, with its values."""
    values = {name: tell.number(row[name], 1) for name in row if name.startswith("load_") and _is_number(row[name])}
    if row["average_heartrate_bpm"] is not None:
        values["average_heartrate_bpm"] = tell.number(row["average_heartrate_bpm"])
    formula = FORMULAS.get(row["load_method"])
    return tell(
        "{load} in {time} by {method}: {formula}.",
        load=tell.number(row["load"]),
        time=plain(tell.clock(row["moving_time_s"])),
        method=method(row["load_method"], tell),
        formula=tell(formula, **values) if formula else row["load_method"],
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
