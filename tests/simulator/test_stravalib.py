"""The public client library `stravalib` works against the simulator as it is: only its network is replaced."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from stravalib import Client
from stravalib.exc import AccessUnauthorized, Fault, ObjectNotFound

from simulator.world.sports import UNKNOWN

APP: dict[str, Any] = {"client_id": 4242, "client_secret": "simulated-client-secret"}
CALLBACK = "http://callback.test/webhook/secret"
SUMMARY = ("name", "distance", "moving_time", "elapsed_time", "total_elevation_gain", "private", "gear_id")


class ToSimulator(BaseAdapter):
    """Carries the library's requests from its thread to the simulator in the test's own process."""

    def __init__(self, lab: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._lab, self._loop = lab, loop

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        asked = self._lab.client.request(
            request.method, request.path_url, headers=dict(request.headers), content=request.body
        )
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop).result(timeout=20)
        response = requests.Response()
        response.status_code, response.reason = answer.status_code, answer.reason_phrase
        response.headers, response.raw = CaseInsensitiveDict(answer.headers), io.BytesIO(answer.content)
        response.url, response.request = f"{request.url}", request
        return response

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Library:
    """The library in a thread of its own, so that the simulator can answer it meanwhile."""

    client: Client
    lab: Any
    thread: ThreadPoolExecutor

    async def ask(self, call: Callable[[Client], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.thread, call, self.client)


@pytest.fixture
async def library(bare_lab: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Library]:
    """The library, connected by its own means: its address of the authorise page, its exchange of the code."""
    monkeypatch.setenv("SILENCE_TOKEN_WARNINGS", "true")
    with requests.Session() as session, ThreadPoolExecutor(1) as thread:
        session.mount("https://www.strava.com/", ToSimulator(bare_lab, asyncio.get_running_loop()))
        library = Library(Client(requests_session=session), bare_lab, thread)
        address = library.client.authorization_url(
            client_id=4242, redirect_uri="http://app.test/cb", scope=["read", "profile:read_all", "activity:read_all"]
        )
        asked = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        back = await bare_lab.authorize(*asked["scope"].split(","), redirect_uri=asked["redirect_uri"])
        tokens = await library.ask(lambda client: client.exchange_code_for_token(**APP, code=back["code"]))
        library.client.refresh_token = tokens["refresh_token"]
        yield library


def pages_of_30(results: Any) -> Any:
    """Have the library ask for small pages, so that it needs several."""
    results.per_page = 30
    return results


async def test_athlete_and_zones(library: Library) -> None:
    """Profile, gear, totals and the limits of both kinds of zones."""
    athlete = await library.ask(lambda client: client.get_athlete())
    assert (athlete.id, athlete.firstname, athlete.weight, athlete.ftp) == (4242424242, "Robin", 68.0, 238)
    shoe = await library.ask(lambda client: client.get_gear(athlete.shoes[0].id))
    assert (shoe.id, shoe.distance) == (athlete.shoes[0].id, athlete.shoes[0].distance)
    zones = await library.ask(lambda client: client.get_athlete_zones())
    assert [each.max for each in zones.heart_rate.zones.root] == [115, 133, 151, 170, -1]
    assert zones.power.zones.root[-1].min == round(238 * 1.5)
    stats = await library.ask(lambda client: client.get_athlete_stats(athlete.id))
    assert stats.all_run_totals.count > 0


async def test_activities_are_read_in_full(library: Library) -> None:
    """The whole list page by page, and of each activity the same values in list, detail, laps and streams."""
    listed = await library.ask(lambda client: list(pages_of_30(client.get_activities())))
    truth = {each["id"]: each["activity"] for each in (await library.lab.client.get("/simulator/activities")).json()}
    assert [each.id for each in listed] == list(truth)
    assert len(listed) > 60
    for each in listed:
        expected = truth[each.id]
        assert [getattr(each, name) for name in SUMMARY] == [expected[name] for name in SUMMARY]
        assert each.sport_type.root == ("Workout" if expected["sport_type"] in UNKNOWN else expected["sport_type"])
        assert each.start_date.strftime("%Y-%m-%dT%H:%M:%SZ") == expected["start_date"]
    run = next(each for each in listed if truth[each.id].get("best_efforts") and each.has_heartrate)
    full = await library.ask(lambda client: client.get_activity(run.id, include_all_efforts=True))
    assert len(full.segment_efforts) == len(truth[run.id]["segment_efforts"])
    assert [each.name for each in full.best_efforts] == [each["name"] for each in truth[run.id]["best_efforts"]]
    laps = await library.ask(lambda client: list(client.get_activity_laps(run.id)))
    assert sum(each.distance for each in laps) == pytest.approx(run.distance, rel=0.01)
    zones = await library.ask(lambda client: client.get_activity_zones(run.id))
    assert {each.type for each in zones} == set(truth[run.id]["available_zones"])
    wanted = ["time", "latlng", "heartrate"]
    streams = await library.ask(lambda client: client.get_activity_streams(run.id, types=wanted))
    assert set(wanted) <= streams.keys()
    assert len({len(each.data) for each in streams.values()}) == 1


async def test_subscription_and_its_events(library: Library) -> None:
    """Created, listed and deleted; the challenge and the events are read by the library's own models."""
    client, lab = library.client, library.lab
    made = await library.ask(lambda client: client.create_subscription(**APP, callback_url=CALLBACK))
    [challenge] = lab.callback.challenges
    assert client.handle_subscription_callback(challenge) == {"hub.challenge": challenge["hub.challenge"]}
    listed = await library.ask(lambda client: list(client.list_subscriptions(**APP)))
    assert [(each.id, each.callback_url) for each in listed] == [(made.id, CALLBACK)]
    with pytest.raises(Fault, match="already exists"):
        await library.ask(lambda client: client.create_subscription(**APP, callback_url=CALLBACK))

    saved = await lab.save(sport_type="Run")
    await lab.edit(saved["id"], name="New")
    await library.ask(lambda client: client.deauthorize())
    updates = [client.handle_subscription_update(each) for each in await lab.delivered()]
    assert [(each.object_type, each.aspect_type, each.object_id, each.updates) for each in updates] == [
        ("activity", "create", saved["id"], {}),
        ("activity", "update", saved["id"], {"title": "New"}),
        ("athlete", "update", 4242424242, {"authorized": "false"}),
    ]
    assert {(each.owner_id, each.subscription_id) for each in updates} == {(4242424242, made.id)}

    await library.ask(lambda client: client.delete_subscription(made.id, **APP))
    assert await library.ask(lambda client: list(client.list_subscriptions(**APP))) == []


async def test_refusals_are_the_library_s_own_errors(library: Library) -> None:
    """An unknown activity, a dead access token, and a refresh that brings another one."""
    with pytest.raises(ObjectNotFound):
        await library.ask(lambda client: client.get_activity(1))
    library.lab.clock.advance(6 * 3600)
    with pytest.raises(AccessUnauthorized):
        await library.ask(lambda client: client.get_athlete())
    await library.ask(lambda client: client.refresh_access_token(**APP, refresh_token=f"{client.refresh_token}"))
    assert (await library.ask(lambda client: client.get_athlete())).id == 4242424242
