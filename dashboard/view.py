"""What every page is given: the mart, whose it is, and what time it is where the page is read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboard.mart import Mart


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """The collaborators of a page. `clock` returns the present moment, zone included."""

    mart: Mart
    zone: ZoneInfo
    refresh_s: float
    clock: Callable[[], datetime]

    def now(self) -> datetime:
        """Return the present moment in the zone of the page."""
        return self.clock().astimezone(self.zone)
