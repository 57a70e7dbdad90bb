"""The fence that a purge leaves: what was still on its way when it came must not bring the athlete back.

A purged athlete has no row, and a receipt that can be checked against an id. One who connects again has a row, which
says up to when what was seen is of the connection that was purged. Who was never purged is never held back. What an
engine read of both must still hold when it writes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from backends.warehouse.last_write_wins import CLOCK_SKEW
from backends.warehouse.purge_receipts import CheckedReceipts

_ALWAYS = datetime.max.replace(tzinfo=UTC)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fence:
    """Up to when what was seen of an athlete is held back; who is not named is free."""

    closed_until: Mapping[int, datetime]

    @classmethod
    def of(
        cls, fenced_until: Mapping[int, datetime | None], purged_at: Mapping[int, datetime], now: datetime
    ) -> "Fence":
        """Make the fence from what the rows of athletes say, and when those without a row were purged.

        A row that is dated in the future, because the clock was set back since, holds nothing back.
        """
        closed = {each: until for each, until in fenced_until.items() if until and until <= now + CLOCK_SKEW}
        return cls(closed | dict.fromkeys(purged_at, _ALWAYS))

    def holds_back(self, athlete_id: int, seen_at: datetime) -> bool:
        """Whether what was seen of the athlete at that moment must not be stored."""
        return seen_at <= self.closed_until.get(athlete_id, _NEVER)


def last_purges(
    athlete_ids: Iterable[int], purged_at: Mapping[str, datetime], receipts: CheckedReceipts
) -> dict[int, datetime]:
    """Return when each of these athletes was last purged; who never was is not in it.

    `purged_at` is the moment of each receipt, by its hash. Raises ReceiptsUnchecked.
    """
    stamps = {each: [purged_at[mark] for mark in receipts.of(each, purged_at.keys())] for each in athlete_ids}
    return {each: max(found) for each, found in stamps.items() if found}
