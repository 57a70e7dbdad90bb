"""The embedded scheduler: once a local day, right when clocks change, after sleep, and with failures in bounds."""

import asyncio
from collections import deque
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from athlete.schedule import MOST_TRIES, DailyRuns, Schedule
from athlete.supervisor import Program, run_to_end
from worker.daily_report import ExitCode

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
SEVEN = time(7)
MINUTE = timedelta(minutes=1)


class Machine:
    """A machine whose clock the test turns; `started` are the moments at which the daily job was started."""

    def __init__(self, folder: Path, zone: ZoneInfo = BERLIN, at: time = SEVEN, *, now: str) -> None:
        self.now = datetime.fromisoformat(now).replace(tzinfo=zone).astimezone(UTC)
        self.zone = zone
        self.started: list[datetime] = []
        self.codes: deque[int] = deque()
        self._schedule = Schedule(at, zone)
        self._folder = folder
        self.start_again()

    def start_again(self) -> None:
        """Start `athlete up` once more."""
        self._runs = DailyRuns(self._schedule, self._folder / "daily.json", self._run, clock=lambda: self.now)

    async def _run(self) -> int:
        self.started.append(self.now)
        return self.codes.popleft() if self.codes else 0

    async def live(self, *, until: str, step: timedelta = 10 * MINUTE) -> list[str]:
        """Look at the clock every ten minutes until a local time; return when the job was started, in local time."""
        before, end = len(self.started), datetime.fromisoformat(until).replace(tzinfo=self.zone)
        while self.now < end:
            await self._runs.run_if_due()
            self.now += step
        return [f"{moment.astimezone(self.zone):%m-%d %H:%M}" for moment in self.started[before:]]


@pytest.mark.parametrize(
    ("zone", "days"),
    [(BERLIN, ["03-28", "03-29", "03-30"]), (BERLIN, ["10-24", "10-25", "10-26"]),
     (NEW_YORK, ["03-07", "03-08", "03-09"]), (NEW_YORK, ["10-31", "11-01", "11-02"])],
)  # fmt: skip
async def test_once_a_local_day_also_when_the_clocks_change(tmp_path: Path, zone: ZoneInfo, days: list[str]) -> None:
    """At seven by the wall on the day before, the day itself and the day after, in spring and autumn."""
    machine = Machine(tmp_path, zone, now=f"2026-{days[0]}T00:00")
    await machine.live(until=f"2026-{days[0]}T00:20")  # the run of the day before
    assert await machine.live(until=f"2026-{days[2]}T23:50", step=MINUTE) == [f"{day} 07:00" for day in days]


@pytest.mark.parametrize(
    ("zone", "at", "day", "utc"),
    [
        (BERLIN, time(2, 30), date(2026, 3, 29), "01:30"),  # left out: 03:30 by the wall
        (BERLIN, time(2, 30), date(2026, 10, 25), "00:30"),  # comes twice: the first
        (NEW_YORK, time(2, 30), date(2026, 3, 8), "07:30"),
        (NEW_YORK, time(1, 30), date(2026, 11, 1), "05:30"),
    ],
)
async def test_a_time_that_is_left_out_or_comes_twice_is_run_once(
    tmp_path: Path, zone: ZoneInfo, at: time, day: date, utc: str
) -> None:
    """The run is neither skipped nor repeated."""
    machine = Machine(tmp_path, zone, at, now=f"{day}T00:00")
    await machine.live(until=f"{day}T00:20")
    machine.started.clear()
    await machine.live(until=f"{day}T23:50", step=MINUTE)
    assert [f"{moment:%H:%M}" for moment in machine.started] == [utc]


async def test_a_machine_that_slept_for_three_days_catches_up_once(tmp_path: Path) -> None:
    """It wakes up on the third day at nine: one run at once, and the next on the morning after."""
    machine = Machine(tmp_path, now="2026-05-01T06:00")
    await machine.live(until="2026-05-01T09:00")
    machine.now += timedelta(days=3)
    assert await machine.live(until="2026-05-05T08:00") == ["05-04 09:00", "05-05 07:00"]


async def test_a_start_before_seven_catches_up_what_was_missed_while_off(tmp_path: Path) -> None:
    """Switched off over yesterday's seven: run at the start, then at seven; a day that was run is not run again."""
    machine = Machine(tmp_path, now="2026-05-01T08:00")
    assert await machine.live(until="2026-05-01T09:00") == ["05-01 08:00"]
    machine.start_again()
    assert await machine.live(until="2026-05-01T12:00") == []
    machine.now += timedelta(days=1, hours=18)
    machine.start_again()
    assert await machine.live(until="2026-05-03T08:00") == ["05-03 06:00", "05-03 07:00"]


async def test_a_clock_that_is_set_back_repeats_no_day_and_loses_none(tmp_path: Path) -> None:
    """By two hours: today was run already. By three days: what was noted of the future counts for nothing."""
    machine = Machine(tmp_path, now="2026-05-05T06:55")
    await machine.live(until="2026-05-05T08:00")
    machine.now -= timedelta(hours=2)
    assert await machine.live(until="2026-05-06T06:50") == []
    assert await machine.live(until="2026-05-06T08:00", step=MINUTE) == ["05-06 07:00"]
    machine.now -= timedelta(days=3)
    assert await machine.live(until="2026-05-04T08:00") == ["05-03 08:00", "05-04 07:00"]


async def test_a_failing_run_is_tried_again_ever_later_and_not_for_ever(tmp_path: Path) -> None:
    """A quarter of an hour, half an hour, … until the sixth try; the next morning begins again."""
    machine = Machine(tmp_path, now="2026-05-01T06:59")
    machine.codes.extend([0, *[int(ExitCode.UNCHECKED)] * MOST_TRIES])
    await machine.live(until="2026-05-01T07:00", step=MINUTE)
    tries = await machine.live(until="2026-05-02T06:30", step=MINUTE)
    assert [each[6:] for each in tries] == ["07:00", "07:15", "07:45", "08:45", "10:45", "14:45"]
    assert await machine.live(until="2026-05-02T08:00", step=MINUTE) == ["05-02 07:00"]


async def test_a_restart_in_between_does_not_begin_the_tries_again(tmp_path: Path) -> None:
    """What was tried is kept: a program that is started again and again asks Strava no more often."""
    machine = Machine(tmp_path, now="2026-05-01T07:00")
    machine.codes.extend([1] * 20)
    for _ in range(40):
        machine.start_again()
        await machine.live(until="2026-05-01T23:00", step=timedelta(hours=12))
        machine.now -= timedelta(hours=12) - 10 * MINUTE
    assert len(machine.started) <= MOST_TRIES


async def test_a_mass_change_waits_for_a_person(tmp_path: Path) -> None:
    """Trying again would ask the same question."""
    machine = Machine(tmp_path, now="2026-05-01T07:00")
    machine.codes.append(int(ExitCode.GUARDED))
    assert await machine.live(until="2026-05-01T23:00") == ["05-01 07:00"]


async def test_a_damaged_note_is_replaced(tmp_path: Path) -> None:
    """It costs one run more and stops none."""
    (tmp_path / "daily.json").write_text("{")
    machine = Machine(tmp_path, now="2026-05-01T08:00")
    assert await machine.live(until="2026-05-01T09:00") == ["05-01 08:00"]


async def test_the_scheduler_ends_with_its_programs(tmp_path: Path) -> None:
    """While it waits, and while a run is under way, which is ended."""
    started, stop = asyncio.Event(), asyncio.Event()
    (tmp_path / "endless.py").write_text("import time\ntime.sleep(600)\n")

    async def run() -> int:
        started.set()
        return await run_to_end(Program(name="endless", module="endless", folder=tmp_path), stop)

    runs = DailyRuns(Schedule(SEVEN, BERLIN), tmp_path / "daily.json", run)
    keeping = asyncio.create_task(runs.keep_on(stop, first_s=0.01))
    await started.wait()
    stop.set()
    async with asyncio.timeout(60):
        await keeping
        await runs.keep_on(stop, first_s=600)


async def test_a_run_ends_with_the_programs_own_code(tmp_path: Path) -> None:
    """The code of the process, through the wrapper that ends it with its parent; what it says is in its log."""
    (tmp_path / "ends.py").write_text("import sys\nprint('the end')\nsys.exit(5)\n")
    program, log_path = Program(name="ends", module="ends", folder=tmp_path), tmp_path / "logs" / "ends.log"
    assert await run_to_end(program, asyncio.Event(), log_path) == 5
    assert log_path.read_text() == "the end\n"


async def test_a_cancelled_run_leaves_no_program(tmp_path: Path) -> None:
    """A run that nobody waits for any longer is ended."""
    (tmp_path / "endless.py").write_text("import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    program = Program(name="endless", module="endless", folder=tmp_path)
    running = asyncio.create_task(run_to_end(program, asyncio.Event()))
    async with asyncio.timeout(60):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():  # noqa: ASYNC110 - of another program
            await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()
