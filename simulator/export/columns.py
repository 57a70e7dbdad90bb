"""The columns of `activities.csv` as Strava wrote them from 2019 to 2026."""

from dataclasses import dataclass
from enum import StrEnum

FIRST = (
    "Activity ID", "Activity Date", "Activity Name", "Activity Type", "Activity Description", "Elapsed Time",
    "Distance",
)  # fmt: skip
MAX_HEART_RATE, RELATIVE_EFFORT, COMMUTE, NOTE = "Max Heart Rate", "Relative Effort", "Commute", "Activity Private Note"
GEAR, FILE = "Activity Gear", "Filename"
SHOWN = (*FIRST, MAX_HEART_RATE, RELATIVE_EFFORT, COMMUTE, NOTE, GEAR, FILE)
#: For machines; names of `SHOWN` come again here.
MEASURED = (
    "Athlete Weight", "Bike Weight", "Elapsed Time", "Moving Time", "Distance", "Max Speed", "Average Speed",
    "Elevation Gain", "Elevation Loss", "Elevation Low", "Elevation High", "Max Grade", "Average Grade",
    "Average Positive Grade", "Average Negative Grade", "Max Cadence", "Average Cadence", "Max Heart Rate",
    "Average Heart Rate", "Max Watts", "Average Watts", "Calories", "Max Temperature", "Average Temperature",
    "Relative Effort", "Total Work", "Number of Runs", "Uphill Time", "Downhill Time", "Other Time",
    "Perceived Exertion", "Type", "Start Time", "Weighted Average Power", "Power Count", "Prefer Perceived Exertion",
    "Perceived Relative Effort", "Commute", "Total Weight Lifted", "From Upload", "Grade Adjusted Distance",
    "Weather Observation Time", "Weather Condition", "Weather Temperature", "Apparent Temperature", "Dewpoint",
    "Humidity", "Weather Pressure", "Wind Speed", "Wind Gust", "Wind Bearing", "Precipitation Intensity",
    "Sunrise Time", "Sunset Time", "Moon Phase", "Bike", "Gear", "Precipitation Probability", "Precipitation Type",
    "Cloud Cover", "Weather Visibility", "UV Index", "Weather Ozone", "Jump Count", "Total Grit", "Average Flow",
    "Flagged",
)  # fmt: skip
_ADDED = (
    "Average Elapsed Speed", "Dirt Distance", "Newly Explored Distance", "Newly Explored Dirt Distance",
    "Activity Count", "Total Steps", "Carbon Saved", "Pool Length", "Training Load", "Intensity",
    "Average Grade Adjusted Pace", "Timer Time", "Total Cycles", "Recovery", "With Pet", "Competition", "Long Run",
    "For a Cause", "With Kid", "Downhill Distance", "Total Sets", "Total Reps",
)  # fmt: skip
MEDIA = "Media"
_OLDEST = ("id", "date", "name", "type", "description", "elapsed_time", "distance", "commute", "gear", "filename")


class Version(StrEnum):
    """A form of the export, called by the month or year in which it was first seen."""

    JUNE_2019 = "2019-06"
    JULY_2019 = "2019-07"
    YEAR_2020 = "2020"
    YEAR_2023 = "2023"
    YEAR_2024 = "2024"
    JUNE_2024 = "2024-06"
    AUGUST_2024 = "2024-08"
    AUGUST_2025 = "2025-08"
    FEBRUARY_2026 = "2026-02"
    SEPTEMBER_2026 = "2026-09"


_NUMBER_ADDED = {
    Version.YEAR_2023: 5, Version.YEAR_2024: 6, Version.JUNE_2024: 11, Version.AUGUST_2024: 13,
    Version.AUGUST_2025: 18, Version.FEBRUARY_2026: 20, Version.SEPTEMBER_2026: 22,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """The English names of the columns: those shown in the account's language, and those for machines."""

    shown: tuple[str, ...]
    measured: tuple[str, ...] = ()

    @property
    def is_oldest(self) -> bool:
        """Whether the names are those of before July 2019, when dates were ISO and distances metres."""
        return self.shown == _OLDEST


def layout_of(version: Version) -> Layout:
    """Return the columns that a version has."""
    if version is Version.JUNE_2019:
        return Layout(_OLDEST)
    if version is Version.JULY_2019:
        return Layout((*FIRST, COMMUTE, GEAR, FILE))
    if version is Version.YEAR_2020:
        return Layout((*FIRST, RELATIVE_EFFORT, COMMUTE, GEAR, FILE), MEASURED)
    return Layout(SHOWN, (*MEASURED, *_ADDED[: _NUMBER_ADDED[version]], MEDIA))
