"""The webhook as Strava uses it: the challenge, and events."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from runtime.http_guard import HttpGuard
from service.app import Service
from strava.events import ReceivedEvent

Make = Callable[..., Service]
Open = Callable[[ASGIApp], httpx.AsyncClient]

UNKNOWN_PATH = ("webhook.unknown_path", "warning")
CHALLENGE_REFUSED = ("webhook.challenge_refused", "warning")
EVENT_REFUSED = ("event.refused", "warning")
NOT_QUEUED = ("event.not_queued", "error")
CHALLENGE = {"hub.mode": "subscribe", "hub.challenge": "15f7d1a91c1f40f8", "hub.verify_token": "verify-me"}


def log_lines(logs: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the name and the level of each log line."""
    return [(line["event"], line["log_level"]) for line in logs]


async def test_the_challenge_is_repeated(make_app: Make, open_client: Open) -> None:
    """A caller with the path and the verify token gets 200 and the challenge under the key `hub.challenge`."""
    with capture_logs() as logs:
        answer = await open_client(make_app()).get("/webhook/s3cret", params=CHALLENGE)
    assert (answer.status_code, answer.json()) == (200, {"hub.challenge": "15f7d1a91c1f40f8"})
    assert log_lines(logs) == [("webhook.challenge_answered", "info")]


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        ("/webhook/s3cret", {"hub.verify_token": "guess"}, 403),
        ("/webhook/s3cret", {"hub.verify_token": "pässword"}, 403),
        ("/webhook/s3cret", {"hub.verify_token": ""}, 403),
        ("/webhook/s3cret", {"hub.mode": "unsubscribe"}, 403),
        ("/webhook/s3cret", {"hub.mode": ""}, 403),
        ("/webhook/guess", {}, 404),
        ("/webhook/s3crät", {}, 404),
    ],
)
async def test_a_wrong_challenge_is_refused(
    make_app: Make, open_client: Open, path: str, change: dict[str, str], status: int
) -> None:
    """A wrong mode or token is 403 and a wrong path is 404. The answer says no more, and the log has a warning."""
    with capture_logs() as logs:
        answer = await open_client(make_app()).get(path, params={**CHALLENGE, **change})
    assert answer.status_code == status
    assert "15f7d1a91c1f40f8" not in answer.text
    assert log_lines(logs) == [CHALLENGE_REFUSED if status == 403 else UNKNOWN_PATH]
    assert not any(word in str(logs) for word in ("guess", "pässword", "crät", "verify-me"))


async def test_a_challenge_without_parameters_is_refused(make_app: Make, open_client: Open) -> None:
    """A person who opens the address sees 403, not a validation error."""
    assert (await open_client(make_app()).get("/webhook/s3cret")).status_code == 403


@pytest.mark.parametrize(
    "missing", [{"path_secret": ""}, {"verify_token": ""}, {"path_secret": "", "verify_token": ""}]
)
@pytest.mark.parametrize("path", ["/webhook/", "/webhook/s3cret"])
async def test_an_unset_secret_switches_the_webhook_off(
    make_app: Make, open_client: Open, queue: Any, event: dict[str, Any], missing: dict[str, str], path: str
) -> None:
    """Without secret or token, challenge and event are 404, also for an empty word."""
    client = open_client(make_app(**missing))
    challenge = await client.get(path, params={**CHALLENGE, "hub.verify_token": ""})
    posted = await client.post(path, json=event)
    assert (challenge.status_code, posted.status_code, queue.published) == (404, 404, [])


async def test_the_log_says_why_the_webhook_is_off(make_app: Make) -> None:
    """The warning at the start names the missing setting."""
    app = make_app(verify_token="")
    with capture_logs() as logs:
        async with app.router.lifespan_context(app):
            pass
    assert log_lines(logs) == [
        ("webhook.switched_off", "warning"),
        ("service.started", "info"),
        ("service.stopped", "info"),
    ]
    assert "STRAVA_VERIFY_TOKEN must be set" in logs[0]["reason"]


async def test_an_event_is_published_as_it_was_sent(
    make_app: Make, open_client: Open, queue: Any, event: dict[str, Any]
) -> None:
    """The answer is 200 without a body. The message holds Strava's fields, the time of receipt and an id."""
    body = {**event, "a_new_field": {"kept": True}}
    answer = await open_client(make_app()).post("/webhook/s3cret", json=body)
    assert (answer.status_code, answer.content) == (200, b"")
    [(data, attributes)] = queue.published
    received = ReceivedEvent.from_push(data)
    assert {key: json.loads(data)[key] for key in body} == body
    assert abs(datetime.now(UTC) - received.received_at) < timedelta(minutes=1)
    assert attributes == {
        "object_type": "activity",
        "aspect_type": "create",
        "object_id": "1360128428",
        "owner_id": "134815",
        "event_time": "1767225600",
        "event_id": received.event_id,
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"object_type": "activity"}', "aspect_type"),
        (b"\xff\xfe", "not JSON"),
    ],
)
async def test_a_body_that_is_no_event_is_refused(
    make_app: Make, open_client: Open, queue: Any, content: bytes, says: str
) -> None:
    """The answer is 400 and names the fault, the log has a line, and nothing is published."""
    with capture_logs() as logs:
        answer = await open_client(make_app()).post("/webhook/s3cret", content=content)
    assert answer.status_code == 400
    assert says in answer.json()["detail"]
    assert log_lines(logs) == [EVENT_REFUSED]
    assert says in logs[0]["reason"]
    assert queue.published == []


async def test_an_event_of_any_subscription_is_published(
    make_app: Make, open_client: Open, queue: Any, event: dict[str, Any]
) -> None:
    """The worker decides about other subscriptions, because it can record the decision in the ledger."""
    answer = await open_client(make_app()).post("/webhook/s3cret", json={**event, "subscription_id": 43})
    assert (answer.status_code, len(queue.published)) == (200, 1)


async def test_a_slash_at_the_end_is_the_same_address(
    make_app: Make, open_client: Open, queue: Any, event: dict[str, Any]
) -> None:
    """A callback address with a slash at its end works without a redirect, which would lose the event."""
    client = open_client(make_app())
    challenge = await client.get("/webhook/s3cret/", params=CHALLENGE)
    posted = await client.post("/webhook/s3cret/", json=event)
    assert (challenge.status_code, challenge.json()) == (200, {"hub.challenge": "15f7d1a91c1f40f8"})
    assert (posted.status_code, len(queue.published)) == (200, 1)


async def test_head_is_answered_as_get_is(make_app: Make, open_client: Open) -> None:
    """Behind the guard, which every program has, HEAD gets the status that GET gets."""
    client = open_client(HttpGuard(make_app(), host="service.test"))
    paths = {"/health": 200, "/webhook/s3cret": 403, "/webhook/guess": 404, "/nothing": 404}
    assert {path: (await client.head(path)).status_code for path in paths} == paths
    assert (await client.head("/webhook/s3cret/", params=CHALLENGE)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
async def test_a_wrong_path_is_logged_once_a_second(make_app: Make, open_client: Open, method: str) -> None:
    """The log says that a request came to a wrong path. It does not say which path, which may be almost the secret."""
    client = open_client(HttpGuard(make_app(), host="service.test"))
    with capture_logs() as logs:
        for path in ("/webhook/s3cre", "/webhook/s3cret/more/", "/webhook/s3cret//", "/webhook/"):
            assert (await client.request(method, path)).status_code == 404
    assert log_lines(logs) == [UNKNOWN_PATH]
    assert "s3cre" not in str(logs)


async def test_a_wrong_path_takes_no_event(
    make_app: Make, open_client: Open, queue: Any, event: dict[str, Any]
) -> None:
    """A prefix of the secret, a longer path and other letters are 404."""
    client = open_client(make_app())
    statuses = [
        (await client.post(f"/webhook/{it}", json=event)).status_code for it in ("s3", "s3cret/x", "S3CRET", "")
    ]
    assert (statuses, queue.published) == ([404] * 4, [])


async def test_a_queue_that_fails_is_503(make_app: Make, open_client: Open, queue: Any, event: dict[str, Any]) -> None:
    """An event that is not durable is not acknowledged, so that Strava sends it again."""
    queue.fault = "the disk is full"
    with capture_logs() as logs:
        answer = await open_client(make_app()).post("/webhook/s3cret", json=event)
    assert answer.status_code == 503
    assert (log_lines(logs), logs[0]["reason"]) == ([NOT_QUEUED], "the disk is full")


async def test_a_large_body_is_413(make_app: Make, open_client: Open, queue: Any, event: dict[str, Any]) -> None:
    """A body of the limit is accepted, and one byte more is not."""
    content = json.dumps(event).encode()
    client = open_client(make_app(max_body_bytes=len(content)))
    fits = await client.post("/webhook/s3cret", content=content)
    with capture_logs() as logs:
        too_long = await client.post("/webhook/s3cret", content=content + b" ")
    assert (fits.status_code, too_long.status_code, len(queue.published)) == (200, 413, 1)
    assert log_lines(logs) == [EVENT_REFUSED]
    assert f"longer than {len(content)} bytes" in logs[0]["reason"]


async def test_an_endless_body_without_a_length_is_413(make_app: Make, open_client: Open, queue: Any) -> None:
    """Reading a chunked body stops at the limit."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000:
            sent += 1
            yield b" " * 1_024

    answer = await open_client(make_app(max_body_bytes=16_384)).post("/webhook/s3cret", content=endless())
    assert (answer.status_code, queue.published) == (413, [])
    assert sent < 20


async def test_a_caller_that_leaves_is_not_answered(make_app: Make, queue: Any) -> None:
    """A connection that closes in the middle of a body leaves only a log line."""
    messages = iter(
        [{"type": "http.request", "body": b'{"object', "more_body": True}, {"type": "http.disconnect"}],
    )
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    with capture_logs() as logs:
        app = HttpGuard(make_app(), host="service.test")
        await app({"type": "http", "method": "POST", "path": "/webhook/s3cret", "headers": []}, receive, send)
    assert (sent, queue.published, log_lines(logs)) == ([], [], [("http.abandoned", "warning")])


async def test_an_event_is_logged_without_its_title(make_app: Make, open_client: Open, event: dict[str, Any]) -> None:
    """The line holds ids and no title."""
    body = {**event, "aspect_type": "update", "updates": {"title": "Run along the Isar"}}
    with capture_logs() as logs:
        await open_client(make_app()).post("/webhook/s3cret", json=body)
    [line] = logs
    assert log_lines(logs) == [("event.queued", "info")]
    assert (line["activity_id"], line["aspect_type"]) == (1360128428, "update")
    assert "Isar" not in str(logs)


@pytest.mark.parametrize("change", [{}, {"queue": "down"}])
async def test_only_activities_are_logged_as_such(
    make_app: Make, open_client: Open, queue: Any, event: dict[str, Any], change: dict[str, Any]
) -> None:
    """An athlete's id is never logged as `activity_id`, neither with the queue nor without it."""
    queue.fault = change.pop("queue", None)
    client = open_client(make_app())
    with capture_logs() as logs:
        await client.post("/webhook/s3cret", json={**event, **change})
        await client.post("/webhook/s3cret", json={**event, **change, "object_type": "athlete", "object_id": 9})
    of_activity, of_athlete = logs
    assert (of_activity["activity_id"], of_athlete["athlete_id"]) == (1360128428, 9)
    assert "object_id" not in of_activity
    assert "activity_id" not in of_athlete


async def test_the_documentation_shows_the_events(make_app: Make, open_client: Open) -> None:
    """OpenAPI lists challenge, events and health, although FastAPI does not route the events."""
    schema = (await open_client(make_app(api_docs=True)).get("/openapi.json")).json()
    assert set(schema["paths"]["/webhook/{secret}"]) == {"get", "post"}
    assert set(schema["paths"]["/webhook/{secret}"]["post"]["responses"]) == {"200", "400", "404", "413", "503"}
    assert "/health" in schema["paths"]
