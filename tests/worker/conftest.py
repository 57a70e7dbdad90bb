"""Shared by the tests of `worker/`: a Strava simulator behind the real client, and the worker on a real warehouse."""

import json
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.queue.embedded import EmbeddedQueue
from backends.queue.envelope import PushEnvelope
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from strava.client import StravaClient
from strava.events import ReceivedEvent, StravaEvent
from strava.oauth import OAuthApp, StravaAuth
from strava.tokens import TokenSet
from strava.transport import RetryPolicy
from worker.activities import ActivityEvents
from worker.app import create_app
from worker.athletes import note_rejected
from worker.event_router import EventRouter
from worker.purge import Purge
from worker.push_auth import SharedToken

ATHLETE = 4605555801
STATS = f"athletes/{ATHLETE}/stats"
PUSH_TOKEN = "the-deliverers-word"
PUSH_HEADERS = {"authorization": f"Bearer {PUSH_TOKEN}", "content-type": "application/json"}
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
IMPATIENT = RetryPolicy(attempts=2, first_wait_s=0.0, longest_wait_s=0.0)


@dataclass
class Clock:
    """A clock that the test moves or sets; it never shows the same moment twice."""

    now: datetime = NOON
    set_by: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def set(self, seconds: float) -> None:
        """Set the clock ahead, or back, while no time passes."""
        self.now += timedelta(seconds=seconds)
        self.set_by += timedelta(seconds=seconds)

    def steady_s(self) -> float:
        """Return the seconds that passed, however the clock was set."""
        return (self.now - self.set_by - NOON).total_seconds()


@dataclass
class FakeStrava:
    """Answers by path; what has no answer is Strava's own 404. `asked` are the paths it was asked for."""

    answers: dict[str, httpx.Response | Exception] = field(
        default_factory=lambda: {STATS: httpx.Response(200, json={"all_run_totals": {"count": 1}})}
    )
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v3/")
        self.asked.append(path)
        answer = self.answers.get(path, httpx.Response(404, json={"message": "Record Not Found"}))
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def shows(self, activity_id: int, **fields: Any) -> None:
        body = {"id": activity_id, "athlete": {"id": ATHLETE}, "resource_state": 3, "name": "Run", **fields}
        self.answers[f"activities/{activity_id}"] = httpx.Response(200, json=body)

    def rejects_tokens(self) -> None:
        """Kill the tokens, as the athlete does who takes back the app's access."""
        self.answers["athlete"] = httpx.Response(
            401, json={"message": "Authorization Error", "errors": [{"resource": "Athlete", "code": "invalid"}]}
        )
        self.answers["/oauth/token"] = httpx.Response(
            400, json={"errors": [{"resource": "RefreshToken", "field": "refresh_token", "code": "invalid"}]}
        )

    def hides(self, activity_id: int) -> None:
        self.answers.pop(f"activities/{activity_id}", None)


@pytest.fixture
def clock() -> Clock:
    """The clock of the worker."""
    return Clock()


@pytest.fixture
def strava() -> FakeStrava:
    """Strava as the test wants it."""
    return FakeStrava()


@pytest.fixture
async def store(tmp_path: Path, migrated: Path, clock: Clock) -> AsyncIterator[SqliteRawStore]:
    """The real warehouse, with one athlete connected."""
    store = SqliteRawStore(Path(shutil.copy(migrated, tmp_path / "pipeline.sqlite")), clock=clock)
    await store.put_athlete(
        Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=NOON - timedelta(days=9))
    )
    yield store
    await store.close()


@pytest.fixture
async def tokens(tmp_path: Path) -> FileTokenStore:
    """The real token store, with the athlete's tokens."""
    tokens = FileTokenStore(tmp_path / "tokens.json")
    far_away = datetime(2100, 1, 1, tzinfo=UTC)
    await tokens.save(ATHLETE, TokenSet(access_token="access", refresh_token="refresh", expires_at=far_away))
    return tokens


@pytest.fixture
async def oauth(strava: FakeStrava) -> AsyncIterator[OAuthApp]:
    """The app as the simulator knows it."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(strava)) as http:
        yield OAuthApp(
            http, client_id=1, client_secret="fake", oauth_url="https://strava.test/oauth", retry_policy=IMPATIENT
        )


@pytest.fixture
async def client_of(
    strava: FakeStrava, tokens: FileTokenStore, oauth: OAuthApp, store: SqliteRawStore, clock: Clock
) -> AsyncIterator[Callable[[int], StravaClient]]:
    """Makes the real client of an athlete, on the simulator and without a pause between tries."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(strava)) as http:
        url = "https://strava.test/api/v3"
        budget = RateBudget(clock=clock, steady=clock.steady_s)

        @cache
        def auth(athlete_id: int) -> StravaAuth:
            return StravaAuth(athlete_id, tokens, oauth, on_rejected=partial(note_rejected, store))

        yield lambda athlete_id: StravaClient(
            http, auth(athlete_id), api_url=url, budget=budget, retry_policy=IMPATIENT, clock=clock
        )


async def takes_all(_: Athlete | None) -> None:
    """Refuse no event."""


@pytest.fixture
async def worker(
    store: SqliteRawStore,
    tokens: FileTokenStore,
    oauth: OAuthApp,
    client_of: Callable[[int], StravaClient],
    clock: Clock,
    tmp_path: Path,
) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the whole worker, without a network."""
    activities = ActivityEvents(store, client_of, clock=clock, steady=clock.steady_s)
    router = EventRouter(store, activities, Purge(store, tokens, oauth), client_of, clock=clock)
    queue = EmbeddedQueue(tmp_path / "pipeline.sqlite")
    transport = httpx.ASGITransport(create_app(router, store, queue, push_auth=SharedToken(PUSH_TOKEN)))
    async with httpx.AsyncClient(transport=transport, base_url="http://worker.test", headers=PUSH_HEADERS) as client:
        yield client


@pytest.fixture
def make_event(clock: Clock) -> Callable[..., ReceivedEvent]:
    """Makes an event that happened now and was heard at once; any field may be given."""

    def make(activity_id: int = 101, aspect_type: str = "create", **fields: Any) -> ReceivedEvent:
        event = {
            "object_type": "activity",
            "aspect_type": aspect_type,
            "object_id": activity_id,
            "owner_id": ATHLETE,
            "subscription_id": 42,
            "event_time": int(clock.now.timestamp()),
            "updates": {},
            **fields,
        }
        return ReceivedEvent.of(StravaEvent.from_json(event), clock.now)

    return make


@pytest.fixture
def envelope(clock: Clock) -> Callable[..., bytes]:
    """Wraps an event as the queue pushes it."""

    def wrap(received: ReceivedEvent, *, message_id: str = "1", attempt: int = 1, **more: str) -> bytes:
        return PushEnvelope(
            data=received.to_message(),
            attributes={**received.attributes(), **more},
            message_id=message_id,
            publish_time=clock.now,
            subscription="events",
            delivery_attempt=attempt,
        ).to_json()

    return wrap


@pytest.fixture
def recorded(project_root: Path) -> Callable[[str], httpx.Response]:
    """Reads one of Strava's recorded answers."""

    def answer(name: str) -> httpx.Response:
        exchange = json.loads((project_root / "tests" / "fixtures" / "strava" / f"{name}.json").read_text())
        body = b"" if exchange["body"] == "" else json.dumps(exchange["body"]).encode()
        return httpx.Response(exchange["status"]["code"], headers=exchange["headers"], content=body)

    return answer


@pytest.fixture
def rows(tmp_path: Path) -> Callable[[str], list[dict[str, Any]]]:
    """Reads rows of the pipeline's file, as any other program would."""
    import sqlite3  # noqa: PLC0415 - only this fixture looks under the store
    from contextlib import closing  # noqa: PLC0415 - as above

    def read(sql: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(tmp_path / "pipeline.sqlite")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    return read
