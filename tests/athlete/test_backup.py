"""What docs/backup.md says: after a stop of the programs, one file of the database holds everything."""

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from athlete.supervisor import ProcessTree, Program, free_port

pytestmark = pytest.mark.slow

ROWS = 500


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder."""
    return tmp_path / "data"


@pytest.fixture
def programs(data: Path) -> list[Program]:
    """Those that write to the database while they run."""
    ports = {"SERVICE_PORT": str(free_port()), "WORKER_PORT": str(free_port())}
    environment = {"DATA_DIR": str(data), **ports}
    health = {"service": f"http://127.0.0.1:{ports['SERVICE_PORT']}/health"}
    health["worker"] = f"http://127.0.0.1:{ports['WORKER_PORT']}/health"
    return [
        Program(name=name, module=module, environment=environment, health_url=health.get(name))
        for name, module in (("service", "service.main"), ("worker", "worker.main"), ("deliverer", "athlete.deliverer"))
    ]


def leave_in_the_log(path: Path) -> None:
    """Commit rows beside the programs, so that they are in the write-ahead log alone."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma wal_autocheckpoint = 0")
        connection.execute("begin")
        connection.executemany("insert into purges values (?, 'h', 't', '{}')", [(str(n),) for n in range(ROWS)])
        connection.execute("commit")


def rows_of_the_copy(path: Path, folder: Path) -> int:
    """Copy the database's one file and count its rows there."""
    folder.mkdir()
    shutil.copyfile(path, folder / path.name)
    with closing(sqlite3.connect(folder / path.name)) as copy:
        return int(copy.execute("select count(*) from purges").fetchone()[0])


async def test_after_a_stop_the_database_is_one_file(data: Path, programs: list[Program], tmp_path: Path) -> None:
    """SIGTERM to each of them: the last to close empties the log, so pipeline.sqlite can be copied alone."""
    path = data / "pipeline.sqlite"
    async with ProcessTree(tmp_path / "logs") as tree:
        await tree.start(programs)
        leave_in_the_log(path)
        assert (data / "pipeline.sqlite-wal").stat().st_size
    assert sorted(file.name for file in data.iterdir()) == ["pipeline.sqlite"]
    assert rows_of_the_copy(path, tmp_path / "backup") == ROWS


async def test_after_a_kill_a_start_and_a_stop_make_it_one_file(
    data: Path, programs: list[Program], tmp_path: Path
) -> None:
    """What killed programs left in the log is in the file once they were started and stopped again."""
    path = data / "pipeline.sqlite"
    async with ProcessTree(tmp_path / "logs") as tree:
        await tree.start(programs)
        leave_in_the_log(path)
        for running in tree.running.values():
            assert running.pid is not None
            os.kill(running.pid, signal.SIGKILL)
    async with ProcessTree(tmp_path / "logs") as tree:
        await tree.start(programs)
    assert sorted(file.name for file in data.iterdir()) == ["pipeline.sqlite"]
    assert rows_of_the_copy(path, tmp_path / "backup") == ROWS
