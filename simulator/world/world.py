"""All activities of one simulated athlete: planned from the seed, recorded, or saved since, with their edits."""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from simulator.clock import read_iso
from simulator.journal import Journal
from simulator.recorded import Recorded
from simulator.world import detail as details
from simulator.world import persona
from simulator.world.edits import ImpossibleChange, edited, mirrored, only_possible
from simulator.world.places import PLACES, utc_of
from simulator.world.plan import Session, first_id, owned, plan_days
from simulator.world.streams import streams
from simulator.world.summary import Sketch, sketch, summarise

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a world grows from. `until` is the day after the last generated one."""

    seed: int
    athlete_id: int
    years: float
    until: date
    density: int = 1
    number: int = 0  # counts the athletes of one simulator

    def of_athlete(self, number: int) -> "Origin":
        """Return the origin of another athlete: seed and id count on from the first one's."""
        return replace(self, seed=self.seed + number, athlete_id=self.athlete_id + number, number=number)

    @property
    def first(self) -> date:
        """The first generated day."""
        return self.until - timedelta(days=round(self.years * DAYS_PER_YEAR))

    @classmethod
    def kept(cls, journal: Journal, fresh: "Origin") -> "Origin":
        """Return the origin with the end that was remembered, so that a second start continues the same history."""
        until = journal.of("origin").get("until")
        if until is None:
            journal.put("origin", "until", fresh.until.isoformat())
            return fresh
        return replace(fresh, until=date.fromisoformat(until))


class World:
    """Details are made when asked for; only the plan, the changes and small caches are in memory."""

    def __init__(self, origin: Origin, journal: Journal, recorded: Recorded | None = None) -> None:
        self.origin = origin
        self.journal = journal
        self._recorded = recorded or Recorded()
        planned = plan_days(origin.seed, origin.first, origin.until, origin.density)
        self._sessions = {
            session.activity_id: session
            for session in (owned(each, origin.number) for each in planned)
            if session.activity_id not in self._recorded.activities
        }
        worn = _worn(self._sessions.values())
        self._wardrobe = persona.wardrobe(origin.first, origin.until, worn, origin.number)
        self._sessions |= {int(key): _session(value) for key, value in journal.of("created").items()}
        self._changes: dict[int, dict[str, Any]] = {int(key): value for key, value in journal.of("changes").items()}
        self._deleted = {int(key) for key in journal.of("deleted")}
        self._drawn = lru_cache(maxsize=64)(self._draw)
        self._summarised = lru_cache(maxsize=2048)(self._summarise)
        everything = [*self._sessions, *self._recorded.activities]
        self._order = sorted((self._epoch(key), key) for key in everything if key not in self._deleted)
        self._last_id = max(everything, default=0)

    @property
    def athlete_id(self) -> int:
        """The simulated athlete."""
        return self.origin.athlete_id

    @property
    def person(self) -> persona.Person:
        """Their name, weight and power."""
        return persona.PEOPLE[self.origin.number]

    def __contains__(self, activity_id: int) -> bool:
        known = activity_id in self._sessions or activity_id in self._recorded.activities
        return known and activity_id not in self._deleted

    def __len__(self) -> int:
        return len(self._order)

    def ids(self, *, after: float | None = None, before: float | None = None) -> list[int]:
        """Return living ids that started strictly between two epoch times, oldest first."""
        low = 0 if after is None else bisect_right(self._order, (int(after), float("inf")))
        high = len(self._order) if before is None else bisect_left(self._order, (int(before), 0))
        return [key for _, key in self._order[low:high]]

    def detail(self, activity_id: int) -> dict[str, Any]:
        """Return the detailed activity as it is now, everything shown. Raises KeyError when there is none."""
        if activity_id not in self:
            raise KeyError(activity_id)
        return self._edited(activity_id, self._changes.get(activity_id))

    def summary(self, activity_id: int) -> dict[str, Any]:
        """Return the summary as it is now. Raises KeyError when there is none."""
        if activity_id in self._sessions and activity_id in self and activity_id not in self._changes:
            return self._summarised(activity_id)
        return details.summary_of(self.detail(activity_id))

    def is_private(self, activity_id: int) -> bool:
        """Whether only the athlete may see a living activity, without making its summary."""
        made = self._sessions.get(activity_id)
        base = made.is_private if made else bool(self._recorded.activities[activity_id].get("private"))
        return bool(self._changes.get(activity_id, {}).get("private", base))

    def streams(self, activity_id: int) -> dict[str, list[Any]]:
        """Return the recorded curves by key, cut where the activity was cropped; empty when there are none."""
        if activity_id not in self._sessions or activity_id not in self:
            return {}
        data = streams(self._drawn(activity_id), self._summarised(activity_id))
        limit = self.summary(activity_id)["distance"]
        end = bisect_right(data["distance"], limit) if data else 0
        return {key: values[: max(end, 2)] for key, values in data.items()}

    def uploaded(self, activity_id: int) -> tuple[dict[str, Any], dict[str, list[Any]]]:
        """Return a living activity's detail and curves as its device uploaded them, before anything was edited."""
        made = activity_id in self._sessions
        curves = streams(self._drawn(activity_id), self._summarised(activity_id)) if made else {}
        return self._edited(activity_id, None), curves

    def gear(self, gear_id: str) -> dict[str, Any] | None:
        """Return a piece of gear, detailed, or None."""
        known = {item["id"]: item for item in self._wardrobe} | self._recorded.gear
        return known.get(gear_id)

    def athlete(self, *, is_detailed: bool) -> dict[str, Any]:
        """Return the athlete themself."""
        return persona.athlete(self.athlete_id, self.person, self._wardrobe, is_detailed=is_detailed)

    def next_id(self, now: datetime) -> int:
        """Return an id that was never used, growing from save to save."""
        least = first_id(now.astimezone(UTC).date(), self.origin.number)
        self._last_id = max(self._last_id, least) + 1 + self._last_id % 97
        return self._last_id

    def add(self, session: Session, changes: dict[str, Any]) -> None:
        """Save a new activity: what it is made from, and fields that were given outright. Raises ImpossibleChange."""
        key, changes = session.activity_id, mirrored(changes)
        self._sessions[key] = session
        try:
            self._possible(key, changes)
        except ImpossibleChange:
            del self._sessions[key]
            raise
        wall, place = session.wall, session.place
        texts = {"wall": wall.isoformat(), "fold": wall.fold, "zone": place.zone, "place": place.name}
        self.journal.put("created", str(key), asdict(session) | texts)
        if changes:
            self._change(key, changes)
        insort(self._order, (self._epoch(key), key))

    def edit(self, activity_id: int, changes: dict[str, Any]) -> dict[str, Any]:
        """Change fields and return the detailed activity. Raises KeyError when there is none, and ImpossibleChange."""
        if activity_id not in self:
            raise KeyError(activity_id)
        together = self._changes.get(activity_id, {}) | mirrored(changes)
        after = self._possible(activity_id, together)
        self._order.remove((self._epoch(activity_id), activity_id))
        self._change(activity_id, together)
        insort(self._order, (self._epoch(activity_id), activity_id))
        return after

    def delete(self, activity_id: int) -> None:
        """Remove an activity. Raises KeyError when there is none."""
        if activity_id not in self:
            raise KeyError(activity_id)
        self._order.remove((self._epoch(activity_id), activity_id))
        self._deleted.add(activity_id)
        self.journal.put("deleted", str(activity_id), True)

    def _change(self, activity_id: int, changes: dict[str, Any]) -> None:
        self._changes[activity_id] = changes
        self.journal.put("changes", str(activity_id), changes)

    def _possible(self, activity_id: int, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the activity as the changes would make it, before anything is kept. Raises ImpossibleChange."""
        with only_possible():
            after = self._edited(activity_id, changes)
            orjson.dumps(after)  # what cannot be written cannot be served
        return after

    def _edited(self, activity_id: int, changes: dict[str, Any] | None) -> dict[str, Any]:
        full = self._recorded.activities.get(activity_id)
        if full is None:
            drawn = self._drawn(activity_id)
            full = details.detail(drawn, self._summarised(activity_id), self._short_gear(drawn.session.gear_id))
        if changes:
            full = edited(full, changes)
            if "gear_id" in changes:
                full["gear"] = self._short_gear(changes["gear_id"])
        return full

    def _short_gear(self, gear_id: str | None) -> dict[str, Any] | None:
        worn = self.gear(gear_id or "")
        return persona.short_gear(worn) if worn else None

    def _draw(self, activity_id: int) -> Sketch:
        return sketch(self.origin.seed, self._sessions[activity_id])

    def _summarise(self, activity_id: int) -> dict[str, Any]:
        return summarise(self._drawn(activity_id), self.athlete_id)

    def _epoch(self, activity_id: int) -> int:
        start = self._changes.get(activity_id, {}).get("start_date")
        if start is None and activity_id in self._recorded.activities:
            start = self._recorded.activities[activity_id]["start_date"]
        if start is not None:
            return int(read_iso(start).timestamp())
        session = self._sessions[activity_id]
        return int(utc_of(session.wall, session.place.zone).timestamp())


def other_worlds(origin: Origin, journal: Journal, athletes: int) -> list[World]:
    """Return the worlds of all athletes but the first, each with a part of the journal."""
    return [World(origin.of_athlete(number), journal.section(f"athlete {number}")) for number in range(1, athletes)]


def _worn(sessions: Iterable[Session]) -> dict[str, float]:
    """Return the metres by gear id over the generated history; later activities do not change what is embedded."""
    metres: defaultdict[str, float] = defaultdict(float)
    for session in sessions:
        metres[session.gear_id or ""] += session.distance_m
    return metres


def _session(kept: dict[str, Any]) -> Session:
    """Read what `add` kept; `fold` tells apart the two hours that a wall clock shows alike when it goes back."""
    rest = {key: value for key, value in kept.items() if key not in {"wall", "fold", "zone", "place"}}
    wall = datetime.fromisoformat(kept["wall"]).replace(fold=kept.get("fold", 0))
    return Session(wall=wall, place=PLACES[kept["place"]], **rest)
