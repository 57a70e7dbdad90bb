"""A Strava simulator in a laboratory: a clock that is turned by hand and a callback that answers as told."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from simulator.app import create_app
from simulator.journal import Journal
from simulator.rates import Limits
from simulator.recorded import Recorded
from simulator.simulation import Terms
from simulator.webhook_delivery import RetrySpacing
from simulator.world.world import Origin, World, other_worlds

APPLICATION = {"client_id": "4242", "client_secret": "simulated-client-secret"}
CALLBACK = "http://callback.test/webhook/secret"


@dataclass
class HandClock:
    """A clock that only moves when told."""

    now: datetime = datetime(2026, 6, 10, 12, 7, 30, 250_001, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Callback:
    """An ASGI application that echoes challenges and answers events with the statuses it was given, then 200."""

    statuses: list[int] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    challenges: list[dict[str, str]] = field(default_factory=list)
    challenge_status: int = 200
    echo: str | None = None
    encoding: str = "identity"
    before_answer: Callable[[], Any] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.before_answer is not None:
            await self.before_answer()
        if scope["method"] == "GET":
            query = dict(parse_qsl(scope["query_string"].decode()))
            self.challenges.append(query)
            echo = query["hub.challenge"] if self.echo is None else self.echo
            await self._respond(send, self.challenge_status, {"hub.challenge": echo})
            return
        self.events.append(json.loads((await receive())["body"]))
        await self._respond(send, self.statuses.pop(0) if self.statuses else 200, {})

    async def _respond(self, send: Any, status: int, body: dict[str, str]) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-encoding", self.encoding.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


@dataclass
class Lab:
    """the simulator over HTTP, as a client sees it."""

    client: httpx.AsyncClient
    app: Any
    clock: HandClock
    callback: Callback
    token: str = ""
    refresh_token: str = ""

    async def authorize(self, *scopes: str, **parameters: str) -> dict[str, str]:
        """Submit the authorise form and return what the redirect carries."""
        form: dict[str, Any] = {
            "client_id": "4242", "redirect_uri": "http://app.test/cb", "state": "s-1", "decision": "allow",
            "scope": list(scopes),
        }  # fmt: skip
        answer = await self.client.post("/oauth/authorize", data=form | parameters)
        assert answer.status_code == 302, answer.text
        return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def connect(self, *scopes: str, **parameters: str) -> dict[str, Any]:
        """Authorise, exchange the code and use the token from here on."""
        back = await self.authorize(*(scopes or ("activity:read_all", "profile:read_all")), **parameters)
        answer = await self.token_request(grant_type="authorization_code", code=back["code"])
        tokens: dict[str, Any] = answer.json()
        self.token, self.refresh_token = tokens["access_token"], tokens["refresh_token"]
        return tokens

    async def token_request(self, **form: str) -> httpx.Response:
        return await self.client.post("/oauth/token", data=APPLICATION | form)

    async def subscribe(self, callback_url: str = CALLBACK) -> httpx.Response:
        form = APPLICATION | {"callback_url": callback_url, "verify_token": "v-1"}
        return await self.client.post("/api/v3/push_subscriptions", data=form)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.client.get(f"/api/v3{path}", params=query, headers=headers)

    async def faults(self, **faults: Any) -> None:
        answer = await self.client.put("/simulator/faults", json=faults)
        assert answer.status_code == 200, answer.text

    async def save(self, **fields: Any) -> dict[str, Any]:
        """Create an activity and return what the control API tells of it."""
        answer = await self.client.post("/simulator/activities", json=fields)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def edit(self, activity_id: int, **fields: Any) -> dict[str, Any]:
        answer = await self.client.patch(f"/simulator/activities/{activity_id}", json=fields)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def delivered(self) -> list[dict[str, Any]]:
        """Wait until nothing is on its way and return all events that arrived."""
        await self.app.state.simulation.webhook_delivery.idle()
        return self.callback.events

    async def saves(self) -> list[dict[str, Any]]:
        saves: list[dict[str, Any]] = (await self.client.get("/simulator/saves")).json()
        return saves


@asynccontextmanager
async def _lab(
    *,
    seed: int = 7,
    years: float = 0.25,
    state: Path | None = None,
    recorded: Recorded | None = None,
    limits: tuple[str, str] = ("1000,10000", "1000,10000"),
    clock: HandClock | None = None,
    athletes: int = 1,
) -> AsyncIterator[Lab]:
    clock, callback, journal = clock or HandClock(), Callback(), Journal(state)
    origin = Origin(seed=seed, athlete_id=4242424242, years=years, until=datetime(2026, 6, 10, tzinfo=UTC).date())
    terms = Terms(
        **APPLICATION,
        read_limit=Limits.from_text(limits[0]),
        overall_limit=Limits.from_text(limits[1]),
        retry_spacing=RetrySpacing(0, 0),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(callback)) as http:
        world = World(Origin.kept(journal, origin), journal, recorded)
        others = other_worlds(world.origin, journal, athletes)
        app = create_app(world, journal, http, terms=terms, clock=clock, others=others)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://strava.test") as client,
        ):
            yield Lab(client, app, clock, callback)
    journal.close()


@pytest.fixture
def make_lab() -> Callable[..., AbstractAsyncContextManager[Lab]]:
    """Make laboratories with other seeds, years, limits or a state file."""
    return _lab


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """A laboratory whose application is connected with all scopes and subscribed."""
    async with _lab() as made:
        await made.connect()
        assert (await made.subscribe()).status_code == 201
        yield made


@pytest.fixture
async def bare_lab() -> AsyncIterator[Lab]:
    """A laboratory that nobody has connected to."""
    async with _lab() as made:
        yield made


@pytest.fixture(scope="session")
def samples() -> Callable[[str], Any]:
    """Read a recorded answer's body by file name; a list of answers gives a list of bodies."""
    folder = Path(__file__).parents[1] / "fixtures" / "strava"

    def body(name: str) -> Any:
        content = json.loads((folder / f"{name}.json").read_text())
        return [item.get("body", item) for item in content] if isinstance(content, list) else content["body"]

    return body


@pytest.fixture(scope="session")
def history() -> list[dict[str, Any]]:
    """Four generated years, detailed, newest first."""
    origin = Origin(seed=7, athlete_id=4242424242, years=4, until=datetime(2026, 11, 24, tzinfo=UTC).date())
    world = World(origin, Journal())
    return [world.detail(key) for key in reversed(world.ids())]
