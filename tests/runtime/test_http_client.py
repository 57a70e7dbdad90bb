"""A proxy in the environment: calls on this machine pass it by, calls of the real Strava go through it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from runtime.http_client import is_loopback

ASK = """
import asyncio, sys
import httpx
from runtime.http_client import ProxyUnusable, client_for, loopback_client
from backends.queue.embedded import push_client

async def ask(client, url):
    async with client as http:
        try:
            return (await http.get(url)).status_code
        except httpx.ProxyError:
            return "proxied"

async def main(local):
    print(await ask(loopback_client(timeout=5), local))
    print(await ask(client_for(local, "http://localhost:1/oauth", timeout=5), local))
    print(await ask(push_client(), local))
    print(await ask(client_for("https://strava.invalid/api/v3", local, timeout=5), "https://strava.invalid/"))

try:
    asyncio.run(main(sys.argv[1]))
except ProxyUnusable as error:
    print(error)
"""


class Answering(BaseHTTPRequestHandler):
    """A program of ours that answers 200, and a proxy that lets nobody through."""

    def do_GET(self) -> None:
        """Answer what is asked of us; what is asked of a proxy has a whole address in its first line."""
        self.send_response(502 if self.path.startswith("http") else 200)
        self.end_headers()

    def do_CONNECT(self) -> None:
        """Refuse."""
        self.send_error(403)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    """Where somebody answers."""
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def asked(address: str, root: Path, **proxies: str) -> list[str]:
    """Run the calls with these proxies in the environment, and return how each ended."""
    shell = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    told = {**shell, "PYTHONPATH": str(root), **proxies}
    ended = subprocess.run(
        [sys.executable, "-c", ASK, address], env=told, capture_output=True, text=True, timeout=60, check=False
    )
    return (ended.stdout + ended.stderr).splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_calls_on_this_machine_pass_a_proxy_by(address: str, project_root: Path, name: str) -> None:
    """Health checks, pushes and the demo's Strava are reached, and the real Strava is asked through the proxy."""
    assert asked(address, project_root, **{name: address, "HTTPS_PROXY": address}) == ["200", "200", "200", "proxied"]


@pytest.mark.parametrize("proxy", ["socks5://user:s3cr3t@127.0.0.1:9", "nonsense://s3cr3t"])
def test_a_proxy_that_cannot_be_used_is_told_in_a_sentence(address: str, project_root: Path, proxy: str) -> None:
    """It does not touch the calls on this machine, and its address, which may hold a password, is not repeated."""
    *local, sentence = asked(address, project_root, ALL_PROXY=proxy)
    assert local == ["200", "200", "200"]
    assert sentence.startswith("HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names ")
    assert "s3cr3t" not in sentence


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8090/api/v3", True),
        ("http://127.8.9.1/", True),
        ("http://[::1]:80/", True),
        ("http://localhost:1/", True),
        ("https://www.strava.com/api/v3", False),
        ("http://10.0.0.1/", False),
        ("http://localhost.example.com/", False),
        ("", False),
    ],
)
def test_loopback_is_known_by_its_address(url: str, expected: bool) -> None:
    """Only addresses that never leave this machine count."""
    assert is_loopback(url) is expected
