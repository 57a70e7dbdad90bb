"""What can be measured of activities, and how each measure is charted and told."""

from dataclasses import dataclass
from enum import StrEnum

from dashboard.formatting import Teller
from dashboard.languages import N_


class Kind(StrEnum):
    """What a column holds; decides its unit."""

    DISTANCE = "distance"
    DURATION = "duration"
    ELEVATION = "elevation"
    COUNT = "count"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """A column of the summary marts, in metres, seconds or pieces."""

    title: str
    column: str
    kind: Kind

    def shown(self, value: float, tell: Teller) -> str:
        """Return the value with its unit."""
        if self.kind is Kind.DISTANCE:
            return tell.distance(value)
        if self.kind is Kind.DURATION:
            return tell.duration(value)
        return tell.elevation(value) if self.kind is Kind.ELEVATION else tell.number(value)

    def amount(self, value: float, tell: Teller) -> float:
        """Return the value as the number of an axis, in the unit of `unit`."""
        if self.kind is Kind.DISTANCE:
            return tell.distance_amount(value)
        if self.kind is Kind.DURATION:
            return float(value) / 3600
        return tell.elevation_amount(value) if self.kind is Kind.ELEVATION else float(value)

    def unit(self, tell: Teller) -> str:
        """Return the unit of the axis; nothing for a count."""
        units = {Kind.DISTANCE: tell.distance_unit, Kind.DURATION: "h", Kind.ELEVATION: tell.elevation_unit}
        return units.get(self.kind, "")


# By their words in the address.
MEASURES = {
    "distance": Measure(title=N_("Distance"), column="distance_m", kind=Kind.DISTANCE),
    "time": Measure(title=N_("Time"), column="moving_time_s", kind=Kind.DURATION),
    "elevation": Measure(title=N_("Elevation"), column="elevation_gain_m", kind=Kind.ELEVATION),
    "activities": Measure(title=N_("Activities"), column="activity_count", kind=Kind.COUNT),
}
