"""The client, on recorded answers and on a small Strava simulator."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from strava.client import StravaClient
from strava.errors import NotFound, RateLimited, ServerFailed, UnreadableAnswer
from strava.oauth import OAuthApp, StravaAuth
from strava.payload import ActivityPage, ActivityPayload
from strava.tokens import TokenSet
from strava.transport import RetryPolicy

API = "https://strava.test/api/v3/"
Recorded = Callable[[str], httpx.Response]
Answer = Callable[[httpx.Request], httpx.Response]
Client = Callable[[Answer], StravaClient]


@pytest.fixture
async def client(quick_retries: RetryPolicy, noon: datetime) -> AsyncIterator[Client]:
    """Makes a client of which one function is the other end."""
    opened: list[httpx.AsyncClient] = []

    def make(answer: Answer) -> StravaClient:
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        opened.append(http)
        return StravaClient(http, None, api_url=API, retry_policy=quick_retries, clock=lambda: noon)

    yield make
    for http in opened:
        await http.aclose()


def summary(activity_id: int, start: str | None) -> dict[str, Any]:
    """Write one line of a list."""
    return {"id": activity_id, "athlete": {"id": 2}, "resource_state": 2, "start_date": start}


async def pages(found: AsyncIterator[ActivityPage]) -> list[list[int]]:
    """Collect the ids, page by page."""
    return [[activity.activity_id for activity in page.activities] async for page in found]


async def test_fetches_a_recorded_activity(client: Client, recorded: Recorded) -> None:
    """An activity is asked for with all efforts and comes word for word; its rate headers are kept."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return recorded("activity_run_marathon")

    strava = client(answer)
    run = await strava.activity(1_353_942_913)

    assert str(asked[0].url) == "https://strava.test/api/v3/activities/1353942913?include_all_efforts=true"
    assert run == ActivityPayload.from_http(recorded("activity_run_marathon").content)


async def test_an_answer_about_another_activity_is_unreadable(client: Client, recorded: Recorded) -> None:
    """A cache on the way that mixes answers up stores nothing under a wrong id."""
    with pytest.raises(UnreadableAnswer, match="another activity"):
        await client(lambda _: recorded("activity_run_marathon")).activity(7)


@pytest.mark.parametrize(("tries", "calls"), [(None, 3), (1, 1), (2, 2)])
async def test_how_often_an_activity_is_tried_is_the_callers_choice(
    client: Client, tries: int | None, calls: int
) -> None:
    """Without a number the client's retry policy counts."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(500)

    with pytest.raises(ServerFailed):
        await client(answer).activity(7, tries=tries)
    assert len(asked) == calls


async def test_lists_until_a_page_is_empty(client: Client, recorded: Recorded) -> None:
    """Pages are asked for by number, with the greatest page, until one is empty."""
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        return recorded("athlete_activities_page") if len(asked) <= 2 else httpx.Response(200, json=[])

    found = await pages(client(answer).activities())

    assert [len(page) for page in found] == [12, 12]
    assert asked == [{"page": str(number), "per_page": "200"} for number in (1, 2, 3)]


async def test_a_page_comes_newest_first(client: Client) -> None:
    """A page is sorted, for any order of Strava's list; an unknown start comes last."""
    items = [
        summary(1, "2024-01-01T08:00:00Z"),
        summary(4, None),
        summary(3, "2024-03-01T08:00:00Z"),
        summary(2, "2024-03-01T08:00:00Z"),
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=items if request.url.params["page"] == "1" else [])

    assert await pages(client(answer).activities()) == [[3, 2, 1, 4]]


async def test_bounds_are_whole_seconds_that_lose_nothing(client: Client) -> None:
    """`after` is rounded down and `before` up, so a bound never cuts an activity off."""
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        return httpx.Response(200, json=[])

    half_past = datetime(2018, 1, 16, 18, 7, 20, 500_000, tzinfo=UTC)
    await pages(client(answer).activities(after=half_past, before=half_past, per_page=30))

    assert asked == [{"after": "1516126040", "before": "1516126041", "page": "1", "per_page": "30"}]


async def test_fetches_recorded_streams(client: Client, recorded: Recorded) -> None:
    """Streams come by key; those that are missing are absent."""
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return recorded("activity_streams")

    streams = await client(answer).streams(7, keys=["distance", "watts"])

    assert (asked[0].path, dict(asked[0].params)) == (
        "/api/v3/activities/7/streams",
        {"keys": "distance,watts", "key_by_type": "true"},
    )
    assert list(streams) == ["distance"]
    assert len(streams["distance"]["data"]) == 50


async def test_fetches_recorded_gear(client: Client, recorded: Recorded) -> None:
    """Gear comes as Strava sent it, and its id cannot lead elsewhere."""
    asked: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return recorded("gear")

    gear = await client(answer).gear("g5073738")
    await client(answer).gear("../athlete?x=1")

    assert (gear["name"], gear["distance"]) == ("Adidas Supernova ST", 966_309)
    assert asked == [b"/api/v3/gear/g5073738", b"/api/v3/gear/..%2Fathlete%3Fx%3D1"]


async def test_says_whose_token_it_is(client: Client, exchanges: Callable[[str], list[dict[str, Any]]]) -> None:
    """The athlete's id is read from a recorded athlete."""
    athlete = exchanges("token_exchange")[0]["body"]["athlete"]

    assert (await client(lambda _: httpx.Response(200, json=athlete)).athlete()).athlete_id == 4_745_727_520


async def test_a_recorded_404_is_not_found(client: Client, recorded: Recorded) -> None:
    """A 404 without a body is NotFound and names what was asked for."""
    with pytest.raises(NotFound, match="activities/7"):
        await client(lambda _: recorded("error_404")).activity(7)


async def test_a_recorded_429_carries_the_wait(client: Client, recorded: Recorded) -> None:
    """A spent day waits for midnight UTC."""
    strava = client(lambda _: recorded("error_429"))

    with pytest.raises(RateLimited) as caught:
        await strava.activity(7)
    assert caught.value.retry_after == 43_305


async def test_a_lasting_5xx_is_server_failed(client: Client) -> None:
    """After the attempts a 5xx is an error that may pass."""
    with pytest.raises(ServerFailed, match="503"):
        await client(lambda _: httpx.Response(503)).activity(7)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Evening run</html>", b"[]", b'{"id": 7}', b'"Evening run"', b"7", b"null"]
)
async def test_an_odd_200_is_unreadable(body: bytes, client: Client) -> None:
    """Any method meets a body of the wrong shape with UnreadableAnswer, which repeats none of it."""
    strava = client(lambda _: httpx.Response(200, content=body))
    calls: list[Callable[[], Any]] = [lambda: strava.activity(7)]
    if body != b"[]":
        calls.append(lambda: pages(strava.activities()))
    if not body.startswith(b"{"):
        calls += [lambda: strava.streams(7), lambda: strava.gear("g1"), strava.athlete]

    for call in calls:
        with pytest.raises(UnreadableAnswer) as caught:
            await call()
        assert "Evening" not in str(caught.value)


async def test_an_unreadable_item_is_skipped_and_counted(client: Client) -> None:
    """What has no id cannot be stored; the others are, the pages go on, and page and log tell how many are missing."""
    listed = [[{"name": "Evening run"}, summary(1, None), 7], [{"id": "x"}], [summary(2, None)], []]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=listed[int(request.url.params["page"]) - 1])

    with capture_logs() as logs:
        found = [page async for page in client(answer).activities()]

    assert [[activity.activity_id for activity in page.activities] for page in found] == [[1], [], [2]]
    assert [page.unreadable for page in found] == [2, 1, 0]
    assert [(line["event"], line["count"]) for line in logs] == [("activities.unreadable", n) for n in (2, 1)]
    assert "Evening" not in repr(logs)


async def test_a_list_may_leave_its_athlete_out(
    noon: datetime, make_app: Callable[[httpx.AsyncClient], OAuthApp]
) -> None:
    """A list holds nobody else's activities, so an item that names no athlete is of the one that was asked for."""
    nameless = {name: value for name, value in summary(1, None).items() if name != "athlete"}
    listed = [[nameless, {**nameless, "id": 3, "athlete": None}, summary(4, None)], []]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=listed[int(request.url.params["page"]) - 1])

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        auth = StravaAuth(77, OneAthlete(noon), make_app(http), clock=lambda: noon)
        strava = StravaClient(http, auth, api_url=API)
        [page] = [page async for page in strava.activities()]

    assert {found.activity_id: found.athlete_id for found in page.activities} == {1: 77, 3: 77, 4: 2}
    assert json.loads(page.activities[-1].text)["athlete"] == {"id": 77}


class OneAthlete:
    """A token store with one athlete in it, whose tokens last."""

    def __init__(self, now: datetime) -> None:
        self.tokens = TokenSet(access_token="a", refresh_token="r", expires_at=now + timedelta(hours=6))

    async def load(self, athlete_id: int) -> TokenSet:
        return self.tokens

    async def save(self, athlete_id: int, tokens: TokenSet) -> None:
        raise AssertionError("nothing is refreshed here")

    async def delete(self, athlete_id: int) -> None:
        raise AssertionError("nobody leaves here")

    def refreshing(self, athlete_id: int) -> AbstractAsyncContextManager[None]:
        return nullcontext()
