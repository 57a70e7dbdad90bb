"""The process tree: it starts, restarts and stops real programs."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from athlete.supervisor import LONGEST_PAUSE_S, ProcessTree, Program, ProgramFailed, free_port, pause_s


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition that another process brings about."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - another process brings it about
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether the process is there and not merely a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def web_server(tmp_path: Path) -> Program:
    """A program that answers HTTP: Python's own file server."""
    port = free_port()
    return Program(
        name="web",
        module="http.server",
        arguments=(str(port), "--bind", "127.0.0.1"),
        folder=tmp_path,
        health_url=f"http://127.0.0.1:{port}/",
    )


def test_a_free_port_is_kept_for_who_asks_for_it() -> None:
    """The system chooses it for no other program and no connection; one that asks for it by number gets it."""
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)) as asked:
        assert asked.getsockname()[1] == port


async def test_start_returns_when_the_program_answers_and_stop_ends_it(web_server: Program, tmp_path: Path) -> None:
    """After start the program answers; after the tree is left it is gone."""
    async with ProcessTree(tmp_path / "logs") as tree:
        await tree.start([web_server])
        pid = tree.running["web"].pid
        assert pid is not None
        assert is_running(pid)
    assert not is_running(pid)


@pytest.mark.slow
async def test_a_killed_program_is_started_again(web_server: Program, tmp_path: Path) -> None:
    """Kill -9 of a program is answered by a new process."""
    async with ProcessTree(tmp_path / "logs") as tree:
        await tree.start([web_server])
        first = tree.running["web"].pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: tree.running["web"].pid not in {None, first})


@pytest.mark.slow
async def test_a_program_that_cannot_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    """A module that is not there ends the start with a sentence that carries the program's own error."""
    broken = Program(name="broken", module="no.such.module", health_url="http://127.0.0.1:9/")
    async with ProcessTree(tmp_path / "logs") as tree:
        with pytest.raises(ProgramFailed, match=r"broken does not start.*\n.*(\n.*)*No module named"):
            await tree.start([broken])


def test_the_pause_before_a_restart_grows_and_is_capped() -> None:
    """It doubles up to eight seconds and stays there, however many thousand times a program has fallen over."""
    assert [pause_s(failures) for failures in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert pause_s(1_025) == pause_s(10**6) == LONGEST_PAUSE_S


@pytest.mark.slow
async def test_a_program_that_cannot_even_be_started_again_is_tried_on(tmp_path: Path) -> None:
    """Where the system refuses a new process for a while, the supervisor goes on and starts it when it can."""
    folder = tmp_path / "here"
    folder.mkdir()
    silent = Program(name="silent", module="http.server", arguments=(str(free_port()),), folder=folder)
    async with ProcessTree(tmp_path / "logs") as tree:
        await tree.start([silent])
        running = tree.running["silent"]
        folder.rmdir()  # no process can begin in it
        first = running.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: running.failures > 1)
        assert running.pid is None
        folder.mkdir()
        await until(lambda: running.pid is not None)


class Answering(BaseHTTPRequestHandler):
    """Answers every request with 200."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""


class OtherProgram:
    """Somebody else's web server, once it is asked to serve."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._server: HTTPServer | None = None

    def serve(self) -> None:
        """Answer from now on."""
        self._server = HTTPServer(("127.0.0.1", self.port), Answering)
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        """Answer no more."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()


@pytest.fixture
def other() -> Iterator[OtherProgram]:
    """Somebody else, who ends with the test."""
    somebody = OtherProgram()
    yield somebody
    somebody.end()


async def test_another_program_s_port_is_refused_before_anything_starts(other: OtherProgram, tmp_path: Path) -> None:
    """Where somebody else answers already, the sentence says so and no program was started."""
    other.serve()
    async with ProcessTree(tmp_path / "logs") as tree:
        with pytest.raises(ProgramFailed, match=f"ours does not start: another program answers at {other.url}"):
            await tree.start([Program(name="ours", module="no.such.module", health_url=other.url)])
        assert not tree.running


@pytest.mark.slow
async def test_another_program_is_not_taken_for_one_that_ended(other: OtherProgram, tmp_path: Path) -> None:
    """Another program's answers do not make ours ready while it ends again and again."""
    (tmp_path / "late.py").write_text("import time\ntime.sleep(0.2)\nraise SystemExit('the port is taken')\n")
    ours = Program(name="ours", module="late", folder=tmp_path, health_url=other.url)
    async with ProcessTree(tmp_path / "logs") as tree:
        start = asyncio.create_task(tree.start([ours]))
        await until(lambda: bool(tree.running) and tree.running["ours"].failures > 0)
        other.serve()
        with pytest.raises(ProgramFailed, match=r"ours does not start.*\n(.*\n)*.*the port is taken"):
            await start


@pytest.mark.slow
async def test_a_program_that_nobody_can_ask_must_go_on_running(web_server: Program, tmp_path: Path) -> None:
    """One that has no address and ends again and again ends the start, with its own error."""
    broken = Program(name="broken", module="no.such.module")
    async with ProcessTree(tmp_path / "logs") as tree:
        with pytest.raises(ProgramFailed, match=r"broken does not start.*\n.*(\n.*)*No module named"):
            await tree.start([web_server, broken])


@pytest.mark.slow
async def test_a_program_that_nobody_can_ask_is_started_when_it_goes_on_running(tmp_path: Path) -> None:
    """A start waits no longer than it takes to see that."""
    silent = Program(name="silent", module="http.server", arguments=(str(free_port()),), folder=tmp_path)
    async with ProcessTree(tmp_path / "logs") as tree:
        await tree.start([silent])
        assert tree.running["silent"].pid is not None
        assert tree.running["silent"].failures == 0


@pytest.mark.slow
async def test_programs_end_with_a_killed_parent(tmp_path: Path) -> None:
    """Kill -9 of the parent ends its programs too: nothing is left running."""
    pid_file = tmp_path / "pid"
    script = (
        "import asyncio, pathlib\n"
        "from athlete.supervisor import ProcessTree, Program\n"
        "async def main():\n"
        f"    async with ProcessTree(pathlib.Path({str(tmp_path)!r})) as tree:\n"
        f"        await tree.start([Program(name='web', module='http.server', arguments=('{free_port()}',))])\n"
        f"        pathlib.Path({str(pid_file)!r}).write_text(str(tree.running['web'].pid))\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    await until(lambda: pid_file.exists() and bool(pid_file.read_text()))
    child = int(pid_file.read_text())
    parent.kill()
    await parent.wait()
    await until(lambda: not is_running(child))
