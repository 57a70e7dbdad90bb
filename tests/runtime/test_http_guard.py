"""Web pages stay out of the programs that listen, and HEAD is served wherever GET is."""

from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from structlog.testing import capture_logs

from runtime.http_guard import HttpGuard, split_hosts


def guarded(**options: Any) -> HttpGuard:
    """A small application behind a guard, which listens on a host of its own."""
    app = FastAPI()

    @app.api_route("/public/thing", methods=["GET", "POST"])
    @app.api_route("/thing", methods=["GET", "POST", "PUT", "DELETE"])
    async def thing() -> str:
        return "here"

    return HttpGuard(app, **{"host": "box.lan", **options})


async def ask(app: HttpGuard, method: str = "POST", path: str = "/thing", **headers: str) -> httpx.Response:
    """Ask, as one who listens on a loopback port is asked."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8081") as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD"])
@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://127.0.0.1:3000", "http://localhost:8081"])
async def test_a_web_page_is_refused(method: str, origin: str) -> None:
    """A request that a page of another origin sends is 403, with every method."""
    assert (await ask(guarded(), method, origin=origin)).status_code == 403


@pytest.mark.parametrize("headers", [{}, {"origin": "http://127.0.0.1:8081"}])
async def test_programs_and_own_pages_are_served(headers: dict[str, str]) -> None:
    """A program sends no Origin, and a page of the program's own sends its own."""
    assert (await ask(guarded(), **headers)).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.test", 403),
        ("evil.test:8081", 403),
        ("localhost.evil.test", 403),
        ("127.0.0.1.evil.test", 403),
        ("", 403),
        ("localhost:8081", 200),
        ("LOCALHOST", 200),
        ("box.lan:8081", 200),
        ("192.0.2.7:8081", 200),
        ("[::1]:8081", 200),
        ("[::1]", 200),
    ],
)
async def test_only_names_of_its_own_lead_to_a_program(host: str, status: int) -> None:
    """A name that somebody made lead here is refused; loopback, the host listened on and digits are served."""
    assert (await ask(guarded(), "GET", host=host)).status_code == status


async def test_a_rebound_page_is_refused() -> None:
    """A page whose own name was made to lead here has the right origin for it, and is refused by the name."""
    assert (await ask(guarded(), host="evil.test", origin="http://evil.test")).status_code == 403


async def test_a_setting_adds_names() -> None:
    """Names that are given are served, and no others."""
    app = guarded(allowed_hosts=split_hosts("my.host, other.host ,"))
    answers = [await ask(app, host=host) for host in ("my.host", "Other.Host:443", "evil.test")]
    assert [answer.status_code for answer in answers] == [200, 200, 403]


async def test_a_public_path_is_served_under_any_name() -> None:
    """The webhook is reached under a name that nobody told us; names that are given hold for the rest."""
    app = guarded(public_prefix="/public/", allowed_hosts=["my.host"])
    asked = [("/public/thing", "tunnel.test"), ("/thing", "tunnel.test"), ("/thing", "my.host")]
    answers = [await ask(app, path=path, host=host) for path, host in asked]
    assert [answer.status_code for answer in answers] == [200, 403, 200]
    assert (await ask(app, path="/public/thing", origin="https://evil.test")).status_code == 403


async def test_refusals_are_logged_once_a_second_without_the_path() -> None:
    """A flood costs one line; it names the origin, cut short, and no path, which may be a secret."""
    app = guarded()
    with capture_logs() as logs:
        for _ in range(5):
            await ask(app, path="/public/s3cret", origin="https://" + "e" * 500)
    [line] = logs
    assert line["event"] == "http.refused"
    assert "s3cret" not in str(line)
    assert len(line["reason"]) < 200


async def test_head_is_served_where_get_is() -> None:
    """A health probe's HEAD is answered as its GET would be, and where there is no GET there is no HEAD."""
    answers = [await ask(guarded(), "HEAD", path) for path in ("/thing", "/nothing")]
    assert [answer.status_code for answer in answers] == [200, 404]
    assert answers[0].headers["content-length"] == "6"


@pytest.mark.parametrize(
    ("header", "bound"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", {"trace": "4bf92f3577b34da6a3ce929d0e0e4736"}),
        ("00-\x1b[2J-00f067aa0ba902b7-01", {}),
        ("", {}),
    ],
)
async def test_a_request_is_logged_with_its_trace(header: str, bound: dict[str, str]) -> None:
    """The trace that a proxy began is in the context of each log line; a text that is none is left out."""
    seen: list[dict[str, Any]] = []
    app = FastAPI()

    @app.get("/thing")
    async def thing() -> None:
        seen.append(structlog.contextvars.get_contextvars())

    transport = httpx.ASGITransport(HttpGuard(app, host="box.lan"))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8081") as client:
        await client.get("/thing", headers={"traceparent": header})
    assert seen == [bound]


async def test_a_sender_that_leaves_is_no_traceback() -> None:
    """Where a request is read and its sender is gone, there is nobody to answer and nothing to repair."""

    async def reads(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()

    async def leave() -> Any:
        raise ClientDisconnect

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    with capture_logs() as logs:
        await HttpGuard(reads, host="box.lan")(scope, leave, send)
    assert [line["event"] for line in logs] == ["http.abandoned"]
