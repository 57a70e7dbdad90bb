"""What an event of an activity is decided on."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from backends.warehouse.activities import StoredActivity
from backends.warehouse.athletes import Athlete


class EventBasis(NamedTuple):
    """Every athlete, and what is stored of some activities, tombstones included, by id."""

    athletes: Sequence[Athlete]
    activities: Mapping[int, StoredActivity]


class EventBases(Protocol):
    """What is known before events are taken."""

    async def event_basis(self, activity_ids: Collection[int]) -> EventBasis:
        """Return what `athletes` and `stored` return, read at once. Raises WarehouseBusy."""
