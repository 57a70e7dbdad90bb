"""What can be measured of activities, and how each measure is charted and told."""

from collections.abc import Callable
from dataclasses import dataclass

from dashboard import formatting


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """A column of the summary marts: `unit` and `scale` for axes, `tell` for text."""

    title: str
    column: str
    unit: str | None
    scale: float
    tell: Callable[[float], str]

    @property
    def axis_title(self) -> str:
        """The title with the unit of the axis."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def difference(self, now: float, before: float) -> str:
        """Tell by how much it is more or less, with the sign; an ASCII minus, by which Streamlit turns the arrow."""
        text = self.tell(abs(now - before))
        return f"±{text}" if text == self.tell(0) else f"{'+' if now > before else '-'}{text}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A way to weigh the activity mix: the columns with the part (0 … 1) and with the amount."""

    title: str
    column: str
    amount: str
    tell: Callable[[float], str]


MEASURES = {
    "Distance": Measure(title="Distance", column="distance_m", unit="km", scale=1000, tell=formatting.distance),
    "Time": Measure(title="Time", column="moving_time_s", unit="h", scale=3600, tell=formatting.time),
    "Elevation": Measure(title="Elevation", column="elevation_gain_m", unit="m", scale=1, tell=formatting.elevation),
    "Activities": Measure(title="Activities", column="activity_count", unit=None, scale=1, tell=formatting.count),
}

SHARES = {
    "Time": Share(title="time", column="share_of_time", amount="moving_time_s", tell=formatting.time),
    "Distance": Share(title="distance", column="share_of_distance", amount="distance_m", tell=formatting.distance),
    "Count": Share(title="activities", column="share_of_count", amount="activity_count", tell=formatting.count),
}
