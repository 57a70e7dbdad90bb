"""The right to refresh in Secret Manager: one holder at a time, and a kill between any two calls loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from urllib.parse import parse_qs

import grpc
import httpx
import pytest

from backends.tokens import TokensUnavailable
from backends.tokens.secret_manager.lease import LeasePolicy
from backends.tokens.secret_manager.store import SecretManagerTokenStore as Store
from strava.oauth import OAuthApp, StravaAuth
from tests.secret_manager_server import Project, SecretManagerServer, no_fault
from tests.secret_manager_stores import (
    ANNA,
    PREFIX,
    SECRET,
    HandClock,
    OpenStore,
    noted,
    only,
    open_stores,
    refresh,
    tokens,
)

Work = Callable[[Store], Awaitable[None]]


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what the server has seen."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - it happens in the server's threads
            await asyncio.sleep(0.005)


async def purge(store: Store) -> None:
    """Do what a purge does: hold the right, read, delete."""
    async with store.refreshing(ANNA):
        await store.load(ANNA)
        await store.delete(ANNA)


async def connect(store: Store) -> None:
    """Make the athlete's secret."""
    await store.save(ANNA, tokens(1))


async def killed_after(store: Store, project: Project, calls: int, work: Work) -> bool:
    """Do the work as a program that is killed after so many calls; tell whether it was killed before its end."""
    project.calls.clear()
    project.fault = lambda _: None if len(project.calls) <= calls else grpc.StatusCode.INTERNAL
    try:
        await work(store)
    except TokensUnavailable:
        pass
    finally:
        project.fault = no_fault
    return len(project.calls) > calls


@pytest.mark.parametrize(("work", "before"), [(refresh, None), (refresh, 1), (purge, 1), (connect, None)])
async def test_a_kill_between_any_two_calls_loses_nothing(
    server: SecretManagerServer, clock: HandClock, request: pytest.FixtureRequest, work: Work, before: int | None
) -> None:
    """The tokens are the new ones from the call that added them on, and the old ones until then; all goes on later."""
    calls, is_killed = 0, True
    while is_killed:
        name = f"{request.node.name}-{calls}"
        project = server.project(name)
        async with open_stores(server, name, clock) as open_store:
            if before is not None:
                await open_store().save(ANNA, tokens(before))
            project.fall_behind()
            late, project.behind = project.behind, None
            is_killed = await killed_after(open_store(), project, calls, work)
            done = project.calls[:calls]
            project.behind = late
            expected = tokens(before) if before is not None else None
            if "AddSecretVersion" in done and SECRET in project.secrets and project.secrets[SECRET].versions:
                expected = tokens(1) if work is connect else tokens(2) if work is refresh else expected
            if "DeleteSecret" in done:
                expected = None
            assert await open_store().load(ANNA) == expected, done
            project.behind = None
            clock.pass_lease()
            await refresh(open_store(), 3)
            assert await open_store().load(ANNA) == tokens(3)
            assert (noted(project), len(project.alive(SECRET))) == ({}, 1)
        calls += 1
    assert calls >= 3


@pytest.mark.slow
async def test_a_lost_answer_of_any_call_is_made_good(
    server: SecretManagerServer, clock: HandClock, request: pytest.FixtureRequest
) -> None:
    """The call is made once more, though the first was carried out: nothing is lost, and the lease is given back."""
    calls, is_lost = 1, True
    while is_lost:
        name = f"{request.node.name}-{calls}"
        project = server.project(name)
        async with open_stores(server, name, clock) as open_store:
            await open_store().save(ANNA, tokens(1))
            project.calls.clear()
            project.lost = lambda _, at=calls, seen=project.calls: (  # type: ignore[misc]
                grpc.StatusCode.UNAVAILABLE if len(seen) == at else None
            )
            await refresh(open_store())
            is_lost = len(project.calls) >= calls
            assert await open_store().load(ANNA) == tokens(2)
            assert (noted(project), len(project.alive(SECRET))) == ({}, 1)
        calls += 1
    assert calls > 6


async def test_of_two_who_read_the_same_one_refreshes(open_store: OpenStore, project: Project) -> None:
    """Reads that are behind show the lease as free; its etag lets nobody else take it."""
    await refresh(open_store(), 1)
    project.fall_behind()
    second = open_store()
    async with open_store().refreshing(ANNA):
        begun = len(project.calls)
        waiting = asyncio.create_task(refresh(second))
        await until(lambda: project.calls[begun:].count("UpdateSecret") > 2)
        assert not waiting.done()
        assert len(project.secrets[SECRET].versions) == 1
    project.behind = None
    await waiting
    assert await second.load(ANNA) == tokens(2)


async def test_a_dead_holder_gives_up_its_right_when_its_lease_ends(
    server: SecretManagerServer, open_store: OpenStore, project: Project, clock: HandClock
) -> None:
    """Until then, and for as long as clocks may differ, others are told to come back."""
    await killed_after(open_store(), project, 2, refresh)  # there is a lease, and nothing else
    assert noted(project)
    impatient = Store(open_store()._client, PREFIX, lease_policy=LeasePolicy(wait_s=0.05, poll_s=0.01), clock=clock)
    for _ in range(3):
        with pytest.raises(TokensUnavailable, match=r"athlete 101 for more than 0\.05 s; try again later"):
            await refresh(impatient)
        clock.now += timedelta(seconds=17)
    await refresh(open_store())
    assert await open_store().load(ANNA) == tokens(2)


async def test_a_living_holder_keeps_its_right(open_store: OpenStore, project: Project, clock: HandClock) -> None:
    """The lease is renewed while the block lasts, also after a renewal that failed; then nobody is noted on it."""
    store = Store(open_store()._client, PREFIX, lease_policy=LeasePolicy(lease_s=0.06), clock=clock)
    async with store.refreshing(ANNA):
        project.fault = only("UpdateSecret")
        await until(lambda: "UpdateSecret" in project.calls)
        clock.now += timedelta(hours=1)
        project.fault = no_fault
        await until(lambda: noted(project)["ends_at"].startswith("2026-05-04T13:00:00.06"))
    assert noted(project) == {}


async def test_who_was_overtaken_saves_nothing(open_store: OpenStore, project: Project, clock: HandClock) -> None:
    """A program that slept past its lease is told so, and leaves the other's tokens and lease alone."""
    sleeper, other = open_store(), open_store()
    async with AsyncExitStack() as of_other:
        async with sleeper.refreshing(ANNA):
            clock.pass_lease()
            await of_other.enter_async_context(other.refreshing(ANNA))
            with pytest.raises(TokensUnavailable, match="has taken over their refresh meanwhile; try again later"):
                await sleeper.save(ANNA, tokens(1))
        assert noted(project)["ends_at"].startswith("2026-05-04T12:01:06")
        await other.save(ANNA, tokens(2))


async def test_a_holder_that_slept_alone_saves(open_store: OpenStore, clock: HandClock) -> None:
    """Where nobody has taken over, a lease that has ended is renewed before the save."""
    store = open_store()
    async with store.refreshing(ANNA):
        clock.pass_lease()
        await store.save(ANNA, tokens(1))
    assert await store.load(ANNA) == tokens(1)


class RotatingStrava:
    """Strava with one athlete: each refresh retires both tokens, and a retired one is refused."""

    rotations = 1

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a refresh, or any other request that is signed."""
        if request.url.path != "/oauth/token":
            is_signed = request.headers["Authorization"] == f"Bearer {tokens(self.rotations).access_token}"
            return httpx.Response(200 if is_signed else 500)
        if parse_qs(request.content.decode())["refresh_token"] != [tokens(self.rotations).refresh_token]:
            return httpx.Response(400, json={"errors": [{"field": "refresh_token", "code": "invalid"}]})
        self.rotations += 1
        fresh = tokens(self.rotations)
        lasts = {"expires_in": 21_600}
        return httpx.Response(
            200, json={"access_token": fresh.access_token, "refresh_token": fresh.refresh_token, **lasts}
        )


@pytest.mark.uvloop_too
async def test_programs_that_refresh_at_once_rotate_the_token_once(
    open_store: OpenStore, project: Project, clock: HandClock
) -> None:
    """The one that comes second uses what the first has saved; and what could not be saved is, by the next request."""
    await open_store().save(ANNA, tokens(1))
    clock.now += timedelta(hours=6)  # they end now
    strava = RotatingStrava()
    async with httpx.AsyncClient(transport=httpx.MockTransport(strava), base_url="https://strava.test") as http:
        app = OAuthApp(http, client_id=1, client_secret="s", oauth_url="https://strava.test/oauth", clock=clock)
        programs = [StravaAuth(ANNA, open_store(), app, clock=clock) for _ in range(3)]
        answers = await asyncio.gather(*(http.get("/athlete", auth=each) for each in programs for _ in range(3)))
        assert ({each.status_code for each in answers}, strava.rotations) == ({200}, 2)
        clock.now += timedelta(hours=6)
        project.fault = only("AddSecretVersion")
        with pytest.raises(TokensUnavailable):
            await http.get("/athlete", auth=programs[0])
        project.fault = no_fault
        assert (await http.get("/athlete", auth=programs[0])).status_code == 200
    newest = await open_store().load(ANNA)
    assert newest is not None
    assert newest.refresh_token == tokens(strava.rotations).refresh_token == tokens(3).refresh_token
