"""The budget's file: shared, kept, and never in anybody's way."""

import asyncio
import fcntl
import stat
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from backends.budget.file import FileBudgetStore
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.errors import AppInactive, RateLimited

INACTIVE = {"errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}


def program(path: Path) -> RateBudget:
    """Open the budget as a program does that starts now."""
    return RateBudget(FileBudgetStore(path))


async def ask(budget: RateBudget, answer: httpx.Response, lane: Lane = Lane.LIVE) -> int:
    """Make one call that is answered so; return 1 if it was made."""
    calls = 0

    def strava(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(strava)) as http:
        await http.get("https://strava.test/api/v3/athlete", auth=budget.auth(lane, None))
    return calls


def told(used: int) -> httpx.Response:
    """Answer that so many of 100 calls are used, at a moment that is in the midst of a quarter hour."""
    limits = {"X-RateLimit-Limit": "100,1000", "X-RateLimit-Usage": f"{used},{used}"}
    return httpx.Response(200, headers={"Date": "Fri, 01 May 2026 12:05:00 GMT", **limits})


async def test_a_lapse_outlives_the_program(tmp_path: Path) -> None:
    """A program that starts in a lapse does not ask; nor does one that was running beside."""
    beside = program(tmp_path / "budget.json")
    await ask(program(tmp_path / "budget.json"), httpx.Response(403, json=INACTIVE))
    for budget in (program(tmp_path / "budget.json"), beside):
        with pytest.raises(AppInactive):
            await ask(budget, told(1))


async def test_a_spent_limit_outlives_the_program(tmp_path: Path) -> None:
    """What one program was told holds for the next, lane by lane."""
    await ask(program(tmp_path / "budget.json"), told(600))  # of 1,000 a day
    with pytest.raises(RateLimited, match="streams lane, which may make 500 of the 1,000 calls of this UTC day"):
        await ask(program(tmp_path / "budget.json"), told(1), Lane.STREAMS)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"now": "soon"}', b"\x00" * 500, b"x" * 200_000])
async def test_a_damaged_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    """The log says so once, the call is made, and the next program reads what its answer told."""
    (tmp_path / "budget.json").write_bytes(content)
    with capture_logs() as logs:
        assert await ask(program(tmp_path / "budget.json"), told(42)) == 1
        status = await program(tmp_path / "budget.json").status()
    assert [window.used for window in status.windows] == [42, 42]
    assert [line["event"] for line in logs] == ["budget.damaged"]


async def test_a_shorter_state_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    """The file is written in place: what is left of the longer text would damage it."""
    budget = program(tmp_path / "budget.json")
    await ask(budget, told(1))
    calls = [await budget.reserve(Lane.LIVE) for _ in range(50)]
    for call in calls:
        await budget.settle(call, told(51))
    with capture_logs() as logs:
        status = await program(tmp_path / "budget.json").status()
    assert ([window.used for window in status.windows], logs) == ([51, 51], [])


async def test_a_file_that_cannot_be_used_stops_nobody(tmp_path: Path) -> None:
    """A folder is in its place: this program counts alone, and the log says what to do."""
    (tmp_path / "budget.json").mkdir()
    budget = program(tmp_path / "budget.json")
    with capture_logs() as logs:
        assert await ask(budget, told(100)) == 1
        with pytest.raises(RateLimited):
            await ask(budget, told(1))
    assert {line["event"] for line in logs} == {"budget.not_shared"}


async def test_a_file_that_another_program_holds_is_waited_for(tmp_path: Path) -> None:
    """For a moment, while this program's other work goes on; what the other has written is read."""
    await ask(program(tmp_path / "budget.json"), told(1))
    budget = program(tmp_path / "budget.json")
    with (tmp_path / "budget.json").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = asyncio.create_task(budget.status())
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        assert done == set()
        content = held.read()
        held.seek(0)
        held.write(content.replace(b'"used":1', b'"used":9'))
    assert [window.used for window in (await waiting).windows] == [9, 9]


async def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    """As everything in the data folder."""
    await ask(program(tmp_path / "data" / "budget.json"), told(1))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert modes == dict.fromkeys(("budget.json", "budget.json.probe.lock"), 0o600)


async def test_looking_makes_no_file(tmp_path: Path) -> None:
    """Who only asks how the budget stands leaves the folder as it was."""
    status = await program(tmp_path / "data" / "budget.json").status()
    assert (status.windows, (tmp_path / "data").exists()) == ([], False)


async def test_another_program_s_probe_is_waited_for(tmp_path: Path) -> None:
    """For as long as a call may take; then the caller is told to come again, and nobody hangs."""
    hanging = FileBudgetStore(tmp_path / "budget.json")
    async with hanging.probing():
        budget = RateBudget(FileBudgetStore(tmp_path / "budget.json", probe_wait_s=0.05))
        with pytest.raises(RateLimited) as caught:
            await ask(budget, told(1))
        assert str(caught.value) == "Another program is still finding out whether Strava answers; come again in 5 s."
        assert caught.value.reason == "Another program is still finding out whether Strava answers."
    assert await ask(budget, told(1)) == 1
