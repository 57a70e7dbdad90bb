"""All marts with 100,000 activities: the first build, and refreshes after an edit and a save against those with 1,000.

And with the curves of 2,000: the first build of all, and a refresh after one activity's curves came in.
"""

import asyncio
import atexit
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from statistics import median

from backends.warehouse.athletes import Athlete
from backends.warehouse.sqlite.store import SqliteRawStore
from benchmarks.curves import put_curves
from benchmarks.fake_strava import ATHLETE_ID
from benchmarks.life import fill, observation, saved
from runtime.clock import utc_now
from runtime.logs import configure_logs
from runtime.settings import LogFormat
from worker.dbt_runner.main import open_transformer
from worker.dbt_runner.settings import TransformSettings
from worker.dbt_runner.transformer import Transformed

SMALL = 1_000
LARGE = int(os.environ.get("BENCH_ACTIVITIES", "100000"))
ROUNDS = 7
CURVED = int(os.environ.get("BENCH_CURVES", "2000"))  # of 4,000 readings each


def measure() -> dict[str, float]:
    """Alternate refreshes of the small and the large warehouse, each in a warm process; return medians and ratios.

    After the title of an activity was edited, and after a new one was saved.
    """
    small, large = built(SMALL), built(LARGE)
    told: dict[str, float] = {"full_build_s": large.full_build_s}
    for name, is_new in (("refresh", False), ("refresh_new", True)):
        times = [[each.refresh(number, is_new=is_new) for each in (small, large)] for number in range(ROUNDS)]
        small_s, large_s = (median(column) for column in zip(*times, strict=True))
        told |= {f"{name}_small_s": small_s, f"{name}_large_s": large_s, f"{name}_growth": large_s / small_s}
    return told


def measure_curves() -> dict[str, float]:
    """Build all marts of activities with curves, then let the curves of one change at a time; return seconds."""
    curved = built(CURVED, "curves")
    times = [curved.refresh(number) for number in range(ROUNDS)]
    return {"streams_build_s": curved.full_build_s, "streams_refresh_s": median(times)}


@cache
def built(count: int, *kinds: str) -> "Refresher":
    """Return a warehouse with so many activities and all marts, built once for all measurements of this process.

    Of the kind `curves` each activity has recorded ones.
    """
    refresher = Refresher(count, *kinds)
    atexit.register(refresher.close)
    return refresher


class Refresher:
    """A process of its own with a warm dbt and so many activities; one line in is one change, one line out its time."""

    def __init__(self, count: int, *kinds: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.refresh", str(count), *kinds],
            env={**os.environ, "DATA_DIR": self._folder.name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.full_build_s = self._answer()

    @property
    def folder(self) -> Path:
        """Its data folder."""
        return Path(self._folder.name)

    def close(self) -> None:
        """End the process and remove the folder."""
        self._process.communicate()  # closes its input, at which it ends
        self._folder.cleanup()

    def refresh(self, number: int, *, is_new: bool = False) -> float:
        """Change one activity, or save one more, and return the seconds until the marts with it were published."""
        assert self._process.stdin  # noqa: S101 - narrows the type for the checker
        print("save" if is_new else "change", number, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> float:
        assert self._process.stdout  # noqa: S101 - as above
        return float(json.loads(self._process.stdout.readline()))


async def _serve(count: int, *, has_curves: bool) -> None:
    settings = TransformSettings()
    store = SqliteRawStore(settings.pipeline_path)
    now = utc_now()
    await store.put_athlete(Athlete(athlete_id=ATHLETE_ID, scope=frozenset(), status="connected", updated_at=now))
    await fill(store, count)
    for number in range(1, count + 1) if has_curves else ():
        await put_curves(store, number, number)
    async with open_transformer(settings) as transformer:
        _tell(await transformer.run_if_stale())
        await _change(store, count, "warming up")  # what only a refresh does
        await transformer.run_if_stale()
        for line in sys.stdin:
            what, place = line.split()
            if what == "save":
                await store.apply([saved(count + 1 + int(place))])
            else:
                await _change(store, count, f"change {place}")
            if has_curves:
                await put_curves(store, count // 2, count + int(place))
            _tell(await transformer.run_if_stale())


def _tell(done: Transformed | None) -> None:
    """Print the seconds that a run took. Raises RuntimeError where it failed."""
    if done is None or done.run.error:
        raise RuntimeError("nothing was found to refresh" if done is None else done.run.error)
    print(json.dumps((done.run.finished_at - done.run.started_at).total_seconds()), flush=True)  # noqa: T201 - protocol


async def _change(store: SqliteRawStore, count: int, title: str) -> None:
    await store.apply([observation(count // 2, title)])


if __name__ == "__main__":
    configure_logs(LogFormat.CONSOLE, "ERROR")
    Path(os.environ["DATA_DIR"]).mkdir(exist_ok=True)
    asyncio.run(_serve(int(sys.argv[1]), has_curves="curves" in sys.argv[2:]))
