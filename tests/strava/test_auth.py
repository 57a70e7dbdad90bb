"""An athlete's requests: signed, refreshed by one at a time, and no rotated token lost, in any order of deaths."""

import asyncio
import gc
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import httpx
import pytest
from structlog.testing import capture_logs

from strava.client import StravaClient
from strava.errors import AccessTokenRefused, NotConnected, Retryable, ScopeMissing, ServerFailed, TokenRejected
from strava.oauth import OAuthApp, StravaAuth
from strava.tokens import TokenSet
from strava.transport import RetryPolicy

MakeApp = Callable[[httpx.AsyncClient], OAuthApp]
Connect = Callable[["FakeTokenStore"], StravaClient]

ATHLETE_ID = 4_605_555_801
NOW = datetime(2026, 3, 1, 11, 58, 20, tzinfo=UTC)  # the noon of the fixtures
FRESH = timedelta(hours=5)
AGEING = timedelta(minutes=59)
DEAD = ("Athlete", "access_token", "invalid")
API = "https://strava.test/api/v3"


class Killed(BaseException):
    """Stands for kill -9 at one place."""


class DiskFull(Exception):
    """Stands for a store that cannot save."""


class FakeStrava:
    """Rotates: each refresh kills the refresh token and the access token before it, at once."""

    def __init__(self) -> None:
        self.generation = 1
        self.refreshes = 0
        self.refresh_fails = False
        self.refusal: tuple[str, str, str] | None = None
        self.refresh_may_end = asyncio.Event()
        self.refresh_may_end.set()
        self.refresh_began = asyncio.Event()
        self.presented: list[str] = []
        self.accepted: list[str] = []
        self.on_request: Callable[[], None] = lambda: None
        self.before_accepting: Callable[[str], None] = lambda _: None
        self.expiry: dict[str, object] = {"expires_in": 21_600}

    @property
    def access_token(self) -> str:
        return f"fake-access-{self.generation}"

    @property
    def refresh_token(self) -> str:
        return f"fake-refresh-{self.generation}"

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return await self._token(dict(parse_qsl(request.content.decode())))
        self.on_request()
        self.presented.append(request.headers.get("Authorization", ""))
        if self.refusal or self.presented[-1] != f"Bearer {self.access_token}":
            return _refused(401, *(self.refusal or DEAD))
        self.before_accepting(self.access_token)
        self.accepted.append(self.access_token)
        return httpx.Response(200, json={"id": ATHLETE_ID})

    async def _token(self, form: dict[str, str]) -> httpx.Response:
        if form["refresh_token"] != self.refresh_token:
            return _refused(400, "RefreshToken", "refresh_token", "invalid")
        self.refresh_began.set()
        if self.refresh_fails:
            await self.refresh_may_end.wait()
            return httpx.Response(500)
        self.refreshes += 1
        self.generation += 1
        tokens = {"access_token": self.access_token, "refresh_token": self.refresh_token, **self.expiry}
        await self.refresh_may_end.wait()
        return httpx.Response(200, json=tokens)


class FakeTokenStore:
    """A store in memory with one lock, as the port wants it; counts, and can be killed after a save."""

    def __init__(self, tokens: TokenSet | None) -> None:
        self.tokens = tokens
        self.saved = asyncio.Event()
        self.dies_after_save = False
        self.is_full = False
        self._lock = asyncio.Lock()

    async def load(self, athlete_id: int) -> TokenSet | None:
        return self.tokens

    async def save(self, athlete_id: int, tokens: TokenSet) -> None:
        assert self._lock.locked()
        if self.is_full:
            raise DiskFull
        self.tokens = tokens
        self.saved.set()
        if self.dies_after_save:
            raise Killed

    async def delete(self, athlete_id: int) -> None:
        self.tokens = None

    @asynccontextmanager
    async def refreshing(self, athlete_id: int) -> AsyncIterator[None]:
        async with self._lock:
            yield


def _refused(status: int, resource: str, field: str, code: str) -> httpx.Response:
    async def unread() -> AsyncIterator[bytes]:
        """Come over the wire piece by piece, as real answers do."""
        yield json.dumps({"errors": [{"resource": resource, "field": field, "code": code}]}).encode()

    return httpx.Response(status, content=unread())


def tokens(left: timedelta, generation: int = 1) -> TokenSet:
    """Tokens of the simulator with so much of their life left."""
    return TokenSet(
        access_token=f"fake-access-{generation}",
        refresh_token=f"fake-refresh-{generation}",
        expires_at=NOW + left,
        scope=frozenset({"read", "activity:read_all"}),
    )


async def cancelled_while_refreshing(strava: FakeStrava, client: StravaClient) -> None:
    """Begin a request, and give it up while Strava, which has rotated already, has not yet answered the refresh."""
    strava.refresh_may_end.clear()
    request = asyncio.create_task(client.athlete())
    await strava.refresh_began.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request


@pytest.fixture
def strava() -> FakeStrava:
    """The other end."""
    return FakeStrava()


@pytest.fixture
async def http(strava: FakeStrava) -> AsyncIterator[httpx.AsyncClient]:
    """A client that reaches the simulator alone."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(strava)) as client:
        yield client


@pytest.fixture
def connect(http: httpx.AsyncClient, make_app: MakeApp, quick_retries: RetryPolicy) -> Connect:
    """Makes an athlete's client on a token store, as one process would."""

    def make(store: FakeTokenStore) -> StravaClient:
        auth = StravaAuth(ATHLETE_ID, store, make_app(http), clock=lambda: NOW)
        return StravaClient(http, auth, api_url=API, retry_policy=quick_retries, clock=lambda: NOW)

    return make


async def test_fresh_tokens_are_used_as_they_are(strava: FakeStrava, connect: Connect) -> None:
    """With more than an hour left nothing is refreshed."""
    await connect(FakeTokenStore(tokens(FRESH))).athlete()

    assert (strava.refreshes, strava.accepted) == (0, ["fake-access-1"])


async def test_tokens_that_were_replaced_in_the_store_are_used_at_once(strava: FakeStrava, connect: Connect) -> None:
    """The athlete connects again with more scopes while the old access token lives: a running program uses the new."""
    store = FakeTokenStore(tokens(FRESH))
    client = connect(store)
    await client.athlete()
    store.tokens, strava.generation = tokens(FRESH, generation=2), 2

    await client.athlete()

    assert strava.presented == ["Bearer fake-access-1", "Bearer fake-access-2"]


async def test_tokens_that_were_deleted_sign_nothing_more(strava: FakeStrava, connect: Connect) -> None:
    """A running program does not go on with the access token of an athlete who has left."""
    store = FakeTokenStore(tokens(FRESH))
    client = connect(store)
    await client.athlete()
    await store.delete(ATHLETE_ID)

    with pytest.raises(NotConnected):
        await client.athlete()
    assert strava.presented == ["Bearer fake-access-1"]


@pytest.mark.parametrize(
    ("left", "refreshes"), [(timedelta(hours=1), 0), (timedelta(seconds=3599), 1), (timedelta(hours=-9), 1)]
)
async def test_less_than_an_hour_left_is_refreshed(
    left: timedelta, refreshes: int, strava: FakeStrava, connect: Connect
) -> None:
    """The last hour of an access token is Strava's time to hand out a new one."""
    await connect(FakeTokenStore(tokens(left))).athlete()

    assert strava.refreshes == refreshes


async def test_the_rotated_token_is_saved_before_use(strava: FakeStrava, connect: Connect) -> None:
    """When Strava first sees a new access token, the store holds its set, with the new expiry and the old scope."""
    store = FakeTokenStore(tokens(AGEING))
    seen: list[tuple[str, TokenSet | None]] = []
    strava.before_accepting = lambda token: seen.append((token, store.tokens))
    await connect(store).athlete()

    assert seen == [("fake-access-2", tokens(timedelta(hours=6), generation=2))]


async def test_a_kill_between_save_and_use_loses_nothing(strava: FakeStrava, connect: Connect) -> None:
    """The next process goes on with what was saved, though Strava has killed the old refresh token."""
    store = FakeTokenStore(tokens(AGEING))
    store.dies_after_save = True
    with pytest.raises(Killed):
        await connect(store).athlete()
    assert strava.accepted == []
    store.dies_after_save = False

    await connect(store).athlete()

    assert strava.accepted == ["fake-access-2"]
    assert strava.refreshes == 1


async def test_a_cancelled_request_does_not_lose_the_rotated_token(strava: FakeStrava, connect: Connect) -> None:
    """A refresh that has begun ends with a save, even when the request that wanted it is gone."""
    store = FakeTokenStore(tokens(AGEING))
    await cancelled_while_refreshing(strava, connect(store))
    assert store.tokens == tokens(AGEING)
    strava.refresh_may_end.set()

    await store.saved.wait()

    assert store.tokens == tokens(timedelta(hours=6), generation=2)


async def test_a_failed_refresh_nobody_waits_for_is_quiet(
    strava: FakeStrava, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """When the request is gone and the refresh fails, nothing is saved or complained of, and the next succeeds."""
    store = FakeTokenStore(tokens(AGEING))
    client = connect(store)
    strava.refresh_fails = True
    await cancelled_while_refreshing(strava, client)
    strava.refresh_may_end.set()
    async with store.refreshing(ATHLETE_ID):
        strava.refresh_fails = False
    assert store.tokens == tokens(AGEING)

    assert (await client.athlete()).athlete_id == ATHLETE_ID
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_a_save_that_fails_is_made_up_for(strava: FakeStrava, connect: Connect) -> None:
    """The rotated token waits until the disk has room again, and is saved then without another refresh."""
    store = FakeTokenStore(tokens(AGEING))
    client = connect(store)
    store.is_full = True
    for _ in range(2):
        with pytest.raises(DiskFull):
            await client.athlete()
    store.is_full = False

    await client.athlete()

    assert (strava.refreshes, strava.accepted) == (1, ["fake-access-2"])
    assert store.tokens == tokens(timedelta(hours=6), generation=2)


async def test_a_save_that_failed_never_undoes_a_new_connection(strava: FakeStrava, connect: Connect) -> None:
    """Where the athlete has connected again or left meanwhile, the token that could not be saved is let go."""
    store = FakeTokenStore(tokens(AGEING))
    client = connect(store)
    store.is_full = True
    with pytest.raises(DiskFull):
        await client.athlete()
    store.is_full = False
    strava.generation = 7
    store.tokens = tokens(FRESH, generation=7)
    await client.athlete()
    assert (store.tokens, strava.accepted) == (tokens(FRESH, generation=7), ["fake-access-7"])

    store.tokens = tokens(AGEING, generation=7)
    client = connect(store)
    store.is_full = True
    with pytest.raises(DiskFull):
        await client.athlete()
    store.is_full, store.tokens = False, None
    with pytest.raises(NotConnected):
        await client.athlete()
    assert store.tokens is None


@pytest.mark.parametrize("expiry", [{}, {"expires_in": "soon"}, {"expires_in": 10**18}, {"expires_at": [1]}])
async def test_tokens_of_unknown_life_are_kept(expiry: dict[str, object], strava: FakeStrava, connect: Connect) -> None:
    """An answer that does not say how long its tokens live has rotated them all the same: saved, and soon refreshed."""
    store = FakeTokenStore(tokens(AGEING))
    client = connect(store)
    strava.expiry = expiry
    await client.athlete()
    assert store.tokens == tokens(timedelta(0), generation=2)
    strava.expiry = {"expires_in": 21_600}

    await client.athlete()

    assert store.tokens == tokens(timedelta(hours=6), generation=3)
    assert strava.accepted == ["fake-access-2", "fake-access-3"]


async def test_a_failed_refresh_may_pass(strava: FakeStrava, connect: Connect) -> None:
    """Strava's own failure is told as such, and the stored tokens stay."""
    store = FakeTokenStore(tokens(AGEING))
    strava.refresh_fails = True

    with pytest.raises(ServerFailed):
        await connect(store).athlete()
    assert store.tokens == tokens(AGEING)


async def test_many_refreshing_at_once_refresh_once(strava: FakeStrava, connect: Connect) -> None:
    """Eight requests of two processes find ageing tokens: one refreshes, the others use what it saved."""
    store = FakeTokenStore(tokens(AGEING))
    processes = [connect(store), connect(store)]
    await asyncio.gather(*(client.athlete() for client in processes * 4))

    assert strava.refreshes == 1
    assert strava.accepted == ["fake-access-2"] * 8


async def test_a_401_is_refreshed_and_asked_once_more(strava: FakeStrava, connect: Connect) -> None:
    """A token that Strava no longer takes is replaced, also before the date of its end."""
    store = FakeTokenStore(TokenSet(access_token="dead", refresh_token="fake-refresh-1", expires_at=NOW + FRESH))
    await connect(store).athlete()

    assert (strava.refreshes, strava.accepted) == (1, ["fake-access-2"])


async def test_many_401s_refresh_once(strava: FakeStrava, connect: Connect) -> None:
    """Requests that were refused together share one refresh."""
    store = FakeTokenStore(TokenSet(access_token="dead", refresh_token="fake-refresh-1", expires_at=NOW + FRESH))
    client = connect(store)
    await asyncio.gather(*(client.athlete() for _ in range(8)))

    assert strava.refreshes == 1


async def test_a_401_takes_what_another_process_saved(strava: FakeStrava, connect: Connect) -> None:
    """If the store holds newer tokens than the refused ones by then, they are used without a refresh."""
    store = FakeTokenStore(tokens(FRESH))

    def rotate() -> None:
        strava.generation, store.tokens = 2, tokens(FRESH, generation=2)

    strava.on_request = rotate

    await connect(store).athlete()

    assert (strava.refreshes, strava.presented) == (0, ["Bearer fake-access-1", "Bearer fake-access-2"])


async def test_a_second_401_after_a_good_refresh_may_pass(strava: FakeStrava, connect: Connect) -> None:
    """Where a fresh token is refused too, the grant is alive: the call may pass later; there is no third try."""
    strava.refusal = DEAD

    with pytest.raises(AccessTokenRefused) as caught:
        await connect(FakeTokenStore(tokens(FRESH))).athlete()
    assert isinstance(caught.value, Retryable)
    assert caught.value.athlete_id == ATHLETE_ID
    assert strava.presented == ["Bearer fake-access-1", "Bearer fake-access-2"]


async def test_a_dead_refresh_token_names_the_athlete(strava: FakeStrava, connect: Connect) -> None:
    """A refresh token that Strava has killed means: connect again."""
    strava.generation = 9
    store = FakeTokenStore(tokens(AGEING))

    with pytest.raises(TokenRejected, match="athlete connect") as caught:
        await connect(store).athlete()
    assert caught.value.athlete_id == ATHLETE_ID
    assert store.tokens == tokens(AGEING)


async def test_no_tokens_means_not_connected(connect: Connect) -> None:
    """Without tokens nothing is sent, and the error says how to get them."""
    with pytest.raises(NotConnected, match="athlete connect") as caught:
        await connect(FakeTokenStore(None)).athlete()
    assert caught.value.athlete_id == ATHLETE_ID


async def test_a_missing_scope_refreshes_nothing(strava: FakeStrava, connect: Connect) -> None:
    """A 401 about a permission is no dead token: a refresh would not help."""
    strava.refusal = ("AccessToken", "activity:read_permission", "missing")

    with pytest.raises(ScopeMissing):
        await connect(FakeTokenStore(tokens(FRESH))).athlete()
    assert (strava.refreshes, len(strava.presented)) == (0, 1)


async def test_no_token_is_ever_shown(strava: FakeStrava, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """Through a refresh, a 401 and a dead refresh token, no log, `repr` or traceback holds a token or the secret."""
    caplog.set_level(logging.DEBUG)
    store = FakeTokenStore(tokens(AGEING))
    with capture_logs() as logs:
        await connect(store).athlete()
        strava.generation = 9
        with pytest.raises(TokenRejected) as caught:
            await connect(store).athlete()
    shown = "".join(traceback.format_exception(caught.value)) + repr(store.tokens) + repr(logs) + caplog.text

    assert "tokens.refreshed" in shown
    assert "fake-" not in shown


async def test_a_synchronous_client_is_refused(http: httpx.AsyncClient, make_app: MakeApp) -> None:
    """Rather than send unsigned requests, the auth refuses a client that cannot await."""
    auth = StravaAuth(ATHLETE_ID, FakeTokenStore(None), make_app(http))
    with pytest.raises(RuntimeError, match="AsyncClient"):
        auth.sync_auth_flow(httpx.Request("GET", API))
