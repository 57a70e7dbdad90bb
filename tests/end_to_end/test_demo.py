"""`athlete demo` as a person runs it: the scenario ends well, and a demo without it stops and goes on."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from athlete.demo.latency import STAGES
from tests.parsed_project import give_built

pytestmark = pytest.mark.slow

EXPORTED = {"STRAVA_SUBSCRIPTION_ID": "999", "SERVICE_HOST": "192.0.2.1"}  # of somebody who runs the real thing


async def start(data_dir: Path, *arguments: str) -> Process:
    """Start `athlete demo` with its data in a folder of the test's own."""
    environment = os.environ | {"DATA_DIR": str(data_dir), "COLUMNS": "120", **EXPORTED}
    command = (sys.executable, "-m", "athlete", "demo", "--years", "1", *arguments)
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE)


def programs_of(data_dir: Path) -> list[str]:
    """Name the processes that still run with this data folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(data_dir).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it ended meanwhile
    return found


async def test_a_scenario_ends_with_strava_and_the_warehouse_equal(tmp_path: Path, built_project: Path) -> None:
    """The scenario exits 0, its last line is JSON with the promised numbers, and nothing stays running."""
    give_built(built_project, tmp_path / "demo-once")
    demo = await start(tmp_path, "--once")
    output, _ = await demo.communicate()
    assert demo.returncode == 0, output.decode()
    assert f"DATA_DIR={tmp_path}/demo-once " in output.decode()
    numbers = json.loads(output.decode().splitlines()[-1])
    assert numbers["ok"] is True
    assert numbers["events_sent"] == numbers["events_stored"] > 30
    # A year of the generated athlete, the recorded activities, and what the script left: the listed page has 30.
    assert numbers["activities_strava"] == numbers["activities_warehouse"] > 230
    assert numbers["verdict"] == "complete"
    for stage in STAGES:
        times = numbers[f"{stage}_ms"]
        assert 0 < times["p50"] <= times["p95"]
    assert numbers["heard_to_raw_ms"]["p50"] <= numbers["heard_to_chart_ms"]["p50"]
    assert programs_of(tmp_path) == []


async def until_says(demo: Process, words: str) -> str:
    """Read what the demo prints until a line has the words."""
    assert demo.stdout
    said = ""
    async with asyncio.timeout(120):
        while words not in said:
            line = await demo.stdout.readline()
            assert line, f"the demo ended without saying {words!r}:\n{said}"
            said += line.decode()
    return said


async def end(demo: Process) -> None:
    """Press Ctrl-C and wait for the clean end."""
    demo.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        output, _ = await demo.communicate()
    assert demo.returncode == 0, output.decode()


async def test_a_demo_stops_on_ctrl_c_and_goes_on_where_it_was(tmp_path: Path, built_project: Path) -> None:
    """Ctrl-C ends all programs; the next start has the same athlete and the same activities."""
    give_built(built_project, tmp_path / "demo")
    first = await start(tmp_path, "--per-minute", "120")
    await until_says(first, "The athlete goes on")
    async with asyncio.timeout(60):
        while not _changes(tmp_path):  # noqa: ASYNC110 - another program writes it
            await asyncio.sleep(0.1)
    await end(first)
    assert programs_of(tmp_path) == []
    ids = {line[1] for line in _changes(tmp_path)}

    second = await start(tmp_path, "--per-minute", "120")
    said = await until_says(second, "loaded the history")
    await end(second)
    assert programs_of(tmp_path) == []
    assert "connected the simulated athlete 4242424242" in said
    assert ids == {line[1] for line in _changes(tmp_path)}


def _changes(data_dir: Path) -> list[list[str]]:
    journal = (data_dir / "demo/simulator.json").read_text().splitlines()
    return [entry for entry in map(json.loads, journal) if entry[0] == "saves"]
