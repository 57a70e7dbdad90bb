"""The app's push subscriptions: the current one, and those before it, whose events may still be on their way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownSubscription:
    """One row of `raw.strava_subscriptions`. `ended_at` is None for the current one, of which there is one at most."""

    subscription_id: int
    remembered_at: datetime
    ended_at: datetime | None


def current_id(known: Iterable[KnownSubscription]) -> int | None:
    """Return the id of the current one, if there is one."""
    return next((each.subscription_id for each in known if each.ended_at is None), None)


class SubscriptionStore(Protocol):
    """Which subscriptions are, or were, this pipeline's. Methods raise WarehouseBusy."""

    async def subscriptions(self) -> list[KnownSubscription]:
        """Return all of them, the current one first."""

    async def set_subscription(self, subscription_id: int | None) -> None:
        """Make this one current, or none; the one before is kept as ended. Doing it twice is success."""
