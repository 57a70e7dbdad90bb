"""A hundred differences of two athletes, of which no event told: the daily job finds each, and repairs it."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.reconciliations import Verdict
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from strava.errors import RateLimited
from strava.payload import ActivityPage, ActivityPayload
from tests.worker.reconciled import ATHLETE, DAY_S, Strava, event, forget, living, load
from worker.daily import ClientOf, check_each
from worker.daily_report import DailyReport, ExitCode
from worker.findings import ReconcilePolicy
from worker.history import Histories

SHOWS_ALL, HIDES_PRIVATE = ATHLETE, 77
IN_2099 = "2099-01-01T00:00:00Z"
# Of each kind: how many of the athlete who shows the app everything, how many of the one who does not show it what is
# private, and as what a check counts it. With ten extra ones the run would ask a person first.
KINDS: dict[str, tuple[tuple[int, int], str]] = {
    "saved": ((7, 5), "missing"),
    "saved with the date 2099": ((3, 3), "missing"),
    "row lost": ((3, 4), "missing"),
    "deleted and there again": ((4, 3), "missing"),
    "shown": ((0, 5), "missing"),
    "renamed": ((7, 5), "changed"),
    "on another bike": ((4, 3), "changed"),
    "cropped": ((8, 6), "changed"),
    "moved to 2099": ((2, 2), "changed"),
    "made private": ((8, 0), "changed"),
    "hidden": ((0, 4), "extra"),
    "deleted": ((5, 3), "extra"),
    "never at Strava": ((4, 2), "extra"),
}
EDITS: dict[str, dict[str, Any]] = {
    "shown": {"private": False},
    "renamed": {"name": "Another name"},
    "on another bike": {"gear_id": "b12345678987654321"},
    "cropped": {"distance": 900.0},
    "moved to 2099": {"start_date": IN_2099},
    "made private": {"private": True},
    "hidden": {"private": True},
}
BY_THE_LIST = ("saved", "saved with the date 2099", "row lost", "shown")  # what was never stored, or not any more
COMPARED = ("name", "distance", "moving_time", "gear_id", "start_date", "private")


class Diverging:
    """An athlete whose stored history comes to differ from Strava's, and what differs, by kind."""

    def __init__(self, strava: Strava, store: SqliteRawStore, clock: Any) -> None:
        self.strava = strava
        self.athlete_id: int = strava.world.athlete_id
        self.ids: dict[str, list[int]] = {}
        self.truth: dict[int, list[Any] | None] = {}  # None is what Strava does not show
        self._store, self._clock = store, clock
        self._is_other = self.athlete_id == HIDES_PRIVATE

    async def diverge(self) -> None:
        """Load the history, then have each difference come about, each of another activity."""
        world = self.strava.world
        known = [key for key in self.strava.ids if not world.is_private(key) and world.summary(key)["distance"] > 1_000]
        at_hand = {"shown": [known.pop() for _ in range(KINDS["shown"][0][self._is_other])]}
        for key in at_hand["shown"]:
            world.edit(key, {"private": True})
        await load(self.strava, self._store, self._clock)
        for kind, (counts, _) in KINDS.items():
            chosen = at_hand.get(kind, known)
            self.ids[kind] = [await self._differ(kind, chosen) for _ in range(counts[self._is_other])]
        self.truth = {key: self._shown(key) for keys in self.ids.values() for key in keys}

    async def _differ(self, kind: str, known: list[int]) -> int:
        match kind:
            case "saved":
                return self.strava.save(private=False)
            case "saved with the date 2099":
                return self.strava.save(private=False, start_date=IN_2099)
        activity_id = known.pop()
        match kind:
            case "row lost":
                await forget(self._store, activity_id)
            case "deleted and there again":
                await self._store.apply([event(activity_id, self._clock, athlete_id=self.athlete_id)])
            case "deleted":
                self.strava.delete(activity_id)
            case "never at Strava":
                stray = self.strava.world.detail(activity_id) | {"id": activity_id + 1}
                seen = ActivityPayload.from_json(stray)
                activity_id = seen.activity_id
                await self._store.apply([event(activity_id, self._clock, seen, athlete_id=self.athlete_id)])
            case _:
                self.strava.world.edit(activity_id, EDITS[kind])
        return activity_id

    async def differing(self) -> Counter[str]:
        """Count by kind what is not stored as Strava shows it."""
        rows, payloads = await self._store.stored(self.truth), await self._store.payloads(list(self.truth))
        alive = {key: json.loads(payloads[key]) for key, row in rows.items() if not row.is_deleted}
        return Counter(
            kind for kind, keys in self.ids.items() for key in keys if _compared(alive.get(key)) != self.truth[key]
        )

    def _shown(self, activity_id: int) -> list[Any] | None:
        world = self.strava.world
        is_there = activity_id in world and not (self._is_other and world.is_private(activity_id))
        return _compared(world.detail(activity_id) if is_there else None)


def _compared(activity: dict[str, Any] | None) -> list[Any] | None:
    return None if activity is None else [activity.get(name) for name in COMPARED]


class Unshown:
    """The list as it is, and not one activity: the limit is used up for all repairs."""

    def __init__(self, strava: Strava) -> None:
        self._strava = strava

    def activities(self) -> AsyncIterator[ActivityPage]:
        return self._strava.client().activities()

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        raise RateLimited(900)


@pytest.mark.slow
async def test_a_hundred_differences_are_found_counted_and_repaired(
    clock: Any, tokens: FileTokenStore, store: SqliteRawStore
) -> None:
    """A run without a call for repairs tells them all, the next one ends complete, and the one after finds nothing."""
    async with (
        living(clock, tokens, athlete_id=SHOWS_ALL, years=0.25) as one,
        living(clock, tokens, athlete_id=HIDES_PRIVATE, years=0.25, scope="read") as other,
    ):
        athletes = {each.world.athlete_id: Diverging(each, store, clock) for each in (one, other)}
        for each in athletes.values():
            known = Athlete(athlete_id=each.athlete_id, scope=frozenset(), status="connected", updated_at=clock())
            await store.put_athlete(known)
            await each.diverge()
            loaded = Backfill.requested(each.athlete_id, clock()).changed(
                clock(), listed_at=clock(), finished_at=clock()
            )
            await store.request_backfill(loaded)

        async def daily(client_of: ClientOf) -> tuple[ExitCode, list[tuple[Any, ...]]]:
            """Run the job a day later, and return what an alert and a page read."""
            clock.advance(DAY_S)
            policy = ReconcilePolicy(looks=0)
            report = DailyReport(checked=await check_each([*athletes], store, client_of, policy, clock=clock))
            rows = [await store.last_reconciliation(athlete_id) for athlete_id in athletes]
            return report.exit_code, [
                (row.verdict, row.missing, row.extra, row.changed, row.repaired) for row in rows if row
            ]

        async def differing() -> Counter[str]:
            return sum([await each.differing() for each in athletes.values()], Counter[str]())

        planned = Counter({kind: sum(counts) for kind, (counts, _) in KINDS.items()})
        assert (planned.total(), await differing()) == (100, planned)
        # What the list itself shows is stored at once: what was saved, lost or shown again.
        assert await daily(lambda athlete_id, _: Unshown(athletes[athlete_id].strava)) == (
            ExitCode.DIFFERENT,
            [(Verdict.INCOMPLETE, *_planned(0), 13), (Verdict.INCOMPLETE, *_planned(1), 17)],
        )
        left = await differing()
        assert left == planned - Counter({kind: planned[kind] for kind in BY_THE_LIST})

        assert await daily(lambda athlete_id, lane: athletes[athlete_id].strava.client(lane)) == (
            ExitCode.COMPLETE,
            [(Verdict.COMPLETE, 4, 9, 29, 42), (Verdict.COMPLETE, 3, 9, 16, 28)],
        )
        assert await differing() == Counter()
        assert await daily(lambda athlete_id, lane: athletes[athlete_id].strava.client(lane)) == (
            ExitCode.COMPLETE,
            [(Verdict.COMPLETE, 0, 0, 0, 0)] * 2,
        )
        # What was stored as a summary, because there was no call for its detail, is not forgotten.
        assert None not in [each.retry_at for each in await store.backfills()]
        budget = RateBudget(clock=clock, steady=clock.steady_s)
        await Histories(
            store, lambda athlete_id, lane: athletes[athlete_id].strava.client(lane), budget, clock=clock
        ).load_due()
        assert [each.retry_at for each in await store.backfills()] == [None, None]
        for athlete_id in athletes:
            assert await store.activity_ids(athlete_id, resource_state=2) == []


def _planned(column: int) -> tuple[int, int, int]:
    """Count what is planned for an athlete, as a check counts it."""
    missing, extra, changed = (
        sum(counts[column] for counts, found_as in KINDS.values() if found_as == counted)
        for counted in ("missing", "extra", "changed")
    )
    return missing, extra, changed
