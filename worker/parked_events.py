"""Tells whether the athlete of an event that is parked connected meanwhile, and so did not take it up."""

from datetime import datetime

from backends.warehouse.athletes import CONNECTED, AthleteStore
from backends.warehouse.last_write_wins import CLOCK_SKEW


async def has_connected_since(athletes: AthleteStore, athlete_id: int, moment: datetime) -> bool:
    """Tell whether the athlete connected after the moment, or so shortly before that clocks may differ.

    To be asked once an event's parked row is written. Connecting writes the athlete first and then reads the rows, so
    one of the two sees the other. Raises WarehouseBusy.
    """
    return any(
        athlete.athlete_id == athlete_id and athlete.status == CONNECTED and athlete.updated_at > moment - CLOCK_SKEW
        for athlete in await athletes.athletes()
    )
