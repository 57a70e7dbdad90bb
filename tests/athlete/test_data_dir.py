"""One pipeline at a time runs on a data folder, and a killed one does not block the next."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL
from pathlib import Path

import pytest
from typer.testing import CliRunner

from athlete.data_dir import claimed, empty
from athlete.errors import CommandError
from athlete.main import app

CREDENTIALS = dict.fromkeys(
    ("STRAVA_CLIENT_ID", "STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "STRAVA_VERIFY_TOKEN"), "not-a-real-credential"
)
HOLD = """
import asyncio, pathlib, sys
from athlete.data_dir import claimed
from athlete.supervisor import ProcessTree, Program

async def main():
    async with ProcessTree(pathlib.Path("logs")) as tree:
        await tree.start([Program(name="stubborn", module="stubborn")])
        pathlib.Path("pid").write_text(f"{tree.running['stubborn'].pid}.")
        await asyncio.sleep(60)

with claimed(pathlib.Path("data")):
    asyncio.run(main())
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("command", "folder"), [(("up",), "."), (("demo",), "demo"), (("demo", "--once"), "demo-once")]
)
def test_a_second_pipeline_on_the_folder_ends_at_once(command: tuple[str, ...], folder: str, tmp_path: Path) -> None:
    """One sentence names the process that holds the folder, and no file changes."""
    with claimed(tmp_path / folder):
        (tmp_path / folder / "kept").touch()
        result = CliRunner().invoke(app, command, env={"DATA_DIR": str(tmp_path), **CREDENTIALS})
    assert result.exit_code == 1
    assert result.stderr == (
        f"athlete: A pipeline is already running on {tmp_path / folder} (process {os.getpid()}); "
        "stop it, or set another DATA_DIR.\n"
    )
    assert (tmp_path / folder / "kept").exists()


@pytest.mark.slow
async def test_a_killed_pipeline_holds_nothing_even_while_its_programs_linger(tmp_path: Path) -> None:
    """Kill -9 frees the folder at once, while a program that ignores SIGTERM still runs."""
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    pid_file = tmp_path / "pid"
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, cwd=tmp_path, stdout=DEVNULL)
    async with asyncio.timeout(30):
        while not (pid_file.exists() and pid_file.read_text().endswith(".")):  # noqa: ASYNC110 - the holder writes it
            await asyncio.sleep(0.02)
    lingering = int(pid_file.read_text().removesuffix("."))
    with pytest.raises(CommandError, match=str(holder.pid)), claimed(tmp_path / "data"):
        pass
    holder.kill()
    await holder.wait()
    with claimed(tmp_path / "data"):
        os.kill(lingering, signal.SIGKILL)  # it is still there to be killed


def test_an_emptied_folder_is_still_held(tmp_path: Path) -> None:
    """Only the lock remains, and a second pipeline is refused."""
    with claimed(tmp_path):
        (tmp_path / "file").touch()
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "file").touch()
        empty(tmp_path)
        assert [each.name for each in tmp_path.iterdir()] == ["pipeline.lock"]
        with pytest.raises(CommandError), claimed(tmp_path):
            pass


@pytest.mark.parametrize("command", [("query", "select 1"), ("events",), ("transform",)])
def test_a_command_that_reads_does_not_make_the_folder(command: tuple[str, ...], tmp_path: Path) -> None:
    """Where there is no data, the command says how to begin and leaves nothing behind."""
    result = CliRunner().invoke(app, command, env={"DATA_DIR": str(tmp_path / "data")})
    assert result.exit_code == 1
    assert result.stderr == (
        f"athlete: Nothing is stored in {tmp_path / 'data'} yet: start with `athlete demo` or `athlete up`, "
        "or set DATA_DIR to where your data is.\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", [("query", "select 1"), ("events",), ("transform",)])
def test_a_folder_without_a_pipeline_is_left_as_it_is(command: tuple[str, ...], tmp_path: Path) -> None:
    """Nothing is published from nothing, and a demo's data nearby is pointed to."""
    (tmp_path / "demo").mkdir()
    result = CliRunner().invoke(app, command, env={"DATA_DIR": str(tmp_path)})
    assert result.exit_code == 1
    assert f"set DATA_DIR={tmp_path / 'demo'} for the demo's data" in result.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["demo"]


@pytest.mark.parametrize(
    "command",
    [("query", "select 1"), ("events",), ("transform",), ("connect",), ("up",), ("demo",), ("demo", "--once")],
)
def test_a_file_is_no_data_folder(command: tuple[str, ...], tmp_path: Path) -> None:
    """One sentence says which file is in the way."""
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, command, env={"DATA_DIR": str(tmp_path / "file"), **CREDENTIALS})
    assert result.exit_code == 1
    assert (
        result.stderr == f"athlete: DATA_DIR cannot be used, for {tmp_path / 'file'} is a file; set it to a folder.\n"
    )
