"""Events of another subscription: not ours to take, but never dropped in silence.

A subscription that is made again has a new id, and events of the one before may still be queued. So all that this
pipeline ever made count as its own, and every other leaves a row in the ledger that says what to do:
https://developers.strava.com/docs/webhooks/.
"""

from collections.abc import Sequence

from backends.warehouse import WarehouseBusy
from backends.warehouse.ledger import Outcome
from backends.warehouse.subscriptions import KnownSubscription, SubscriptionStore, current_id
from runtime.batching import Batcher
from runtime.log_sampling import SampledWarnings
from strava.events import ReceivedEvent
from worker.push_handler import EventHandler
from worker.results import Record, Result


class SubscriptionCheck:
    """Takes the events of remembered subscriptions, or of every one while none is current; ignores others.

    An id that was not known at the last look is looked up again, so a subscription that is made while the worker runs
    counts at once. `override` is STRAVA_SUBSCRIPTION_ID: with it the events of that subscription alone are taken.
    """

    def __init__(self, handle_event: EventHandler, store: SubscriptionStore, override: int | None = None) -> None:
        self._handle = handle_event
        self._store = store
        self._override = override
        self._known: frozenset[int] = frozenset() if override is None else frozenset({override})
        self._look_up = Batcher(self._read, shared=WarehouseBusy)
        self._warnings = SampledWarnings("event.other_subscription")

    async def __call__(self, received: ReceivedEvent, record: Record) -> Result:
        """Finish the event. Raises WarehouseBusy, and what `handle_event` raises."""
        given = received.event.subscription_id
        reason = None if given in self._known else await self._why_foreign(given)
        if reason is None:
            return await self._handle(received, record)
        self._warnings.warning(reason=reason)
        return Result(outcome=Outcome.IGNORED, reason=reason)

    async def _why_foreign(self, given: int) -> str | None:
        if self._override is not None:
            return (
                f"The event's subscription is {given}, but STRAVA_SUBSCRIPTION_ID admits {self._override} alone: "
                "remove that setting, start again, and run `athlete subscription create`, which finds the id itself."
            )
        found = await self._look_up(given)
        self._known = frozenset(each.subscription_id for each in found)
        current = current_id(found)
        if current is None or given in self._known:
            return None
        return (
            f"The event's subscription is {given}, this pipeline's is {current}: if Strava has {given} now "
            "(`athlete subscription show`), `athlete subscription create` adopts it, without a restart."
        )

    async def _read(self, given: Sequence[int]) -> list[list[KnownSubscription]]:
        return [await self._store.subscriptions()] * len(given)
