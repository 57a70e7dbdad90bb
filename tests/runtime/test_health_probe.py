"""The health check of the images: 0 while each program answers 200, 1 with a line for each that does not."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from runtime.health_probe import main


class Answers(BaseHTTPRequestHandler):
    """Healthy at one path alone."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200 if self.path == "/health" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a program."""
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_program_is_asked_at_the_port_of_its_setting(
    port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the setting is missing or empty the port beside it is asked; no proxy of the environment is."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("SERVICE_PORT", raising=False)
    assert main([f"SERVICE_PORT={port}/health"]) == 0
    monkeypatch.setenv("SERVICE_PORT", "")
    assert main([f"SERVICE_PORT={port}/health"]) == 0
    monkeypatch.setenv("SERVICE_PORT", str(port))
    assert main(["SERVICE_PORT=1/health"]) == 0
    assert capsys.readouterr().out == ""


def test_each_program_that_is_not_well_is_named(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """An answer other than 200 and no answer at all are faults, also beside a program that is well."""
    assert main([f"A_PORT={port}/health", f"B_PORT={port}/other", "C_PORT=1/health"]) == 1
    other, silent = capsys.readouterr().out.splitlines()
    assert other == f"{port}/other: 503"
    assert silent.startswith("1/health: ConnectionRefusedError(")
