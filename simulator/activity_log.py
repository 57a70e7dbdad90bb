"""The log of saves: what the athletes did, when to the microsecond, and how its event was delivered."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runtime.clock import utc_text
from simulator.clock import read_iso
from simulator.journal import Journal


@dataclass(slots=True, kw_only=True)
class Save:
    """One thing an athlete did. `event` is None when Strava says nothing about it.

    `fate`: silent | pending | delivered | given_up | lost | unsubscribed
    `deliveries`: attempt (a number), at, status (None when no answer came), error, copy (1 is the duplicate)
    """

    save_id: int
    id: int
    kind: str  # create | update | delete | deauthorize | repeat
    saved_at: str
    event_time: int | None
    event: dict[str, Any] | None
    fate: str
    athlete_id: int | None = None  # a file of an earlier version lacks it
    deliveries: list[dict[str, Any]] = field(default_factory=list)


class ActivityLog:
    """All saves, oldest first; remembered in the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._saves = {int(key): Save(**value) for key, value in journal.of("saves").items()}
        self._last = max(self._saves, default=0)
        self._created_at: dict[int, datetime] = {}
        for save in self._saves.values():
            self._note(save)

    def add(self, *, athlete_id: int, activity_id: int, kind: str, at: datetime, event: dict[str, Any] | None) -> Save:
        """Log a save. `event` lacks only the `subscription_id`, which is known when it is sent."""
        self._last += 1
        save = Save(
            save_id=self._last,
            id=activity_id,
            kind=kind,
            saved_at=utc_text(at),
            event_time=None if event is None else event["event_time"],
            event=event,
            fate="silent" if event is None else "pending",
            athlete_id=athlete_id,
        )
        self._saves[save.save_id] = save
        self._note(save)
        self.keep(save)
        return save

    def keep(self, save: Save) -> None:
        """Remember what became of the save."""
        self._journal.put("saves", str(save.save_id), save)

    def after(self, save_id: int = 0, athlete_id: int | None = None) -> list[Save]:
        """Return the saves after one, oldest first: of all athletes, or of one."""
        saves = [save for key, save in self._saves.items() if key > save_id]
        return saves if athlete_id is None else [save for save in saves if save.athlete_id == athlete_id]

    def created_at(self, activity_id: int) -> datetime | None:
        """Return when an activity was saved first; None when it was there from the beginning."""
        return self._created_at.get(activity_id)

    def _note(self, save: Save) -> None:
        if save.kind == "create":
            self._created_at[save.id] = read_iso(save.saved_at)
