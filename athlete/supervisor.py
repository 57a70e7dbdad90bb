"""One process tree: starts the programs, waits until they answer, starts again what ends by itself, and stops all."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx
import structlog

from runtime.http_client import loopback_client

log = structlog.get_logger()

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 15.0
LONGEST_PAUSE_S = 8.0
STEADY_S = 1.0


class ProgramFailed(Exception):
    """A program does not start; the sentence carries the end of its output."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program of the tree: `python -m MODULE ARGUMENTS` in `folder`, and where it answers when it is ready."""

    name: str
    module: str
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    health_url: str | None = None


def free_port() -> int:
    """Return a loopback port that nothing listens on, and which the system chooses for nobody else for a minute.

    A connection that has ended lingers there: only a program that asks for this very port can listen on it.
    """
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        server.accept()[0].close()  # the side that closes first is the one that lingers
        return int(server.getsockname()[1])


def pause_s(failures: int) -> float:
    """Return the seconds before a program is started again after so many failures in a row: they double up to eight."""
    return min(0.25 * 2.0 ** min(failures, 10), LONGEST_PAUSE_S)


async def run_to_end(program: Program, stop: asyncio.Event, log_path: Path | None = None) -> int:
    """Run a program that ends by itself, and return its exit code. Raises OSError.

    Once `stop` is set, or this is cancelled, it is ended. Its output goes to the log, or where ours goes.
    """
    process = await _started_with_log(program, log_path)
    ending, stopping = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not ending.done():
            await _end(program, process)
    return await ending


async def _started_with_log(program: Program, log_path: Path | None) -> asyncio.subprocess.Process:
    if log_path is None:
        return await _started(program, None)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as output:
        return await _started(program, output)


async def _started(program: Program, output: IO[bytes] | None) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "athlete.supervised", program.module, *program.arguments,
        stdin=asyncio.subprocess.PIPE, stdout=output, stderr=output,
        env={**os.environ, **program.environment}, cwd=program.folder, start_new_session=True,
    )  # fmt: skip


async def _end(program: Program, process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        log.warning("program.killed", program=program.name, waited_s=STOP_TIMEOUT_S)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class RunningProgram:
    """One program, started again after a growing pause when it ends by itself."""

    def __init__(self, program: Program, log_path: Path | None) -> None:
        self.program = program
        self._log_path = log_path
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False
        self._began = 0.0
        self._last_run_s = 0.0
        self.failures = 0

    @property
    def pid(self) -> int | None:
        """The program's process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def is_steady(self) -> bool:
        """Whether it has been running for a second, and twice as long as the last time before it ended by itself."""
        ran_s = time.monotonic() - self._began
        return self.pid is not None and ran_s >= max(STEADY_S, 2 * self._last_run_s)

    async def start(self) -> None:
        """Start the program and keep it running."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def _spawn(self) -> None:
        self._process = await _started_with_log(self.program, self._log_path)
        self._began = time.monotonic()
        log.debug("program.started", program=self.program.name, pid=self._process.pid)

    async def _keep(self) -> None:
        while self._process:
            code = await self._process.wait()
            if self._stopping:
                return
            self._last_run_s = time.monotonic() - self._began
            self.failures = self.failures + 1 if self._last_run_s < LONGEST_PAUSE_S else 1
            log.warning("program.ended", program=self.program.name, exit_code=code, starts_again=True)
            await self._spawn_again()

    async def _spawn_again(self) -> None:
        """Start the program after a pause, however often that takes: the disk or the process table may be full."""
        while True:
            await asyncio.sleep(pause_s(self.failures))
            try:
                return await self._spawn()
            except OSError as error:
                self.failures += 1
                log.warning("program.not_started", program=self.program.name, reason=str(error), starts_again=True)

    async def stop(self) -> None:
        """Ask the program to end, and end it by force if it will not."""
        self._stopping = True
        if self._keeper and self.pid is None:
            self._keeper.cancel()
        if self._process and self._process.returncode is None:
            await _end(self.program, self._process)

    def log_tail(self, lines: int = 12) -> str:
        """Return the end of the program's log, where it has one."""
        if self._log_path is None or not self._log_path.exists():
            return "see above"
        with self._log_path.open(errors="replace") as text:
            return "".join(deque(text, lines)).strip()


class ProcessTree:
    """The programs of one run, in the order in which they start; used as an async context manager."""

    def __init__(self, logs: Path | None = None) -> None:
        self._logs = logs
        self.running: dict[str, RunningProgram] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.shield(self.stop())

    async def start(self, programs: Sequence[Program]) -> None:
        """Start the programs together and return when all of them are ready. Raises ProgramFailed."""
        started = [
            RunningProgram(program, self._logs / f"{program.name}.log" if self._logs else None) for program in programs
        ]
        async with loopback_client(timeout=2) as http:
            await asyncio.gather(*(_require_no_answer(program, http) for program in programs))
            for running in started:
                self.running[running.program.name] = running
                await running.start()
            await asyncio.gather(*(_until_ready(running, http) for running in started))
            silent = [running for running in started if running.program.health_url is None]
            await asyncio.gather(*(_until_ready(running, http) for running in silent))  # do they still run?

    async def stop(self) -> None:
        """Stop all programs at once: what was in flight is durable and continues at the next start."""
        await asyncio.gather(*(running.stop() for running in self.running.values()))


async def _require_no_answer(program: Program, http: httpx.AsyncClient) -> None:
    """Raise ProgramFailed where another program answers already: its answers would be taken for those of ours."""
    if program.health_url is None:
        return
    try:
        await http.get(program.health_url)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        return
    except httpx.TransportError:
        pass  # it answers, though not in HTTP
    raise ProgramFailed(f"{program.name} does not start: another program answers at {program.health_url} already.")


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


async def _until_ready(running: RunningProgram, http: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not await _is_ready(running, http):
        if running.failures > 1 or time.monotonic() > deadline:
            raise ProgramFailed(f"{running.program.name} does not start. Its output:\n{running.log_tail()}")
        await asyncio.sleep(0.05)


async def _is_ready(running: RunningProgram, http: httpx.AsyncClient) -> bool:
    """Whether our own program runs and answers; one that has nowhere to answer is ready when it goes on running.

    After it has ended by itself that is not enough: another program may answer while ours ends again.
    """
    url = running.program.health_url
    if url is None:
        return running.is_steady
    return await _answers(http, url) and running.pid is not None and (not running.failures or running.is_steady)
