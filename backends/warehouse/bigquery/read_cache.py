"""Rows of activities as they were read lately, until they are written: an event's is read just before that."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from backends.warehouse.activities import StoredActivity

_MOST_ROWS = 10_000
MOST_BYTES = 32_000_000  # of payloads


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of activities: their rows, None where there was none, and payloads of some of these rows."""

    rows: dict[int, StoredActivity | None] = field(default_factory=dict)
    payloads: dict[int, str] = field(default_factory=dict)


class ReadCache:
    """Keeps a row with the payload that was read with it; what is written proves that both still are stored."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept = Read()

    def room(self) -> int:
        """Return how many bytes of payloads may come now: half of what is kept in all, or more."""
        kept = sum(len(text.encode()) for text in self._kept.payloads.values())
        if kept > self._most_bytes // 2:  # of events that wrote nothing, mostly
            self.clear()
            kept = 0
        return self._most_bytes - kept

    def add(
        self, activity_ids: Collection[int], stored: Mapping[int, StoredActivity], payloads: Mapping[int, str]
    ) -> None:
        """Keep what is stored of these activities, and no more payloads than there was `room` for."""
        if len(self._kept.rows) > _MOST_ROWS:
            self.clear()
        self.take(activity_ids)
        self._kept.rows.update({each: stored.get(each) for each in activity_ids})
        self._kept.payloads.update(payloads)

    def take(self, activity_ids: Collection[int]) -> Read:
        """Return what is kept of these activities, and keep it no longer."""
        rows = {each: self._kept.rows.pop(each) for each in activity_ids if each in self._kept.rows}
        payloads = {each: self._kept.payloads.pop(each) for each in activity_ids if each in self._kept.payloads}
        return Read(rows, payloads)

    def clear(self) -> None:
        """Forget everything."""
        self._kept = Read()
