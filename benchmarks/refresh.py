"""What a refresh after one changed activity costs with 100,000 stored, as a multiple of what it costs with 1,000."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Self

from backends.warehouse.athletes import Athlete
from backends.warehouse.sqlite.store import SqliteRawStore
from benchmarks.fake_strava import ATHLETE_ID
from benchmarks.upsert import LARGE, SMALL, fill, observations
from runtime.clock import utc_now
from runtime.logs import configure_logs
from runtime.settings import LogFormat
from worker.dbt_runner.main import open_transformer
from worker.dbt_runner.settings import TransformSettings

ROUNDS = 7


def measure() -> dict[str, float]:
    """Alternate refreshes of the small and the large warehouse, each in a warm process; return medians and ratio."""
    with ExitStack() as stack:
        small, large = (stack.enter_context(_Refresher(count)) for count in (SMALL, LARGE))
        times = [(small.refresh(number), large.refresh(number)) for number in range(ROUNDS)]
    small_s, large_s = (median(column) for column in zip(*times, strict=True))
    return {"refresh_small_s": small_s, "refresh_large_s": large_s, "refresh_growth": large_s / small_s}


class _Refresher:
    """A process of its own with a warm dbt and so many activities; one line in is one change, one line out its time."""

    def __init__(self, count: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.refresh", str(count)],
            env={**os.environ, "DATA_DIR": self._folder.name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # closes its input, at which it ends
        self._folder.cleanup()

    def refresh(self, number: int) -> float:
        """Change one activity and return the seconds until the marts with it were published."""
        assert self._process.stdin  # noqa: S101 - narrows the type for the checker
        assert self._process.stdout  # noqa: S101 - as above
        print(number, file=self._process.stdin, flush=True)
        return float(json.loads(self._process.stdout.readline()))


async def _serve(count: int) -> None:
    settings = TransformSettings()
    store = SqliteRawStore(settings.pipeline_path)
    now = utc_now()
    await store.put_athlete(Athlete(athlete_id=ATHLETE_ID, scope=frozenset(), status="connected", updated_at=now))
    await fill(store, count)
    async with open_transformer(settings) as transformer:
        for number in range(2):  # the first builds everything, the second warms what only a refresh does
            await _change(store, count, f"warming up {number}")
            await transformer.run_if_stale()
        for line in sys.stdin:
            await _change(store, count, f"change {line.strip()}")
            done = await transformer.run_if_stale()
            if done is None or done.run.error:
                raise RuntimeError("nothing was found to refresh" if done is None else done.run.error)
            run = done.run
            print(json.dumps((run.finished_at - run.started_at).total_seconds()), flush=True)  # noqa: T201 - protocol


async def _change(store: SqliteRawStore, count: int, title: str) -> None:
    await store.apply(observations(count // 2, 1, observed_at=utc_now(), title=title))


if __name__ == "__main__":
    configure_logs(LogFormat.CONSOLE, "ERROR")
    Path(os.environ["DATA_DIR"]).mkdir(exist_ok=True)
    asyncio.run(_serve(int(sys.argv[1])))
