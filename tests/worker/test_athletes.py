"""For whom Strava cannot be asked: a purge beside a refresh, a dead token, and a lapse of the app."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from backends.connect.connections import AthleteConnections
from backends.tokens.file import FileTokenStore
from backends.warehouse.activities import Observation, Source
from backends.warehouse.athletes import AthleteStatus
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from strava.client import StravaClient
from strava.errors import AppInactive
from strava.events import ReceivedEvent
from strava.grants import Grant
from strava.oauth import OAuthApp, StravaAuth
from strava.payload import ActivityPayload
from strava.tokens import TokenSet
from worker.athletes import AccessWatch
from worker.purge import Purge
from worker.results import TryLater
from worker.turns import in_turns

ATHLETE = 4605555801
FRESH = TokenSet(access_token="fresh", refresh_token="rotated", expires_at=datetime(2100, 1, 1, tzinfo=UTC))
INACTIVE = {"message": "Forbidden", "errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}
Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]


# -- a purge beside what is under way ---------------------------------------------------------------------------------


async def test_a_refresh_under_way_brings_no_tokens_back(
    store: SqliteRawStore, tokens: FileTokenStore, oauth: OAuthApp
) -> None:
    """The purge waits for a refresh under way, so what it saves goes too."""
    async with tokens.refreshing(ATHLETE):
        purging = asyncio.create_task(Purge(store, tokens, oauth)(ATHLETE))
        ended, _ = await asyncio.wait({purging}, timeout=0.1)
        await tokens.save(ATHLETE, FRESH)
    await purging
    assert ended == set()
    assert (await tokens.load(ATHLETE), await store.row_count(ATHLETE)) == (None, 0)


async def test_a_connect_under_way_comes_before_all_of_a_purge_or_after(
    store: SqliteRawStore, tokens: FileTokenStore, oauth: OAuthApp
) -> None:
    """Between the connect's tokens and its athlete the purge waits: no half of an athlete is left."""
    purging: list[asyncio.Task[object]] = []

    async def grant() -> Grant:
        return Grant(athlete_id=ATHLETE, tokens=FRESH)

    async def purge_now(_: int) -> None:
        purging.append(asyncio.create_task(Purge(store, tokens, oauth)(ATHLETE)))
        await asyncio.wait(purging, timeout=0.1)

    await AthleteConnections(tokens, store).connect(grant, on_kept=purge_now)
    await purging[0]
    assert (await tokens.load(ATHLETE), await store.row_count(ATHLETE)) == (None, 0)


async def test_who_connects_while_a_deauthorisation_is_checked_is_not_purged(
    store: SqliteRawStore, tokens: FileTokenStore, oauth: OAuthApp, strava: Any
) -> None:
    """The purge is of the connection that was asked about: the new one keeps its tokens, its access and its rows."""
    [before] = await store.athletes()
    connected = replace(before, updated_at=before.updated_at + timedelta(seconds=1))
    await store.put_athlete(connected)
    await tokens.save(ATHLETE, FRESH)
    with pytest.raises(TryLater):
        await Purge(store, tokens, oauth)(ATHLETE, connected_at=before.updated_at)
    assert (await store.athletes(), await tokens.load(ATHLETE), strava.asked) == ([connected], FRESH, [])
    await Purge(store, tokens, oauth)(ATHLETE, connected_at=connected.updated_at)
    assert await store.row_count(ATHLETE) == 0


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(200, json={}), "The access at Strava was ended."),
        (httpx.Response(400, json={"errors": [{"resource": "AccessToken", "code": "invalid"}]}), "had ended before"),
        (httpx.ConnectError("no route"), "Strava could not be told: Strava cannot be reached"),
        (httpx.Response(500), "Strava could not be told: Strava failed with status 500"),
    ],
)
async def test_what_strava_says_of_the_end_stops_no_purge(
    store: SqliteRawStore, tokens: FileTokenStore, oauth: OAuthApp, strava: Any, answer: Any, told: str
) -> None:
    """All is removed on our side, and it is said whether Strava knows."""
    strava.answers["/oauth/revoke"] = answer
    purged = await Purge(store, tokens, oauth)(ATHLETE)
    assert told in purged.access
    assert (await tokens.load(ATHLETE), await store.row_count(ATHLETE)) == (None, 0)
    again = await Purge(store, tokens, oauth)(ATHLETE)
    assert "No tokens were kept" in again.access


# -- a dead token ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_hundreds_of_events_of_a_dead_token_cost_one_call(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    tokens: FileTokenStore,
    make_event: Event,
    envelope: Wrap,
) -> None:
    """Only that athlete is asked for no more; health, log and data say so; a connect repairs it at once."""
    other = ATHLETE + 1
    [athlete] = await store.athletes()
    await store.put_athlete(replace(athlete, athlete_id=other))
    await tokens.save(other, FRESH)
    strava.rejects_tokens()
    await tokens.save(ATHLETE, replace(FRESH, access_token="old", expires_at=datetime.now(UTC) - timedelta(days=1)))
    statuses = set()

    async def push(number: int) -> None:
        body = envelope(make_event(number), message_id=str(number))
        statuses.add((await worker.post("/push", content=body)).status_code)

    with capture_logs() as logs:
        await in_turns(range(300), push, at_once=16)
    assert statuses == {204}
    assert strava.asked == ["/oauth/token"]
    assert len(await store.parked_events(ATHLETE)) == 300
    [told] = [line for line in logs if line["event"] == "athlete.token_rejected"]
    assert "`athlete connect`" in told["reason"]

    state = (await store.athletes())[0]
    assert (state.status, state.status_reason) == ("token_rejected", told["reason"])
    assert state.status_since is not None
    health = (await worker.get("/health", params={"deep": "true"})).json()
    assert (health["status"], health["athletes"]["connected"]) == ("degraded", 1)
    assert [each["athlete_id"] for each in health["athletes"]["paused"]] == [ATHLETE]
    strava.shows(5000, athlete={"id": other})
    await worker.post("/push", content=envelope(make_event(5000, owner_id=other), message_id="5000"))
    assert await store.activity_ids(other) == [5000]

    async def grant() -> Grant:
        return Grant(athlete_id=ATHLETE, tokens=FRESH)

    assert (await AthleteConnections(tokens, store).connect(grant)).taken_up == 300
    state = (await store.athletes())[0]
    assert (state.status, state.status_since, state.status_reason) == ("connected", None, None)
    strava.shows(1)
    await worker.post("/push", content=envelope(make_event(1), message_id="6000"))
    assert await store.activity_ids(ATHLETE) == [1]


async def test_a_dead_token_is_not_tried_after_a_restart(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
) -> None:
    """The warehouse remembers it: changes are parked without a call, and a plain deletion is still obeyed."""
    shown = ActivityPayload.from_json({"id": 7, "athlete": {"id": ATHLETE}, "resource_state": 3})
    seen = Observation(activity_id=7, athlete_id=ATHLETE, observed_at=clock(), source=Source.WEBHOOK, activity=shown)
    await store.apply([seen])
    clock.advance(3600)
    await store.change_status(AthleteStatus.TOKEN_REJECTED, before=[AthleteStatus.CONNECTED], athlete_id=ATHLETE)
    await worker.post("/push", content=envelope(make_event(8)))
    await worker.post("/push", content=envelope(make_event(7, "delete"), message_id="2"))
    [parked] = await store.parked_events(ATHLETE)
    assert (parked.event == make_event(8).event, strava.asked) == (True, [])
    assert await store.activity_ids(ATHLETE) == []


# -- a lapse of the app ------------------------------------------------------------------------------------------------


NO_SCOPE = {"resource": "Athlete", "field": "read_permission", "code": "missing"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"id": ATHLETE}),
        httpx.Response(401, json={"message": "Authorization Error", "errors": [NO_SCOPE]}),
    ],
    ids=["shown", "scope missing"],
)
async def test_a_lapse_is_told_and_ends_by_itself(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    tokens: FileTokenStore,
    oauth: OAuthApp,
    clock: Any,
    answer: httpx.Response,
) -> None:
    """Of all athletes but those whose token is dead anyway; one call an hour finds out that it is over."""
    [athlete] = await store.athletes()
    others = ["token_rejected", "revoked", "archive_only"]
    for number, status in enumerate(others, 1):
        await store.put_athlete(replace(athlete, athlete_id=ATHLETE + number, status=status))
    budget = RateBudget(clock=clock, steady=clock.steady_s)
    async with httpx.AsyncClient(transport=httpx.MockTransport(strava)) as http:
        client = StravaClient(
            http, StravaAuth(ATHLETE, tokens, oauth), api_url="https://strava.test/api/v3", budget=budget, clock=clock
        )
        watch = AccessWatch(store, budget, lambda _: client)
        strava.answers["athlete"] = httpx.Response(403, json=INACTIVE)
        with pytest.raises(AppInactive):
            await client.athlete()
        with capture_logs() as logs:
            for _ in range(8):  # two hours
                await watch.look()
                clock.advance(900)
        assert [each.status for each in await store.athletes()] == ["app_inactive", *others]
        assert [line["event"] for line in logs] == ["app.inactive"]
        assert len(strava.asked) == 2
        told = (await worker.get("/health", params={"deep": "true"})).json()
        [paused, _] = told["athletes"]["paused"]
        assert (told["status"], paused["status"]) == ("degraded", "app_inactive")
        assert "https://www.strava.com/account" in paused["reason"]

        strava.answers["athlete"] = answer
        clock.advance(3600)
        await watch.look()
        assert (await budget.status()).lapse is None
        assert [each.status for each in await store.athletes()] == ["connected", *others]
        asked = list(strava.asked)
        await watch.look()
        assert strava.asked == asked
