"""The checks of `data_quality_issue` in words: what is wrong, what the numbers do about it, what the athlete can do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dashboard.formatting import NARROW, Teller
from dashboard.languages import N_

Shown = Callable[[Teller, float], str]

KINDS = {"wrong": N_("cannot be right"), "doubtful": N_("may be wrong"), "missing": N_("not known")}
PAGE_OF = {
    **dict.fromkeys(("activity_summary", "calendar_heat", "goal_progress", "streak"), N_("Overview")),
    **dict.fromkeys(("trend_rolling_daily", "trend_year_over_year", "start_pattern", "activity_mix"), N_("Trends")),
    **dict.fromkeys(
        ("load_alternatives", "training_load_daily", "time_in_zone", "power_curve", "power_curve_activity"),
        N_("Training"),
    ),
    **dict.fromkeys(
        ("eddington", "milestone", "record_longest", "record_best_effort", "record_progression", "race_prediction"),
        N_("Records"),
    ),
    **dict.fromkeys(("fct_activities", "stream_summary", "split", "lap", "activity_course"), N_("Activity")),
    **dict.fromkeys(("gear_usage", "gear_usage_month"), N_("Gear")),
    "import_suspect": N_("Pipeline"),
    "year_review": N_("Year"),
}
FIX_ON_STRAVA = N_("Correct it on Strava, by hand or by cropping the activity; the next daily check brings it in.")
FIX_TIME = N_("Crop the activity on Strava to when you really began and stopped.")
DELETE_ONE = N_("If both are the same, delete one of them on Strava. If they are two, nothing has to be done.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """The words of a check, to be translated; `shown` says the number that was measured."""

    title: str
    effect: str
    advice: str
    shown: Shown | None = None


def _count(tell: Teller, number: float) -> str:
    return tell.plural("{n} effort", "{n} efforts", number)


def _watts(tell: Teller, watts: float) -> str:
    return f"{tell.number(watts)}{NARROW}W"


def _load(tell: Teller, load: float) -> str:
    return tell("load {load}", load=tell.number(load))


def _hours(tell: Teller, hours: float) -> str:
    return f"{tell.number(hours, 1)}{NARROW}h"


CHECKS: Mapping[str, Check] = {
    "unreadable_fields": Check(
        title=N_("What Strava sent cannot be read in full"),
        effect=N_("The fields that cannot be read are empty; without a day no statistic counts the activity."),
        advice=N_("Open the activity on Strava and save it again, so that it is sent once more."),
    ),
    "undated": Check(
        title=N_("No day"),
        effect=N_("Without a day no sum, streak, record or chart counts the activity."),
        advice=N_("Set date and time on Strava, or import a recording that has them."),
    ),
    "too_early": Check(
        title=N_("Recorded before 2000"),
        effect=N_("It counts on that day, so the history begins too early: a clock that was never set writes so."),
        advice=N_("Set date and time on Strava."),
    ),
    "in_the_future": Check(
        title=N_("Dated in the future"),
        effect=N_("It counts from its day on, and until then in no sum."),
        advice=N_("Set date and time on Strava if the day is wrong."),
    ),
    "speed_inconsistent": Check(
        title=N_("Distance, time and speed contradict one another"),
        effect=N_("It counts in sums, and in no record, Eddington number or load by pace."),
        advice=FIX_ON_STRAVA,
    ),
    "time_inconsistent": Check(
        title=N_("Longer in motion than from start to stop"),
        effect=N_("The time from start to stop counts instead."),
        advice=FIX_ON_STRAVA,
    ),
    "moving_time_implausible": Check(
        title=N_("In motion for longer than can be"),
        effect=N_("It counts in sums as sent, and in no load, speed or record."),
        advice=FIX_TIME,
        shown=Teller.duration,
    ),
    "elapsed_time_implausible": Check(
        title=N_("Not stopped in time"),
        effect=N_("The time from start to stop makes no record; the time in motion counts as usual."),
        advice=FIX_TIME,
        shown=Teller.duration,
    ),
    "no_moving_time": Check(
        title=N_("A distance without a time"),
        effect=N_("Distance counts, and time, pace and load are empty."),
        advice=N_("Enter the time on Strava."),
        shown=Teller.distance,
    ),
    "no_distance": Check(
        title=N_("A time without a distance"),
        effect=N_("Time counts; distances, paces and the Eddington number lack the activity."),
        advice=N_("Enter the distance on Strava, as for a treadmill."),
        shown=Teller.duration,
    ),
    "gps_jump": Check(
        title=N_("A jump of the satellite signal"),
        effect=N_(
            "Best efforts that meet the jump are left out of records and predictions; sums count the distance as sent."
        ),
        advice=N_("Crop the jump on Strava, or correct the distance there."),
        shown=_count,
    ),
    "faster_than_world_record": Check(
        title=N_("Faster than the world record"),
        effect=N_("These best efforts are left out of records and predictions."),
        advice=N_("Most often the sport is wrong, such as a ride saved as a run: correct it on Strava."),
        shown=_count,
    ),
    "effort_longer_than_activity": Check(
        title=N_("A best effort longer than the activity"),
        effect=N_("These best efforts are left out of records and predictions."),
        advice=N_("The distance was corrected afterwards, as of a treadmill; nothing has to be done."),
        shown=_count,
    ),
    "heart_rate_out_of_range": Check(
        title=N_("Heart rate out of range"),
        effect=N_(
            "Seconds under 30 or over 220 a minute count in no zone; those over your maximum by more than 10 count, "
            "and make zones and load too high."
        ),
        advice=N_("If your maximum is higher than we know, enter it in `athlete.toml`; else tighten or wet the strap."),
        shown=Teller.clock,
    ),
    "power_out_of_range": Check(
        title=N_("Power above 2,500 W or 30 W/kg"),
        effect=N_("Samples above it count in no zone and no power curve."),
        advice=N_("Calibrate the power meter."),
        shown=_watts,
    ),
    "power_estimated": Check(
        title=N_("Power is estimated"),
        effect=N_(
            "Strava's estimate makes a load only where no heart rate is known, and never a power curve or a zone."
        ),
        advice=N_("Nothing has to be done; a power meter would measure it."),
        shown=_watts,
    ),
    "climb_impossible": Check(
        title=N_("More metres up than along"),
        effect=N_("The climb counts in sums and in the records of climbing as sent."),
        advice=N_("On Strava choose Correct elevation for the activity."),
        shown=Teller.elevation,
    ),
    "load_capped": Check(
        title=N_("Load at its limit of 200 an hour"),
        effect=N_("The limit counts in load, fitness and fatigue instead of what was worked out."),
        advice=N_("Check the recording, and FTP, threshold pace and maximal heart rate in `athlete.toml`."),
        shown=_load,
    ),
    "sport_unknown": Check(
        title=N_("A sport that is not known here"),
        effect=N_("It counts in the group of other sports, and its load by heart rate or time alone."),
        advice=N_("Nothing has to be done; a newer version may know it."),
    ),
    "start_time_hidden": Check(
        title=N_("Start time is hidden"),
        effect=N_("The day is right; the chart of starting hours and the check for overlaps leave it out."),
        advice=N_("Show the start time in the activity's settings on Strava if you want it to count."),
    ),
    "time_zone_assumed": Check(
        title=N_("Time zone is assumed"),
        effect=N_("Day and hour are those of your usual time zone; close to midnight the day may be another."),
        advice=N_("Nothing has to be done if you were at home; else set the time on Strava."),
    ),
    "time_zone_far": Check(
        title=N_("Time zone does not fit the place"),
        effect=N_("Day and hour are by the clock as sent, which no place there has."),
        advice=N_("Set the time zone of the device, and the time of the activity on Strava."),
        shown=_hours,
    ),
    "recordings_overlap": Check(
        title=N_("Two activities at the same time"),
        effect=N_("Both count: distance, time, load and gear may be doubled."),
        advice=DELETE_ONE,
        shown=Teller.percent,
    ),
    "import_overlaps": Check(
        title=N_("An imported recording overlaps with another activity"),
        effect=N_("The two are unlike, so both count; sums may be doubled."),
        advice=DELETE_ONE,
    ),
    "import_time_zone": Check(
        title=N_("An imported recording is like another but for its start"),
        effect=N_("It starts some quarter hours off, as by another time zone, so both count; sums may be doubled."),
        advice=DELETE_ONE,
    ),
    "details_missing": Check(
        title=N_("Only the summary is stored"),
        effect=N_("Laps, splits and best efforts are missing, so a record may be, too."),
        advice=N_("`athlete backfill` loads the details as far as Strava's limits allow."),
    ),
    "streams_missing": Check(
        title=N_("No recorded curves"),
        effect=N_("Zones, power curve, splits on the flat and the curves of the page Activity lack it."),
        advice=N_("`athlete backfill --streams` loads them, and so does an import of your export."),
    ),
    "gear_unknown": Check(
        title=N_("Gear without a name"),
        effect=N_("Its kilometres count under Strava's number of the gear."),
        advice=N_("The daily check asks Strava for it; gear that was deleted there keeps its number."),
    ),
}  # fmt: skip


def measured(name: str, value: float | None, tell: Teller) -> str:
    """Say the number behind an issue; nothing where it has none."""
    shown = CHECKS[name].shown if name in CHECKS else None
    return shown(tell, value) if shown and value is not None else ""


def title(name: str, tell: Teller) -> str:
    """Return what a check found; one that this version does not know keeps its name."""
    return tell(CHECKS[name].title) if name in CHECKS else name


def pages(touched_marts: str, tell: Teller) -> str:
    """Say on which pages the numbers of these marts stand."""
    found = dict.fromkeys(PAGE_OF[mart] for mart in touched_marts.split(", ") if mart in PAGE_OF)
    order = list(dict.fromkeys(PAGE_OF.values()))
    return ", ".join(tell(each) for each in sorted(found, key=order.index))
