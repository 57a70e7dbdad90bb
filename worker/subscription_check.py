"""Events of another subscription of the app: not ours to take, but never dropped in silence.

A subscription that is made again has a new id. With the old one configured every event is another's, so each leaves a
row in the ledger that says what to do: https://developers.strava.com/docs/webhooks/.
"""

from backends.warehouse.ledger import Outcome
from runtime.log_sampling import SampledWarnings
from strava.events import ReceivedEvent
from worker.push_handler import EventHandler
from worker.results import Record, Result


class SubscriptionCheck:
    """Takes the events of the subscription that is configured, or of every one while none is; ignores others."""

    def __init__(self, handle_event: EventHandler, subscription_id: int | None) -> None:
        self._handle = handle_event
        self._subscription_id = subscription_id
        self._warnings = SampledWarnings("event.other_subscription")

    async def __call__(self, received: ReceivedEvent, record: Record) -> Result:
        """Finish the event. Raises what the handle_event raises."""
        given, configured = received.event.subscription_id, self._subscription_id
        if configured is None or given == configured:
            return await self._handle(received, record)
        reason = (
            f"The event's subscription is {given}, STRAVA_SUBSCRIPTION_ID says {configured}: "
            f"set it to {given} and start again, or delete the other subscription at Strava."
        )
        self._warnings.warning(reason=reason)
        return Result(outcome=Outcome.IGNORED, reason=reason)
