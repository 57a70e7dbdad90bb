"""The daily comparison, against the Strava simulator behind the real client: found, repaired, and rightly judged."""

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.sqlite.store import SqliteRawStore
from simulator.faults import Faults
from strava.budget_state import Lane
from strava.client import StravaClient
from strava.errors import RateLimited, ServerFailed
from strava.payload import DETAILED, SUMMARY, ActivityPage, ActivityPayload
from tests.contracts.test_own_files import an_import, listed
from tests.worker.reconciled import ATHLETE, DAY_S, Strava, event, forget, living, load
from worker.backfill import backfill, lacking_details
from worker.findings import ReconcilePolicy
from worker.reconcile import reconcile

AT_ONCE = ReconcilePolicy(looks=0)

Hook = Callable[[int], Awaitable[None]]


@pytest.fixture
async def strava(clock: Any, tokens: FileTokenStore, store: SqliteRawStore) -> AsyncIterator[Strava]:
    """An athlete whose history is stored as it was a day ago."""
    async with living(clock, tokens) as athlete:
        await load(athlete, store, clock)
        yield athlete


class Paged:
    """The athlete's list in small pages; `hook` runs between them, with the number of pages so far."""

    def __init__(self, client: StravaClient, hook: Hook, per_page: int = 5) -> None:
        self._client = client
        self._hook = hook
        self._per_page = per_page
        self.pages = 0

    async def activities(self) -> AsyncIterator[ActivityPage]:
        async for page in self._client.activities(per_page=self._per_page):
            yield page
            self.pages += 1
            await self._hook(self.pages)

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        return await self._client.activity(activity_id, tries=tries)


async def check(
    strava: Strava,
    store: SqliteRawStore,
    clock: Any,
    *,
    policy: ReconcilePolicy = AT_ONCE,
    hook: Hook | None = None,
) -> Reconciliation:
    """Reconcile the athlete."""
    client = strava.client()
    listing = client if hook is None else Paged(client, hook)
    athlete_id = strava.world.athlete_id
    return await reconcile(listing, strava.client(Lane.DETAIL), store, athlete_id, policy=policy, clock=clock)


def counts(row: Reconciliation) -> tuple[int, int, int, int]:
    """What differed, and how much of it was repaired."""
    return row.missing, row.extra, row.changed, row.repaired


async def assert_equal(strava: Strava, store: SqliteRawStore) -> None:
    """Assert that what is stored is what Strava has, field by field where the detail is stored."""
    athlete_id = strava.world.athlete_id
    assert sorted(await store.activity_ids(athlete_id)) == sorted(strava.ids)
    stored = {key: json.loads(text) for key, text in (await store.payloads(strava.ids)).items()}
    for key, payload in stored.items():
        truth = strava.world.detail(key)
        names = ["name", "distance", "moving_time", "gear_id", "start_date", "private"]
        names += ["description"] if payload["resource_state"] == DETAILED else []  # a summary has none
        assert [payload.get(name) for name in names] == [truth.get(name) for name in names], key


async def assert_settled(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Assert that a second check finds nothing more, and says so."""
    again = await check(strava, store, clock)
    assert (again.verdict, counts(again), again.reason) == (Verdict.COMPLETE, (0, 0, 0, 0), None)
    assert again.strava_count == again.warehouse_count == len(strava.ids)


async def in_an_export(store: SqliteRawStore, clock: Any, *activity_ids: int) -> None:
    """Let an export of the athlete list these."""
    current = an_import(athlete_id=ATHLETE, started_at=clock(), updated_at=clock())
    await store.put_import(current)
    await store.put_archive_rows([listed(each, athlete_id=ATHLETE, exported_at=clock()) for each in activity_ids], "i1")


async def test_what_an_export_tells_of_costs_no_detail(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """What got too old, and what the API never told of, is there; what was deleted meanwhile comes back."""
    old, never, deleted, *_ = strava.ids
    await in_an_export(store, clock, old, never, deleted)
    [at] = [(await store.stored([old]))[old].observed_at]
    await store.expire(observed_before=at + timedelta(microseconds=1), how_many=1)
    assert (await store.stored([old]))[old].is_deleted
    await forget(store, never)
    await store.apply([event(deleted, clock)])
    await in_an_export(store, clock, deleted)  # a newer one has it again
    clock.advance(DAY_S)
    used = strava.used()
    row = await check(strava, store, clock)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (1, 0, 0, 1))
    assert row.strava_count == row.warehouse_count == len(strava.ids)
    assert await store.file_only_count(ATHLETE) == 0
    assert strava.used() - used == 2 + 1  # the list, and what was deleted
    states = {key: (each.is_deleted, each.resource_state) for key, each in (await store.stored(strava.ids)).items()}
    assert (states[old][0], states[never], states[deleted]) == (True, (False, SUMMARY), (False, DETAILED))
    assert await lacking_details(store, ATHLETE, None, spares_archived=False) == [never]
    assert await lacking_details(store, ATHLETE, None, spares_archived=True) == []


# -- what is found ----------------------------------------------------------------------------------------------------


async def test_nothing_differs(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Equal counts, nothing asked for beside the list, and the history is vouched for as of the listing's beginning."""
    used = strava.used()
    row = await check(strava, store, clock)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 0, 0, 0))
    assert row.strava_count == row.warehouse_count == len(strava.ids) > 15
    assert strava.used() - used == 2
    state = await store.ingestion_state(ATHLETE)
    assert state is not None
    assert state.complete_as_of == row.started_at
    assert await store.last_reconciliation(ATHLETE) == row


async def test_silent_edits_are_found_and_fetched(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """A crop, another gear and another start, of which no event told."""
    crop, gear, moved = [key for key in strava.ids if strava.world.detail(key)["distance"] > 1000][:3]
    strava.world.edit(crop, {"distance": 900.0})
    strava.world.edit(gear, {"gear_id": "b12345678987654321"})
    strava.world.edit(moved, {"start_date": "2099-01-01T00:00:00Z"})
    row = await check(strava, store, clock)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 0, 3, 3))
    await assert_equal(strava, store)
    await assert_settled(strava, store, clock)


async def test_an_edited_description_is_found_by_looking_again(
    strava: Strava, store: SqliteRawStore, clock: Any
) -> None:
    """The list does not show it; the newest activities are looked at first, and kudos alone are no difference."""
    newest, second, third = strava.ids[:3]
    strava.world.edit(newest, {"description": "Rewritten"})
    strava.world.edit(second, {"kudos_count": 99})
    strava.world.edit(third, {"description": "Rewritten too"})
    row = await check(strava, store, clock, policy=ReconcilePolicy(looks=3))
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 0, 2, 2))
    assert json.loads((await store.payloads([newest]))[newest])["description"] == "Rewritten"
    used = strava.used()
    await check(strava, store, clock, policy=ReconcilePolicy(looks=2))
    looked_at = {key for key, it in (await store.stored(strava.ids)).items() if it.observed_at >= row.finished_at}
    assert (strava.used() - used, newest in looked_at, second in looked_at) == (4, False, False)


async def test_what_is_missing_is_stored(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Three saves whose events were lost, one of them dated 2099: stored, in detail as well."""
    saved = [strava.save(), strava.save(sport_type="Ride"), strava.save(start_date="2099-01-01T00:00:00Z")]
    row = await check(strava, store, clock)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (3, 0, 0, 3))
    assert row.strava_count == row.warehouse_count == len(strava.ids)
    assert {it.resource_state for it in (await store.stored(saved)).values()} == {3}
    await assert_equal(strava, store)
    await assert_settled(strava, store, clock)


async def test_what_was_deleted_becomes_a_tombstone(
    strava: Strava, store: SqliteRawStore, clock: Any, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    """Two deletes whose events were lost: the payloads are gone."""
    gone = strava.ids[1:3]
    strava.delete(*gone)
    row = await check(strava, store, clock)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 2, 0, 2))
    dead = rows("select activity_id, payload, source from strava_activities where is_deleted = 1")
    assert {it["activity_id"]: (it["payload"], it["source"]) for it in dead} == dict.fromkeys(gone, (None, "reconcile"))
    await assert_settled(strava, store, clock)


async def test_an_id_that_comes_back_is_alive_again(clock: Any, tokens: FileTokenStore, store: SqliteRawStore) -> None:
    """Made private, which an app without the right to private activities takes for a deletion, and public again."""
    async with living(clock, tokens, scope="read") as strava:
        await load(strava, store, clock)
        flipped = next(key for key in strava.ids if not strava.world.is_private(key))
        count = len(await store.activity_ids(ATHLETE))
        strava.world.edit(flipped, {"private": True})
        row = await check(strava, store, clock)
        assert (row.verdict, counts(row), row.strava_count) == (Verdict.COMPLETE, (0, 1, 0, 1), count - 1)
        clock.advance(DAY_S)
        strava.world.edit(flipped, {"private": False})
        row = await check(strava, store, clock)
        assert (row.verdict, counts(row), row.strava_count) == (Verdict.COMPLETE, (1, 0, 0, 1), count)
        assert not (await store.stored([flipped]))[flipped].is_deleted


@pytest.mark.slow
async def test_two_athletes_are_kept_apart(
    strava: Strava, store: SqliteRawStore, clock: Any, tokens: FileTokenStore
) -> None:
    """What one misses is no matter of the other."""
    async with living(clock, tokens, athlete_id=77) as other:
        row = await check(other, store, clock)
        assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (len(other.ids), 0, 0, len(other.ids)))
        await assert_equal(other, store)
        await assert_settled(strava, store, clock)
        other.delete(*other.ids[:3])
        assert counts(await check(other, store, clock)) == (0, 3, 0, 3)
        await assert_settled(strava, store, clock)


# -- what must not be taken for a difference --------------------------------------------------------------------------


async def test_saves_and_deletes_during_the_listing_are_no_difference(
    strava: Strava, store: SqliteRawStore, clock: Any
) -> None:
    """A save shifts the pages, and its event stores it; a delete pulls an activity out of the next page."""
    first_page, behind = strava.ids[0], strava.ids[12]

    async def meanwhile(page: int) -> None:
        if page == 1:
            saved = strava.save()
            shown = await strava.client(Lane.LIVE).activity(saved)
            await store.apply([event(shown.activity_id, clock, shown)])
        if page == 2:
            strava.delete(first_page, behind)
            await store.apply([event(first_page, clock), event(behind, clock)])

    row = await check(strava, store, clock, hook=meanwhile)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 0, 0, 0))
    assert row.strava_count == row.warehouse_count
    await assert_equal(strava, store)
    await assert_settled(strava, store, clock)


@pytest.mark.slow
async def test_a_missing_activity_that_slips_between_two_pages_is_found(
    strava: Strava, store: SqliteRawStore, clock: Any
) -> None:
    """A delete moves it to the page that was read already: the list is read once more."""
    missing = strava.save()
    order = strava.ids  # five a page: when one of the first five goes, the sixth moves to the first page
    slipping, listed_first = order[5], order[1]
    assert missing == order[0]
    await store.purge(ATHLETE)
    clock.advance(1)
    await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=clock()))
    await backfill(strava.client(Lane.DETAIL), store, ATHLETE, clock=clock)
    await forget(store, slipping)

    async def meanwhile(page: int) -> None:
        if page == 1 and listed_first in strava.world:
            strava.delete(listed_first)
            await store.apply([event(listed_first, clock)])

    row = await check(strava, store, clock, hook=meanwhile)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (1, 0, 0, 1))
    await assert_equal(strava, store)


async def test_an_unlisted_activity_is_asked_for_before_it_is_removed(
    strava: Strava, store: SqliteRawStore, clock: Any
) -> None:
    """A delete of which nobody told moves another past its page: that one is shown on its own, and stays."""
    order = strava.ids

    async def meanwhile(page: int) -> None:
        if page == 1:
            strava.delete(order[1])

    row = await check(strava, store, clock, hook=meanwhile)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 0, 0, 0))
    assert order[5] in await store.activity_ids(ATHLETE)
    row = await check(strava, store, clock)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 1, 0, 1))


async def test_a_list_that_shows_a_deleted_activity_still_does_not_bring_it_back(
    strava: Strava, store: SqliteRawStore, clock: Any
) -> None:
    """Its own address says that it is gone: the tombstone stays, and the counts are equal."""
    stale = strava.ids[0]
    line = ActivityPayload.from_json(strava.world.summary(stale))
    strava.delete(stale)
    await store.apply([event(stale, clock)])

    class Stale(Paged):
        async def activities(self) -> AsyncIterator[ActivityPage]:
            yield ActivityPage([line])
            async for page in super().activities():
                yield page

    listing = Stale(strava.client(), nothing)
    row = await reconcile(listing, strava.client(Lane.DETAIL), store, ATHLETE, policy=AT_ONCE, clock=clock)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 0, 0, 0))
    assert (await store.stored([stale]))[stale].is_deleted


@pytest.mark.parametrize("is_foreign", [True, False], ids=["another athlete's", "unreadable"])
async def test_an_odd_item_makes_the_verdict_incomplete(
    strava: Strava, store: SqliteRawStore, clock: Any, is_foreign: bool
) -> None:
    """It may be any of those that are not listed, so nothing is called extra, and nothing is removed."""
    foreign = ActivityPayload.from_json({"id": 5, "athlete": {"id": 9}, "resource_state": 2})
    strava.delete(strava.ids[0])

    class Odd(Paged):
        async def activities(self) -> AsyncIterator[ActivityPage]:
            yield ActivityPage([foreign] if is_foreign else [], 0 if is_foreign else 1)
            async for page in super().activities():
                yield page

    listing = Odd(strava.client(), nothing)
    row = await reconcile(listing, strava.client(Lane.DETAIL), store, ATHLETE, policy=AT_ONCE, clock=clock)
    assert (row.verdict, counts(row), row.unreadable) == (Verdict.INCOMPLETE, (0, 0, 0, 0), 1)
    assert "could not be read or are another athlete's: 1" in (row.reason or "")
    state = await store.ingestion_state(ATHLETE)
    assert state is not None
    assert state.complete_as_of != row.started_at


# -- the guard, and what stops a run ----------------------------------------------------------------------------------


async def test_a_mass_change_is_not_taken_for_deletions(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Ten activities vanish at once: nothing is removed, nor asked for, until a person confirms it."""
    strava.delete(*strava.ids[:10])
    used = strava.used()
    row = await check(strava, store, clock)
    assert (row.verdict, counts(row)) == (Verdict.GUARDED, (0, 10, 0, 0))
    assert (row.warehouse_count - row.strava_count, strava.used() - used) == (10, 2)
    assert "`athlete daily --confirm`" in (row.reason or "")
    row = await check(strava, store, clock, policy=ReconcilePolicy(looks=0, is_confirmed=True))
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 10, 0, 10))
    await assert_settled(strava, store, clock)


async def test_nine_deletions_need_no_confirmation(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """However few are stored, so many may go in a day; and ten may if they are less than the share."""
    strava.delete(*strava.ids[:9])
    assert (await check(strava, store, clock)).verdict is Verdict.COMPLETE
    strava.delete(*strava.ids[:10])
    row = await check(strava, store, clock, policy=ReconcilePolicy(looks=0, guard_share=0.9))
    assert (row.verdict, row.extra) == (Verdict.COMPLETE, 10)


async def test_an_empty_list_removes_nothing(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """The last activity too needs a person's word."""
    strava.delete(*strava.ids[1:])
    await check(strava, store, clock, policy=ReconcilePolicy(looks=0, is_confirmed=True))
    strava.delete(*strava.ids)
    row = await check(strava, store, clock)
    assert (row.verdict, row.strava_count, row.warehouse_count) == (Verdict.GUARDED, 0, 1)


async def test_a_list_that_was_cut_short_proves_nothing(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """The app lapses after the first page: no tombstone, no watermark, and the row says when to come again."""
    state = await store.ingestion_state(ATHLETE)
    strava.delete(strava.ids[-1])

    async def meanwhile(page: int) -> None:
        strava.simulation.dice.switch(Faults(inactive=True))

    row = await check(strava, store, clock, hook=meanwhile)
    assert (row.verdict, counts(row), row.strava_count) == (Verdict.CUT_SHORT, (0, 0, 0, 0), 5)
    assert row.retry_at is not None
    assert 3500 < (row.retry_at - row.finished_at).total_seconds() <= 3600
    assert "Strava calls the app inactive" in (row.reason or "")
    assert row.stopped_kind == "app_inactive"
    assert await store.ingestion_state(ATHLETE) == state
    strava.simulation.dice.switch(Faults())
    clock.advance(3700)
    row = await check(strava, store, clock)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 1, 0, 1))


async def test_a_dead_token_is_told(strava: Strava, store: SqliteRawStore, clock: Any, tokens: FileTokenStore) -> None:
    """Nothing is compared; the row says what to do."""
    await tokens.delete(ATHLETE)
    row = await check(strava, store, clock)
    assert (row.verdict, row.retry_at) == (Verdict.CUT_SHORT, None)
    assert "athlete connect" in (row.reason or "")


@pytest.mark.slow
async def test_what_the_budget_does_not_allow_is_left(
    clock: Any, tokens: FileTokenStore, store: SqliteRawStore
) -> None:
    """Ten edits, and a share of 30 of 40 reads of which 24 are used: what is left is counted, and repaired later."""
    async with living(clock, tokens, reads=40) as strava:
        while True:  # load the history in as many quarter hours as it takes
            try:
                await load(strava, store, clock)
                break
            except RateLimited:
                clock.advance(901)
        for key in strava.ids[:10]:
            strava.world.edit(key, {"name": "Edited"})
        for _ in range(24):
            strava.simulation.rates.spend_read(clock())
        row = await check(strava, store, clock)
        assert (row.verdict, row.changed) == (Verdict.INCOMPLETE, 10)
        assert 0 < row.repaired < 10
        assert strava.used() <= 30
        assert f"not repaired yet: {10 - row.repaired}" in (row.reason or "")
        assert row.retry_at is not None
        assert row.retry_at > row.finished_at
        clock.advance((row.retry_at - row.finished_at).total_seconds() + 1)
        row = await check(strava, store, clock)
        assert (row.verdict, row.changed, row.missing) == (Verdict.COMPLETE, row.repaired, 0)
        await assert_equal(strava, store)


async def test_one_activity_on_which_strava_fails_stops_no_other(
    strava: Strava, store: SqliteRawStore, clock: Any
) -> None:
    """Two are extra; of one Strava says nothing but 500: it stays, and is counted as left."""
    gone, failing = strava.ids[:2]
    strava.delete(gone, failing)
    client = strava.client()

    class Failing(Paged):
        async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
            if activity_id == failing:
                raise ServerFailed(500)
            return await super().activity(activity_id, tries=tries)

    listing = Failing(client, nothing)
    row = await reconcile(listing, client, store, ATHLETE, policy=AT_ONCE, clock=clock)
    assert (row.verdict, counts(row)) == (Verdict.INCOMPLETE, (0, 2, 0, 1))
    assert row.warehouse_count == row.strava_count + 1
    assert failing in await store.activity_ids(ATHLETE)


# -- killed -----------------------------------------------------------------------------------------------------------


class Killed(Exception):
    """The program ends here."""


class MortalStore(SqliteRawStore):
    """Ends the program before or after one of its writes."""

    writes_left = 0
    is_after = False

    async def _write(self, *args: Any, **kwargs: Any) -> Any:
        self.writes_left -= 1
        if self.writes_left < 0 and not self.is_after:
            raise Killed
        result = await super()._write(*args, **kwargs)
        if self.writes_left < 0:
            raise Killed
        return result


@pytest.mark.slow
async def test_a_run_that_is_killed_at_any_write_is_right_the_next_time(
    strava: Strava, store: SqliteRawStore, clock: Any, tmp_path: Path
) -> None:
    """Missing, changed and extra ones: killed before and after each write, a rerun ends complete and equal."""
    strava.save()
    strava.world.edit(strava.ids[4], {"name": "Edited"})
    strava.delete(strava.ids[7], strava.ids[8])
    await store.close()
    kills = 0
    for is_after in (False, True):
        for writes in range(30):
            copy = tmp_path / f"{writes}-{is_after}.sqlite"
            shutil.copy(tmp_path / "pipeline.sqlite", copy)
            mortal = MortalStore(copy, clock=clock)
            mortal.writes_left, mortal.is_after = writes, is_after
            try:
                await check(strava, mortal, clock)
                await mortal.close()
                break
            except Killed:
                kills += 1
                mortal.writes_left = 1000
            again = await check(strava, mortal, clock)
            assert again.verdict is Verdict.COMPLETE
            assert again.strava_count == again.warehouse_count == len(strava.ids)
            await assert_equal(strava, mortal)
            await mortal.close()
    assert kills >= 2 * 6


async def nothing(page: int) -> None:
    """Nothing happens between the pages."""
