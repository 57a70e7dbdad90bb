"""Only the deliverer may push: what comes without its token is refused before it is read, and leaves no row."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from strava.events import ReceivedEvent
from worker.main import build
from worker.push_auth import SharedToken
from worker.settings import WorkerSettings

Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]
Rows = Callable[[str], list[dict[str, Any]]]

PATHS = pytest.mark.parametrize("path", ["/push", "/dead-letter"])


async def unread() -> AsyncIterator[bytes]:
    """A body that must not be read."""
    raise AssertionError("the body was read")
    yield b""


@PATHS
@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer guess", "the-deliverers-word", "Bearer wörd"])
async def test_a_forged_push_is_refused_unread(
    worker: httpx.AsyncClient, rows: Rows, path: str, authorization: str
) -> None:
    """Without the deliverer's token it is 401, the body stays unread, no row is written; the log shows no token."""
    headers = {b"authorization": authorization.encode()}
    with capture_logs() as logs:
        answer = await worker.post(path, content=unread(), headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert rows("select * from strava_events") == []
    assert [(line["event"], line["status"]) for line in logs] == [("push.refused", 401)]
    assert "guess" not in str(logs)


async def test_refusals_are_logged_once_a_second(worker: httpx.AsyncClient) -> None:
    """A flood of forged pushes costs one line."""
    with capture_logs() as logs:
        for _ in range(5):
            await worker.post("/push", content=b"{}", headers={"authorization": "Bearer guess"})
    assert len(logs) == 1


@PATHS
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
async def test_a_push_is_json(worker: httpx.AsyncClient, rows: Rows, path: str, kind: str) -> None:
    """A content type that a web page may send without asking is 415, unread and logged."""
    with capture_logs() as logs:
        answer = await worker.post(path, content=unread(), headers={"content-type": kind})
    assert answer.status_code == 415
    assert rows("select * from strava_events") == []
    assert [(line["event"], line["status"]) for line in logs] == [("push.refused", 415)]


async def test_the_deliverer_comes_in(worker: httpx.AsyncClient, make_event: Event, envelope: Wrap, rows: Rows) -> None:
    """With the token the push is taken; a charset or a blank beside the content type does not matter."""
    headers = {"content-type": "Application/JSON ; charset=utf-8"}
    answer = await worker.post("/push", content=envelope(make_event()), headers=headers)
    assert answer.status_code == 503  # Strava does not show the activity yet
    assert len(rows("select * from strava_events")) == 1


@PATHS
async def test_an_unset_token_refuses_every_push(tmp_path: Path, path: str) -> None:
    """Without PUSH_TOKEN even an empty bearer is 403, and the log says at start which setting to set."""
    with capture_logs() as logs:
        app = build(WorkerSettings(data_dir=tmp_path))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker.test") as client,
    ):
        answers = [await client.post(path, headers={"authorization": word}) for word in ("", "Bearer ", "Bearer x")]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    [told] = [line for line in logs if line["event"] == "push.switched_off"]
    assert "PUSH_TOKEN" in told["reason"]


def test_the_token_stays_out_of_repr() -> None:
    """A printed collaborator or setting tells nothing."""
    assert "w0rd" not in repr(SharedToken("w0rd"))
    assert "w0rd" not in repr(WorkerSettings(push_token="w0rd"))
