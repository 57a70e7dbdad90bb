"""Loading an athlete's past: summaries first, then details, stopping and going on."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from backends.warehouse.activities import Source
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.client import StravaClient
from strava.errors import (
    NotFound,
    RateLimited,
    ServerFailed,
    StravaError,
    Unreachable,
    UnreadableAnswer,
)
from strava.payload import ActivityPage, ActivityPayload
from worker.attempts import Rests
from worker.backfill import Progress, backfill

ATHLETE = 4605555801
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
Rows = Callable[[str], list[dict[str, Any]]]
STATE = "select complete_as_of, listing_began_at, backfill_cursor from _ingestion_state"


def summary(activity_id: int, **fields: Any) -> dict[str, Any]:
    """One line of Strava's list; a higher id started later."""
    started = f"2026-01-{activity_id:02}T10:00:00Z"
    return {
        "id": activity_id,
        "athlete": {"id": ATHLETE},
        "resource_state": 2,
        "name": f"Run {activity_id}",
        "start_date": started,
        **fields,
    }


class Past:
    """An athlete's past in pages of three; details may fail, and are counted."""

    def __init__(self, *activity_ids: int) -> None:
        self.summaries = {key: summary(key) for key in activity_ids}
        self.details: dict[int, dict[str, Any]] = {}
        self.failing: dict[int, Exception] = {}
        self.asked: list[int] = []
        self.tries: list[tuple[int, int | None]] = []
        self.listed: list[int] = []
        self.pages_left = 1000
        self.at_once = 0
        self.most_at_once = 0

    async def activities(
        self, *, after: datetime | None = None, before: datetime | None = None
    ) -> AsyncIterator[ActivityPage]:
        newest_first = sorted(self.summaries.values(), key=lambda it: str(it["start_date"]), reverse=True)
        wanted = [
            it
            for it in newest_first
            if (after is None or datetime.fromisoformat(it["start_date"]) > after)
            and (before is None or datetime.fromisoformat(it["start_date"]) < before)
        ]
        for first in range(0, len(wanted), 3):
            if self.pages_left == 0:
                raise RateLimited(600)
            self.pages_left -= 1
            self.listed += [it["id"] for it in wanted[first : first + 3]]
            yield ActivityPage([ActivityPayload.from_json(it) for it in wanted[first : first + 3]])

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        self.asked.append(activity_id)
        self.tries.append((activity_id, tries))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if activity_id in self.failing:
            raise self.failing[activity_id]
        return ActivityPayload.from_json(
            {**self.summaries[activity_id], **self.details.get(activity_id, {}), "resource_state": 3}
        )


async def test_everything_is_listed_and_then_detailed_newest_first(
    store: SqliteRawStore, clock: Any, rows: Rows
) -> None:
    """Seven activities: all stored in detail, asked for from the newest on, vouched for at the end."""
    past = Past(*range(1, 8))
    told: list[Progress] = []
    done = await backfill(past, store, ATHLETE, on_progress=told.append, concurrency=1, clock=clock)
    assert past.asked == [7, 6, 5, 4, 3, 2, 1]
    assert done == Progress(listed=7, is_listed=True, detailed=7, to_detail=7)
    assert [progress.listed for progress in told[:3]] == [3, 6, 7]
    assert told[-1] == done
    assert await store.counts(ATHLETE) == {3: 7}
    assert {row["source"] for row in rows("select source from strava_activities")} == {Source.BACKFILL}
    state = await store.ingestion_state(ATHLETE)
    assert state is not None
    assert state.complete_as_of is not None
    assert NOON < state.complete_as_of < NOON + timedelta(seconds=1)
    assert (state.listing_began_at, state.backfill_cursor) == (None, None)


async def test_a_listing_that_was_cut_short_goes_on_from_its_cursor(store: SqliteRawStore, clock: Any) -> None:
    """What was listed is vouched for by a cursor, the whole only at the end, as of when the listing began."""
    past = Past(*range(1, 8))
    past.pages_left = 1
    with pytest.raises(RateLimited):
        await backfill(past, store, ATHLETE, clock=clock)
    state = await store.ingestion_state(ATHLETE)
    assert state is not None
    assert (state.complete_as_of, state.backfill_cursor) == (None, datetime(2026, 1, 5, 10, tzinfo=UTC))
    began_at = state.listing_began_at
    clock.advance(3600)
    past.pages_left, past.listed = 1000, []
    await backfill(past, store, ATHLETE, clock=clock)
    done = await store.ingestion_state(ATHLETE)
    assert done is not None
    assert (past.listed, done.complete_as_of, done.backfill_cursor) == ([5, 4, 3, 2, 1], began_at, None)
    assert await store.counts(ATHLETE) == {3: 7}


async def test_an_outdated_detail_is_fetched_before_the_cursor_passes_it(store: SqliteRawStore, clock: Any) -> None:
    """The calls are used up before the edit is fetched: the next start finds it still."""
    past = Past(*range(1, 8))
    await backfill(past, store, ATHLETE, clock=clock)
    past.summaries[7]["name"] = "Race"
    past.failing[7] = RateLimited(600)
    with pytest.raises(RateLimited):
        await backfill(past, store, ATHLETE, clock=clock)
    past.failing.clear()
    past.asked.clear()
    await backfill(past, store, ATHLETE, clock=clock)
    assert past.asked == [7]


async def test_an_activity_from_the_far_future_hides_no_other(store: SqliteRawStore, clock: Any) -> None:
    """Dated 2099: up to where all is complete is the moment of the listing, and what follows is listed too."""
    past = Past(1, 2)
    past.summaries[9] = summary(9, start_date="2099-01-01T00:00:00Z")
    await backfill(past, store, ATHLETE, clock=clock)
    past.summaries[3] = summary(3)
    await backfill(past, store, ATHLETE, clock=clock)
    state = await store.ingestion_state(ATHLETE)
    assert state is not None
    assert state.complete_as_of is not None
    assert state.complete_as_of < NOON + timedelta(days=1)
    assert await store.counts(ATHLETE) == {3: 4}


async def test_a_page_without_any_start_is_stored(store: SqliteRawStore, clock: Any) -> None:
    """The cursor stays where it was."""
    past = Past()
    past.summaries[1] = summary(1, start_date="not a date")
    done = await backfill(past, store, ATHLETE, clock=clock)
    assert (done.listed, await store.counts(ATHLETE)) == (1, {3: 1})


async def test_a_second_time_asks_for_nothing_twice(store: SqliteRawStore, clock: Any) -> None:
    """What is detailed stays; only what is new is fetched."""
    past = Past(1, 2, 3)
    await backfill(past, store, ATHLETE, clock=clock)
    past.summaries[4] = summary(4)
    past.asked.clear()
    await backfill(past, store, ATHLETE, clock=clock)
    assert past.asked == [4]


async def test_an_edit_without_an_event_is_found(store: SqliteRawStore, clock: Any, rows: Rows) -> None:
    """A summary that disagrees with the stored detail has it fetched again."""
    past = Past(1, 2, 3)
    await backfill(past, store, ATHLETE, clock=clock)
    past.summaries[2]["name"] = "Race"
    past.asked.clear()
    await backfill(past, store, ATHLETE, clock=clock)
    [row] = rows("select payload, resource_state from strava_activities where activity_id = 2")
    assert (past.asked, json.loads(row["payload"])["name"], row["resource_state"]) == ([2], "Race", 3)


async def test_a_spent_budget_stops_it_and_the_next_start_goes_on(store: SqliteRawStore, clock: Any) -> None:
    """The error comes out as it is, what was stored stays, and nothing is lost or fetched twice afterwards."""
    past = Past(*range(1, 8))
    past.failing[4] = RateLimited(600)
    with pytest.raises(RateLimited) as stopped:
        await backfill(past, store, ATHLETE, concurrency=2, clock=clock)
    assert stopped.value.retry_after == 600
    stored = set(await store.activity_ids(ATHLETE, resource_state=3))
    assert {6, 7} <= stored <= {3, 5, 6, 7}  # 3 where its turn came before the error of 4
    assert sum((await store.counts(ATHLETE)).values()) == 7
    past.failing.clear()
    past.asked.clear()
    await backfill(past, store, ATHLETE, clock=clock)
    assert sorted(past.asked) == sorted({*range(1, 8)} - stored)
    assert await store.counts(ATHLETE) == {3: 7}


async def test_details_are_fetched_some_at_a_time(store: SqliteRawStore, clock: Any) -> None:
    """Never more at once than was asked for."""
    past = Past(*range(1, 20))
    await backfill(past, store, ATHLETE, concurrency=3, clock=clock)
    assert past.most_at_once == 3


async def test_a_listing_with_an_unreadable_item_is_not_complete(
    store: SqliteRawStore, clock: Any, client_of: Callable[[int], StravaClient], strava: Any, rows: Rows
) -> None:
    """With the real client: the rest is stored, nothing new is vouched for, and log and outcome tell how many."""
    for activity_id in (1, 2, 3):
        strava.shows(activity_id, start_date=f"2026-01-{activity_id:02}T10:00:00Z")
    whole = [[summary(1)], []]
    strava.answers = _Pages(strava.answers, iter([*whole, [summary(3), {"name": "Run 4"}], [7], [summary(2)], []]))
    await backfill(client_of(ATHLETE), store, ATHLETE, clock=clock)
    [vouched_for] = rows(STATE)
    with capture_logs() as logs:
        done = await backfill(client_of(ATHLETE), store, ATHLETE, clock=clock)
    assert (done.listed, done.unreadable, await store.counts(ATHLETE)) == (2, 2, {3: 3})
    assert rows(STATE) == [vouched_for]
    assert vouched_for["complete_as_of"] is not None
    assert [(line["log_level"], line["unreadable"]) for line in logs if line["event"] == "history.incomplete"] == [
        ("warning", 2)
    ]
    strava.answers = _Pages(strava.answers, iter([[summary(3), summary(2)], [summary(1)], []]))
    await backfill(client_of(ATHLETE), store, ATHLETE, clock=clock)
    assert rows(STATE)[0]["complete_as_of"] > vouched_for["complete_as_of"]


async def test_another_athletes_activities_are_not_stored(store: SqliteRawStore, clock: Any) -> None:
    """A foreign answer, listed or in detail: nothing of it becomes the athlete's, and a foreign list proves nothing."""
    past = Past(1, 2, 3)
    past.summaries[2]["athlete"] = {"id": 7}
    done = await backfill(past, store, ATHLETE, clock=clock)
    assert (done.listed, done.unreadable, await store.counts(ATHLETE)) == (2, 1, {3: 2})
    state = await store.ingestion_state(ATHLETE)
    assert state is not None
    assert state.complete_as_of is None
    past.summaries = {4: summary(4)}
    past.details = {4: {**summary(4), "athlete": {"id": 7}}}
    await backfill(past, store, ATHLETE, clock=clock)
    assert (await store.counts(7), await store.counts(ATHLETE)) == ({}, {2: 1, 3: 2})


async def test_a_cursor_never_passes_an_unreadable_item(
    store: SqliteRawStore, clock: Any, client_of: Callable[[int], StravaClient], strava: Any, rows: Rows
) -> None:
    """A listing that was cut short goes on where it still meets the item, so it is not complete in the end either."""
    spent = httpx.Response(429, json={"message": "Rate Limit Exceeded"})
    first = [[summary(5)], [summary(4), {"name": "Run 3"}], [summary(2)], spent]
    strava.answers = _Pages(strava.answers, iter(first))
    with pytest.raises(RateLimited):
        await backfill(client_of(ATHLETE), store, ATHLETE, clock=clock)
    assert [row["backfill_cursor"] for row in rows(STATE)] == ["2026-01-05T10:00:00.000000Z"]
    clock.advance(60)
    strava.answers = _Pages(strava.answers, iter([[summary(4), {"name": "Run 3"}, summary(2)], [summary(1)], []]))
    await backfill(client_of(ATHLETE), store, ATHLETE, clock=clock)
    assert await store.counts(ATHLETE) == {2: 4}
    assert rows(STATE) == [{"complete_as_of": None, "listing_began_at": None, "backfill_cursor": None}]


async def test_nothing_to_load(store: SqliteRawStore, clock: Any) -> None:
    """An athlete without activities is done at once."""
    assert await backfill(Past(), store, ATHLETE, clock=clock) == Progress(is_listed=True, to_detail=0)


async def test_an_activity_that_is_listed_but_not_shown_is_left_for_later(
    store: SqliteRawStore, clock: Any, client_of: Callable[[int], StravaClient], strava: Any
) -> None:
    """With the real client: a 404 of one detail does not stop the others, and removes nothing."""
    pages = iter([[summary(1), summary(2)], []])
    strava.shows(2, start_date="2026-01-02T10:00:00Z")
    strava.answers = _Pages(strava.answers, pages)
    done = await backfill(client_of(ATHLETE), store, ATHLETE, clock=clock)
    assert (done.to_detail, done.detailed, await store.counts(ATHLETE)) == (2, 1, {2: 1, 3: 1})


class _Pages(dict[str, httpx.Response | Exception]):
    """Strava's answers, with a list that goes on from page to page."""

    def __init__(self, answers: dict[str, httpx.Response | Exception], pages: Any) -> None:
        super().__init__(answers)
        self._pages = pages

    def get(self, path: str, default: Any = None) -> Any:
        if path == "athlete/activities":
            page = next(self._pages)
            return page if isinstance(page, httpx.Response) else httpx.Response(200, json=page)
        return super().get(path, default)


async def test_one_activity_on_which_strava_fails_holds_up_no_other(
    store: SqliteRawStore, clock: Any, rows: Rows
) -> None:
    """It is left for later, in the list as among the details; the cursor and all others go on."""
    past = Past(*range(1, 8))
    past.failing[6] = ServerFailed(500)
    past.failing[2] = UnreadableAnswer("activities/2", "it is no JSON")
    done = await backfill(past, store, ATHLETE, clock=clock)
    assert (done.listed, done.is_listed, done.detailed) == (7, True, 5)
    assert await store.activity_ids(ATHLETE, resource_state=2) == [6, 2]
    past.summaries[7]["name"] = "edited"  # the stored detail is outdated, and asked for while listing
    past.failing[7] = ServerFailed(502)
    clock.advance(60)
    assert (await backfill(past, store, ATHLETE, clock=clock)).is_listed


async def test_strava_failing_on_everything_ends_the_round(store: SqliteRawStore, clock: Any) -> None:
    """After five failures in a row nothing more is asked for."""
    past = Past(*range(1, 28))
    past.failing = {each: ServerFailed(503) for each in range(1, 28)}
    with pytest.raises(ServerFailed):
        await backfill(past, store, ATHLETE, clock=clock, concurrency=1)
    assert past.asked == [27, 26, 25, 24, 23]
    past.asked.clear()
    past.failing = {each: ServerFailed(503) for each in range(1, 28) if each % 4}
    await backfill(past, store, ATHLETE, clock=clock, concurrency=1)
    assert len(past.asked) == 27


@pytest.mark.parametrize(
    "error",
    [ServerFailed(500), NotFound("activities/1"), Unreachable("timed out"), ValueError("a fault of ours"), None],
)
async def test_what_always_fails_rests_and_the_others_go_on(
    store: SqliteRawStore, clock: Any, error: Exception | None
) -> None:
    """Six at the head of the list fail for ever: the 20 behind them are loaded within 40 minutes.

    None stands for another athlete's activity in the place of each.
    """
    past, bad, rests = Past(*range(1, 27)), range(21, 27), Rests(clock)
    past.failing = {each: error for each in bad if error is not None}
    past.details = {} if error else {each: {"athlete": {"id": 7}} for each in bad}
    for _ in range(8):
        with suppress(StravaError, ValueError):
            await backfill(past, store, ATHLETE, rests=rests, clock=clock, concurrency=1)
        clock.advance(300)
    assert await store.activity_ids(ATHLETE, resource_state=2) == list(reversed(bad))
    assert {past.asked.count(each) for each in bad} <= {2, 3, 4}
    assert past.tries == [(each, 1 if each in past.asked[:place] else None) for place, each in enumerate(past.asked)]
    assert (len(rests.ends(range(1, 27))), rests.is_empty) == (6, False)
    past.failing, past.details = {}, {}
    clock.advance(86_400)
    await backfill(past, store, ATHLETE, rests=rests, clock=clock)
    assert (await store.counts(ATHLETE), rests.is_empty) == ({3: 26}, True)
