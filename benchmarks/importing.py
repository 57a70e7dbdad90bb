"""What an import of a whole export takes: rows on the chart, files a second, a second import, and memory.

The bare loop reads the same files by the same parser and does nothing with what they hold.
"""

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from athlete.data_dir import claimed
from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.marts import MartMissing, QueryFailed
from simulator.export.archive import write_export
from simulator.export.languages import Language
from simulator.journal import Journal
from simulator.world.world import Origin, World
from strava.archive.archive import open_archive
from strava.recordings import read_recording

YEARS = 4.62  # 1,434 activities, as many as an export that was looked at
ATHLETE = 4242424242
LONGEST_S = 600
_COUNT = "select count(*) as activities from mart.fct_activities as activities"


def measure() -> dict[str, float]:
    """Import one export twice beside a resident transformer, which builds the charts."""
    with tempfile.TemporaryDirectory() as folder:
        export, data = Path(folder, f"export_{ATHLETE}.zip"), Path(folder, "data")
        rows = _write(export)
        files, bare_cpu_s = _bare_cpu_s(export)
        with claimed(data), _transformer(data):
            began, first = time.monotonic(), _Import(export, data)
            shown_s = _seconds_until_shown(data, rows, began)
            first_s, cpu_s, rss = first.ended()
            again_s, again_cpu_s, _ = _Import(export, data).ended()
    return {
        "import_rows_shown_s": shown_s,
        "import_s": first_s,
        "import_cpu_s": cpu_s,
        "import_files_per_s": files / first_s,
        "import_ratio": bare_cpu_s / cpu_s,
        "import_again_s": again_s,
        "import_again_cpu_s": again_cpu_s,
        "import_rss_mb": rss / 2**20,
    }


def _write(path: Path) -> int:
    now = datetime.now(UTC)
    world = World(Origin(seed=7, athlete_id=ATHLETE, years=YEARS, until=now.date()), Journal())
    with path.open("wb") as file:
        return write_export(file, world, exported_at=now, language=Language.EN_US)


def _bare_cpu_s(path: Path) -> tuple[int, float]:
    """Return how many files there are, and the processor's seconds to read them."""
    with open_archive(path) as archive:
        began = time.process_time()
        for name in archive.files:
            read_recording(archive.read(name), name)
        return len(archive.files), time.process_time() - began


@contextmanager
def _transformer(data: Path) -> Iterator[None]:
    """Run the transformer, from when it has built the empty marts."""
    with subprocess.Popen(
        [sys.executable, "-m", "worker.dbt_runner.main"],
        env={**os.environ, "DATA_DIR": str(data), "LOG_LEVEL": "WARNING"},
    ) as process:
        try:
            while not (data / "mart.duckdb").exists():
                time.sleep(0.2)
            time.sleep(5)  # it writes its script then
            yield
        finally:
            process.terminate()


def _seconds_until_shown(data: Path, rows: int, began: float) -> float:
    marts = DuckdbMartReader(data / "mart.duckdb")
    try:
        while time.monotonic() < began + LONGEST_S:
            with suppress(MartMissing, QueryFailed):
                if marts.rows(_COUNT)[0]["activities"] == rows:
                    return time.monotonic() - began
            time.sleep(0.2)
    finally:
        marts.close()
    raise RuntimeError("the rows are not on the chart")


class _Import:
    """One run of the command, whose memory is watched with that of the processes that it starts."""

    def __init__(self, export: Path, data: Path) -> None:
        self._began, self._cpu_s, self._most = time.monotonic(), _children_cpu_s(), 0
        self._process = psutil.Popen(
            [sys.executable, "-m", "athlete", "import", str(export)],
            env={**os.environ, "DATA_DIR": str(data)},
            stdout=subprocess.DEVNULL,
        )
        self._watch = threading.Thread(target=self._look)
        self._watch.start()

    def ended(self) -> tuple[float, float, int]:
        """Wait for its end; return the seconds it took, the processor's, and the most bytes that were resident."""
        if self._process.wait():
            raise RuntimeError("the import failed")
        took = time.monotonic() - self._began
        self._watch.join()
        return took, _children_cpu_s() - self._cpu_s, self._most

    def _look(self) -> None:
        while self._process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                family = [self._process, *self._process.children(recursive=True)]
                self._most = max(self._most, sum(each.memory_info().rss for each in family))
            time.sleep(0.05)


def _children_cpu_s() -> float:
    """Return the processor's seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
