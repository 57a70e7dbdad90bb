"""The app's side of OAuth, on recorded answers."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from strava.client import StravaClient
from strava.errors import AppRejected, BadRequest, Retryable, TokenRejected, UnreadableAnswer
from strava.grants import exchange_code
from strava.oauth import BearerAuth, OAuthApp
from strava.tokens import TokenSet

Recorded = Callable[[str], httpx.Response]
MakeApp = Callable[[httpx.AsyncClient], OAuthApp]
Answer = Callable[[httpx.Request], httpx.Response]
App = Callable[[Answer], OAuthApp]

FORM = {"client_id": "10001", "client_secret": "fake-secret"}
PLAIN: dict[str, Any] = {"access_token": "a1", "refresh_token": "r2", "expires_in": 60}


@pytest.fixture
async def app(make_app: MakeApp) -> AsyncIterator[App]:
    """Makes the app, of which one function is the other end."""
    opened: list[httpx.AsyncClient] = []

    def make(answer: Answer) -> OAuthApp:
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        opened.append(http)
        return make_app(http)

    yield make
    for http in opened:
        await http.aclose()


async def test_exchanges_as_recorded(app: App, recorded: Recorded, noon: datetime) -> None:
    """A code gives tokens for six hours and the athlete's id."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return recorded("token_exchange")

    tokens, athlete_id = await app(answer).exchange("fake-code")

    assert athlete_id == 4_745_727_520
    assert (tokens.access_token, tokens.refresh_token) == ("a" * 40, "b" * 40)
    assert tokens.expires_at == noon + timedelta(hours=6)
    assert (asked[0].method, str(asked[0].url)) == ("POST", "https://strava.test/oauth/token")
    assert dict(parse_qsl(asked[0].content.decode())) == {
        **FORM,
        "grant_type": "authorization_code",
        "code": "fake-code",
    }


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("slow"), httpx.Response(502)])
async def test_a_code_is_not_traded_twice(app: App, lost: Exception | httpx.Response) -> None:
    """A code works once: where the answer was lost, asking again could only kill what it brought."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(lost, Exception):
            raise lost
        return lost

    with pytest.raises(Retryable):
        await app(answer).exchange("fake-code")
    assert len(asked) == 1


async def test_a_refresh_whose_answer_was_lost_is_repeated(app: App) -> None:
    """The old refresh token may be alive still, and nothing else could bring tokens."""
    script: list[Exception | httpx.Response] = [httpx.ReadTimeout("slow"), httpx.Response(200, json=PLAIN)]

    def answer(_: httpx.Request) -> httpx.Response:
        step = script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    assert (await app(answer).refresh("r1")).refresh_token == "r2"


async def test_refreshes_as_recorded(app: App, recorded: Recorded, noon: datetime) -> None:
    """A refresh gives tokens for as long as Strava says."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return recorded("token_refresh")

    tokens = await app(answer).refresh("fake-refresh")

    assert (tokens.access_token, tokens.refresh_token) == ("a" * 40, "b" * 40)
    assert tokens.expires_at == noon + timedelta(seconds=14_282)
    assert dict(parse_qsl(asked[0].content.decode())) == {
        **FORM,
        "grant_type": "refresh_token",
        "refresh_token": "fake-refresh",
    }


@pytest.mark.parametrize(
    ("sent", "scope"),
    [
        ("read,activity:read_all", {"read", "activity:read_all"}),
        ("read activity:read_all", {"read", "activity:read_all"}),
        ("", set()),
        (None, set()),
    ],
)
async def test_reads_the_scope_where_it_is_told(sent: Any, scope: set[str], app: App) -> None:
    """The granted scopes are kept if the answer names them."""
    tokens = await app(lambda _: httpx.Response(200, json={**PLAIN, "scope": sent})).refresh("r1")

    assert tokens.scope == scope


async def test_an_unrotated_refresh_token_may_be_left_out(app: App) -> None:
    """Without a new refresh token the old one stays."""
    fields = {name: value for name, value in PLAIN.items() if name != "refresh_token"}

    assert (await app(lambda _: httpx.Response(200, json=fields)).refresh("r1")).refresh_token == "r1"


async def test_a_date_of_expiry_is_enough(app: App) -> None:
    """Where there is no duration the date counts."""
    fields = {"access_token": "a1", "refresh_token": "r2", "expires_at": 1_542_940_199}

    tokens = await app(lambda _: httpx.Response(200, json=fields)).refresh("r1")

    assert tokens.expires_at == datetime(2018, 11, 23, 2, 29, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "left_s"),
    [
        ({"expires_in": 60.5}, 60.5),
        ({"expires_in": "60"}, 60),
        ({"expires_in": None, "expires_at": 1_772_366_360.0}, 60),
        ({"expires_in": "soon", "expires_at": "1772366360"}, 60),
        ({"expires_in": 10**18, "expires_at": 1_772_366_360}, 60),
        ({"expires_in": True}, 0),
        ({"expires_in": "9" * 5000}, 0),
        ({"expires_in": None, "expires_at": 10**18}, 0),
        ({"expires_in": None}, 0),
    ],
)
async def test_an_odd_expiry_loses_no_token(told: Any, left_s: float, app: App, noon: datetime) -> None:
    """A number in any form is read; tokens whose end is not told count as expiring now, so they are renewed at once."""
    tokens = await app(lambda _: httpx.Response(200, json={**PLAIN, **told})).refresh("r1")

    assert (tokens.refresh_token, tokens.expires_at) == ("r2", noon + timedelta(seconds=left_s))


async def test_revokes_with_the_apps_credentials(app: App) -> None:
    """A revocation proves the app by HTTP Basic and names the token in the body."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    await app(answer).revoke("fake-refresh")

    assert str(asked[0].url) == "https://strava.test/oauth/revoke"
    assert asked[0].headers["Authorization"] == "Basic MTAwMDE6ZmFrZS1zZWNyZXQ="
    assert asked[0].content == b"token=fake-refresh"


async def test_a_recorded_dead_code_says_connect_again(app: App, recorded: Recorded) -> None:
    """A used code is refused with what to do."""
    with pytest.raises(BadRequest, match="connect again"):
        await app(lambda _: recorded("token_invalid_code")).exchange("fake-code")


async def test_a_dead_refresh_token_is_rejected(app: App) -> None:
    """Strava's 400 for a dead refresh token is TokenRejected."""
    errors = [{"resource": "RefreshToken", "field": "refresh_token", "code": "invalid"}]
    with pytest.raises(TokenRejected):
        await app(lambda _: httpx.Response(400, json={"errors": errors})).refresh("r1")


async def test_wrong_credentials_are_the_apps(app: App, recorded: Recorded) -> None:
    """A recorded 401 here is about client id and secret."""
    with pytest.raises(AppRejected):
        await app(lambda _: recorded("error_401")).refresh("r1")


@pytest.mark.parametrize(
    "fields",
    [
        [],
        {},
        {**PLAIN, "access_token": None},
        {**PLAIN, "access_token": ""},
        {**PLAIN, "access_token": "a\nb"},
        {**PLAIN, "access_token": "ä"},
        {**PLAIN, "refresh_token": 1},
    ],
)
async def test_odd_tokens_are_unreadable(fields: Any, app: App) -> None:
    """Tokens that could not be used are not stored in place of good ones."""
    with pytest.raises(UnreadableAnswer):
        await app(lambda _: httpx.Response(200, json=fields)).refresh("r1")


@pytest.mark.parametrize("athlete", [None, {}, {"id": "7"}, {"id": True}, 7])
async def test_an_exchange_may_not_say_whose_the_tokens_are(athlete: Any, app: App) -> None:
    """The tokens are handed out without an id: they work, so their owner can be asked."""
    answer = httpx.Response(200, json={**PLAIN, "athlete": athlete})
    tokens, athlete_id = await app(lambda _: answer).exchange("fake-code")
    assert (tokens.access_token, athlete_id) == ("a1", None)


@pytest.mark.parametrize(("told", "asked"), [({"athlete": {"id": 7}}, 0), ({}, 1)])
async def test_who_granted_is_asked_with_the_fresh_token(told: Any, asked: int, app: App) -> None:
    """Strava's own word in the exchange is enough; without it the athlete is asked once, by the token just given."""
    headers: list[str] = []

    def answer_athlete(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers["Authorization"])
        return httpx.Response(200, json={"id": 7})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer_athlete)) as http:

        def client_of(tokens: TokenSet) -> StravaClient:
            return StravaClient(http, BearerAuth(tokens), api_url="https://strava.test/api/v3")

        exchanging = app(lambda _: httpx.Response(200, json=PLAIN | told))
        grant = await exchange_code(exchanging, "fake-code", client_of)
    assert (grant.athlete_id, grant.tokens.refresh_token) == (7, "r2")
    assert headers == ["Bearer a1"] * asked


def test_the_page_that_is_asked_for_a_grant(app: App) -> None:
    """It shows the boxes also to who granted before, asks for all scopes, and carries no secret of the app."""
    url = httpx.URL(app(lambda _: httpx.Response(200)).authorize_url(redirect_uri="https://my.host/cb", state="s&1"))
    assert str(url).startswith("https://strava.test/oauth/authorize?")
    assert dict(url.params) == {
        "client_id": "10001",
        "redirect_uri": "https://my.host/cb",
        "response_type": "code",
        "approval_prompt": "force",
        "scope": "read,activity:read_all,profile:read_all",
        "state": "s&1",
    }
