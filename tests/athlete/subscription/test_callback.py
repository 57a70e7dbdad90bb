"""What is wrong with a callback is told in one sentence, with what mends it, before Strava is asked."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import Result

from athlete.subscription.callback import check_callback, is_same_callback, masked

Run = Callable[..., Result]
HTML = {"content-type": "text/html; charset=utf-8"}
JSON_REFUSAL = '{"detail": "Refused:\\n no"}'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        ({"status": 301, "headers": {"location": "https://127.0.0.1/x"}}, ("redirects to https://", "write https://")),
        ({"status": 308, "headers": {"location": "?a=b"}}, ("(status 308)", "pass the path as it is")),
        ({"status": 302, "headers": {"location": "https://login.test/a?b"}}, ("redirects to https://login.test/…",)),
        (
            {"headers": HTML, "body": "<!doctype html><TITLE> You are about\n to visit &amp; more</TITLE>"},
            ("a web page “You are about to visit & more” (status 200)", "Switch that page off"),
        ),
        ({"status": 502, "headers": HTML, "body": "<h1>Bad Gateway</h1>"}, ("reaches no service", "athlete up")),
        ({"status": 502, "body": ""}, ("nothing runs behind the proxy", "athlete up")),
        ({"status": 201}, ("status 201, and Strava takes 200 alone",)),
        ({"status": 401, "body": "{}"}, ("asks for a login or keeps callers out. Let it pass",)),
        ({"status": 403, "body": JSON_REFUSAL}, ("keeps callers out and says “Refused: no”",)),
        ({"status": 500, "body": "{}"}, ("look at what answers there",)),
        ({"body": "ok"}, ("200, but not with JSON",)),
        ({"body": '["CHALLENGE"]'}, ("not with JSON",)),
        ({"body": '{"hub.challenge": "not CHALLENGE"}'}, ("does not repeat the challenge",)),
        ({"after_s": 2.1}, ("answers right, but only after", "Strava waits for 2")),
    ],
    ids=["301", "slash", "elsewhere", "page", "page of 502", "502", "201", "401", "403", "500", "text", "list", "echo",
         "slow"],
)  # fmt: skip
def test_a_faulty_callback_is_told_before_strava_is_asked(
    run: Run,
    strava: Any,
    serve: Callable[..., str],
    reply: Callable[..., Any],
    current: Callable[[], int | None],
    fields: dict[str, Any],
    sentences: tuple[str, ...],
) -> None:
    """One sentence says what came back and what mends it; nothing is subscribed or remembered."""
    result = run("create", PUBLIC_URL=serve(reply(**fields)))
    assert result.exit_code == 1
    assert result.stderr.startswith("athlete: The callback http://127.0.0.1:")
    assert result.stderr.endswith("Nothing was subscribed.\n")
    assert all(sentence in result.stderr for sentence in sentences), result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert strava.subscriptions() == []
    assert current() is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"verify_token": "another-token"}, "the running service has another STRAVA_VERIFY_TOKEN"),
        ({"path_secret": "another-secret-of-it"}, "another WEBHOOK_PATH_SECRET or its webhook is switched off"),
        ({"verify_token": ""}, "another WEBHOOK_PATH_SECRET or its webhook is switched off"),
    ],
    ids=["verify token", "path secret", "switched off"],
)
def test_a_service_with_other_settings_is_told(
    run: Run, service: Callable[..., str], given: dict[str, str], sentence: str
) -> None:
    """The running service's own refusals are understood: which setting differs, and that it must start again."""
    result = run("create", PUBLIC_URL=service(**given))
    assert result.exit_code == 1
    assert sentence in result.stderr


@contextmanager
def answering_rudely(words: bytes) -> Iterator[int]:
    """Accept connections, say these bytes and hang up; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def work() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(words)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_callback_that_cannot_be_reached_is_told(run: Run) -> None:
    """Nobody listens, no name server knows it, no TLS, and a tunnel that hangs up: each with its own way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    with answering_rudely(b"") as silent, answering_rudely(b"HTTP/1.1 400 Bad Request\r\n\r\n") as plain:
        for url, sentences in (
            (f"http://127.0.0.1:{free}", (f"nothing listens at port {free}", "--no-check")),
            ("https://no-such-host.invalid", ("no name server knows no-such-host.invalid", "PUBLIC_URL")),
            (f"https://127.0.0.1:{plain}", ("speaks no TLS", "https")),
            (f"http://127.0.0.1:{silent}", ("ends the connection without an answer", "athlete up")),
        ):
            result = run("create", PUBLIC_URL=url)
            assert result.exit_code == 1
            assert all(sentence in result.stderr for sentence in sentences), result.stderr


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Make a key and a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    ).sign(key, hashes.SHA256())
    paths = folder / "key.pem", folder / "certificate.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    paths[0].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    paths[1].write_bytes(certificate.public_bytes(pem))
    return paths


def test_a_certificate_that_nobody_vouches_for_is_told(
    run: Run, serve: Callable[..., str], reply: Callable[..., Any], tmp_path: Path
) -> None:
    """The sentence has OpenSSL's reason."""
    result = run("create", PUBLIC_URL=serve(reply(), self_signed(tmp_path)))
    assert result.exit_code == 1
    assert "has a certificate that is not accepted (self-signed certificate" in result.stderr


async def test_a_callback_that_never_answers_is_told() -> None:
    """The client's patience ended."""

    def never(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as http:
        check = await check_callback(http, "https://my.example.org/webhook/x", "the-token")
    assert check.seconds is None
    assert check.fault is not None
    assert "https://my.example.org/webhook/… does not answer within 10 s" in check.fault


async def test_an_endless_body_is_not_read_to_its_end() -> None:
    """A challenge's answer is short; what goes on for ever is cut off and told."""

    async def endless() -> Any:
        while True:
            yield b"x" * 4096

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=endless()))
    async with httpx.AsyncClient(transport=transport) as http:
        check = await check_callback(http, "https://my.example.org/webhook/x", "the-token")
    assert check.fault is not None
    assert "not with JSON" in check.fault


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://my.example.org/webhook/secret", "https://my.example.org/webhook/…"),
        ("https://my.example.org/webhook/secret/?a=secret#secret", "https://my.example.org/webhook/…"),
        ("https://me:secret@my.example.org:8443/secret", "https://my.example.org:8443/…"),
        ("https://my.example.org", "https://my.example.org/…"),
        ("https://my.example.org/\x1b[31m\n/secret", "https://my.example.org/[31m /…"),
        ("", "an address that Strava does not tell"),
        ("https://[::1/secret", "an address that cannot be read"),
    ],
)
def test_an_address_is_shown_without_its_secret(url: str, shown: str) -> None:
    """The last part of the path, a user's name and a query are left out, and so are control characters."""
    assert masked(url) == shown


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("https://my.example.org/webhook/x", True),
        ("https://MY.example.org:443/webhook/x/", True),
        ("http://my.example.org/webhook/x", False),
        ("https://my.example.org/webhook/X", False),
        ("https://my.example.org:port/webhook/x", False),
    ],
)
def test_callbacks_are_compared_as_addresses(url: str, is_same: bool) -> None:
    """Case of the host, the usual port and a slash at the end make no difference; scheme and path do."""
    assert is_same_callback(url, "https://my.example.org/webhook/x") is is_same
