"""A program that serves HTTP, ended by a signal while it works."""

import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

PROGRAM = """
import asyncio, sys
from fastapi import FastAPI
from runtime.serving import run

def make_app():
    asyncio.get_running_loop()  # raises where there is none
    app = FastAPI()

    @app.get("/slow")
    async def slow():
        print("begun", flush=True)
        await asyncio.sleep(0.5)
        return "done"

    print("made", flush=True)
    return app

run(make_app, host="127.0.0.1", port=int(sys.argv[1]))
"""


def ask(url: str) -> httpx.Response:
    """Ask until somebody listens."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=30) as http:
        return http.get(url)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_when_its_work_is_done(number: signal.Signals) -> None:
    """The request in hand is answered, and the program leaves with 0 and without a traceback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", PROGRAM, str(port)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program,
        ThreadPoolExecutor() as threads,
    ):
        assert program.stdout is not None
        assert program.stdout.readline() == "made\n"
        answer = threads.submit(ask, f"http://127.0.0.1:{port}/slow")
        assert program.stdout.readline() == "begun\n"
        program.send_signal(number)
        _, said = program.communicate(timeout=30)
    assert (answer.result().json(), program.returncode) == ("done", 0)
    assert "Traceback" not in said
