"""Tells whether the athlete of an event that is parked could be asked for meanwhile, and so did not take it up."""

from datetime import datetime

from backends.warehouse.athletes import CONNECTED, AthleteStore
from backends.warehouse.last_write_wins import CLOCK_SKEW


async def has_connected_since(athletes: AthleteStore, athlete_id: int, moment: datetime) -> bool:
    """Tell whether the athlete connected after the moment, or so shortly before that clocks may differ.

    Rejected tokens that work again are as good as a connect; the end of a lapse is none, and leaves no `status_since`.
    To be asked once an event's parked row is written: the athlete is written first and the rows are read then, so one
    of the two sees the other. Raises WarehouseBusy.
    """
    connected = [
        each for each in await athletes.athletes() if (each.athlete_id, each.status) == (athlete_id, CONNECTED)
    ]
    return any(max(each.updated_at, each.status_since or each.updated_at) > moment - CLOCK_SKEW for each in connected)
