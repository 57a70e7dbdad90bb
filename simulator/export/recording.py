"""One activity as a device recorded it: its curves point by point, with the pause where it was made."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.clock import read_iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What all file formats tell: `seconds` since the start, one for each point; what was not recorded has no curve.

    The device was paused for `pause_s` before the point `resumed_at`.
    """

    activity: dict[str, Any]
    curves: dict[str, list[Any]]
    seconds: list[int]
    pause_s: int
    resumed_at: int

    @classmethod
    def of(cls, activity: dict[str, Any], curves: dict[str, list[Any]]) -> "Recording":
        """Make the recording of a detailed activity that has curves."""
        pause = activity["elapsed_time"] - activity["moving_time"]
        half = len(curves["time"]) // 2
        seconds = [second + (pause if index >= half else 0) for index, second in enumerate(curves["time"])]
        return cls(activity=activity, curves=curves, seconds=seconds, pause_s=pause, resumed_at=half)

    @property
    def start(self) -> datetime:
        """The start in UTC."""
        return read_iso(self.activity["start_date"])

    def moment(self, index: int) -> datetime:
        """Return when a point was recorded."""
        return self.start + timedelta(seconds=self.seconds[index])

    def curve(self, key: str) -> list[Any]:
        """Return a curve's values, or a None for each point."""
        return self.curves.get(key) or [None] * len(self.seconds)
