"""Takes parked events up again once their athlete connects: what kept them from being finished is cured."""

from backends.queue import EventQueue
from backends.warehouse import EventLedger


async def republish_parked(ledger: EventLedger, queue: EventQueue, athlete_id: int) -> int:
    """Publish the athlete's parked events once more, and return how many. Raises WarehouseBusy, QueueUnavailable."""
    parked = await ledger.parked_events(athlete_id)
    for received in parked:
        await queue.publish(received.to_message(), received.attributes())
    return len(parked)
