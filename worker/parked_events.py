"""Takes parked events up again once their athlete connects: what kept them from being finished is cured."""

from datetime import datetime

from backends.queue import EventQueue
from backends.warehouse.athletes import AthleteStore
from backends.warehouse.last_write_wins import CLOCK_SKEW
from backends.warehouse.ledger import EventLedger
from worker.athletes import CONNECTED


async def republish_parked(ledger: EventLedger, queue: EventQueue, athlete_id: int) -> int:
    """Publish the athlete's parked events once more, and return how many. Raises WarehouseBusy, QueueUnavailable."""
    parked = await ledger.parked_events(athlete_id)
    for received in parked:
        await queue.publish(received.to_message(), received.attributes())
    return len(parked)


async def has_connected_since(athletes: AthleteStore, athlete_id: int, moment: datetime) -> bool:
    """Tell whether the athlete connected after the moment, or so shortly before that clocks may differ.

    To be asked once an event's parked row is written. Connecting writes the athlete first and then reads the rows, so
    one of the two sees the other. Raises WarehouseBusy.
    """
    return any(
        athlete.athlete_id == athlete_id and athlete.status == CONNECTED and athlete.updated_at > moment - CLOCK_SKEW
        for athlete in await athletes.athletes()
    )
