"""The refresher with a fake dbt on a real database: what it does when things are not as it left them."""

import shutil
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb
import pytest

from backends.marks.file import FileMarks
from backends.sqlite import open_database
from backends.warehouse.duckdb.extension import extension_directory
from backends.warehouse.duckdb.session import DuckdbSession
from backends.warehouse.duckdb.snapshot import DuckdbSnapshot
from runtime.settings import LogFormat
from worker.dbt_runner.apart import ModelsApart
from worker.dbt_runner.port import Build
from worker.dbt_runner.project import Project
from worker.dbt_runner.refresher import Refresher
from worker.dbt_runner.script import Model, Script
from worker.dbt_runner.settings import PROJECT_DIR


@dataclass
class FakeDbt:
    """Builds one table of one row as dbt would in a process of its own: from the project as it is at that moment."""

    database: Path
    open_project: Callable[[], Project]
    builds: list[bool] = field(default_factory=list)
    scripts: int = 0

    def build(self, *, full_refresh: bool, tests: bool) -> Build:
        project = self.open_project()
        everything = full_refresh or not project.is_built()
        self.builds.append(everything)
        with duckdb.connect(str(self.database)) as built:
            built.execute("create schema if not exists staging")
            built.execute(f"create or replace table counted as select '{self._version(project)}' as version, 0 as n")
        project.mark_built(is_built=True)
        return Build(nodes=(), is_full_refresh=everything)

    def written_script(self) -> Script:
        self.scripts += 1
        version = self._version(self.open_project())
        statement = f"update counted set n = n + 1 where version = '{version}'"  # noqa: S608 - our own text
        return Script([Model(name="counted", parents=[], lists=[], sources=[], tags=[], statements=[statement])])

    def stale_sources(self) -> list[str]:
        return []

    def _version(self, project: Project) -> str:
        return (project.folder / "dbt_project.yml").read_text()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The file of what is built, beside an empty `raw`."""
    open_database(tmp_path / "pipeline.sqlite").close()
    return tmp_path / "transform.duckdb"


def opened_project(folder: Path) -> Project:
    """Open the project in this folder."""
    snapshot = DuckdbSnapshot(folder / "transform.duckdb", folder / "mart.duckdb")
    return Project(folder / "project", target="duckdb", marks=FileMarks(folder / "dbt"), snapshot=snapshot)


def started(folder: Path, dbt: FakeDbt) -> Refresher:
    """Start the program that refreshes."""
    database, snapshot = (
        folder / "transform.duckdb",
        DuckdbSnapshot(folder / "transform.duckdb", folder / "mart.duckdb"),
    )
    session = DuckdbSession(database, folder / "pipeline.sqlite", partial(extension_directory, folder), lambda _: None)
    return Refresher(opened_project(folder), lambda: nullcontext(dbt), snapshot, session.opened)


@pytest.fixture
def open_project(tmp_path: Path) -> Callable[[], Project]:
    """Opens a project of one file, as each program does."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project/dbt_project.yml").write_text("1")
    return partial(opened_project, tmp_path)


@pytest.fixture
def dbt(database: Path, open_project: Callable[[], Project]) -> FakeDbt:
    """Builds what the refreshes refresh."""
    return FakeDbt(database, open_project)


@pytest.fixture
def start(tmp_path: Path, dbt: FakeDbt) -> Callable[[], Refresher]:
    """Starts the program that refreshes."""
    return partial(started, tmp_path, dbt)


def refresh(refresher: Refresher) -> None:
    """Refresh without a fault."""
    assert refresher.build(full_refresh=False, tests=False).error is None


def counted(database: Path) -> tuple[str, int]:
    """Return the version of the project that built the table, and by how many refreshes it was changed."""
    with duckdb.connect(str(database), read_only=True) as built:
        [row] = built.execute("select version, n from counted").fetchall()
    return row


def test_dbt_builds_once_and_statements_refresh(start: Callable[[], Refresher], dbt: FakeDbt, database: Path) -> None:
    """The script is kept for the next program."""
    refresher = start()
    for _ in range(3):
        refresh(refresher)
    refresh(start())
    assert (dbt.builds, dbt.scripts, counted(database)) == ([True], 1, ("1", 3))


def test_a_project_that_is_upgraded_under_a_program_is_built_once(
    start: Callable[[], Refresher], dbt: FakeDbt, database: Path, tmp_path: Path
) -> None:
    """Be it by this program or by another one; then the new statements refresh it, and nothing is built again."""
    refresher = start()
    refresh(refresher)
    (tmp_path / "project/dbt_project.yml").write_text("2")
    assert refresher.is_built()  # what a program has read stays in force until something is built
    assert start().build(full_refresh=False, tests=False).is_full_refresh
    assert not refresher.is_built()
    refresh(refresher)
    assert refresher.is_built()
    refresh(refresher)
    assert (dbt.builds, counted(database)) == ([True, True, False], ("2", 1))


@pytest.mark.slow
def test_a_program_whose_models_are_apart_sees_an_upgrade(
    start: Callable[[], Refresher], open_project: Callable[[], Project], tmp_path: Path
) -> None:
    """What another version built is not of this one, until this one has built as that version does."""
    with closing(ModelsApart(open_project(), start, LogFormat.CONSOLE)) as models:
        assert models.build(full_refresh=False, tests=False).is_full_refresh
        assert models.is_built()
        (tmp_path / "project/dbt_project.yml").write_text("2")
        refresh(start())
        assert not models.is_built()
        assert models.build(full_refresh=False, tests=False).error is None
        assert models.is_built()


def test_a_script_that_was_not_written_whole_is_written_again(
    start: Callable[[], Refresher], dbt: FakeDbt, database: Path, tmp_path: Path
) -> None:
    """A full disk or a power cut may leave half of it, of this version or of another's shape."""
    refresh(start())
    script = tmp_path / "dbt" / "refresh_script"
    for broken in (script.read_text()[:-5], script.read_text().replace('"last"', '"least"')):
        script.write_text(broken)
        refresh(start())
    assert (dbt.scripts, counted(database)) == (3, ("1", 2))


@pytest.mark.parametrize("lost", ["table", "file", "all but the beginning"])
def test_what_is_lost_is_built_by_dbt(start: Callable[[], Refresher], dbt: FakeDbt, database: Path, lost: str) -> None:
    """The mark says that they were built; without this each refresh would fail from then on."""
    refresher = start()
    refresh(refresher)
    if lost == "file":
        database.unlink()
        duckdb.connect(str(database)).close()
    elif lost == "all but the beginning":
        database.write_bytes(database.read_bytes()[:8192] + bytes(range(256)) * 64)
    else:
        with duckdb.connect(str(database)) as built:
            built.execute("drop table counted")
    refresh(refresher)
    refresh(refresher)
    assert (dbt.builds, counted(database)) == ([True, True], ("1", 1))


@pytest.mark.parametrize("name", sorted(path.name for path in PROJECT_DIR.glob("*.py")))
def test_a_function_of_another_version_has_all_built_again(tmp_path: Path, name: str) -> None:
    """Each module beside the models makes rows, so where one has changed, what is there is of another version."""
    shutil.copytree(PROJECT_DIR, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
    duckdb.connect(str(tmp_path / "transform.duckdb")).close()
    built_by = opened_project(tmp_path)
    built_by.mark_built(is_built=True)
    assert built_by.is_built()
    with (tmp_path / "project" / name).open("a") as module:
        module.write("# changed")
    assert not opened_project(tmp_path).is_built()
