"""Each program's list of packages is what it imports: nothing is missing from it, and nothing is carried along."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from tests.import_graph import reached
from tests.only_locked import locked, plain

PROGRAMS = {
    "service": ({"service.main"}, {"service", "service-gcp"}),
    "worker": ({"worker.main"}, {"worker", "worker-gcp"}),
    "transform": ({"worker.dbt_runner.main", "transforms.plugin"}, {"transform", "embedded", "worker-gcp"}),
    "worker and jobs": (
        {
            "worker.main",
            "worker.daily",
            "worker.sweep",
            "worker.backfill_job",
            "worker.transform",
            "worker.import_job",
            "worker.importing.reader",
            "transforms.plugin",
        },
        {"worker", "transform", "embedded", "recordings", "gcp"},
    ),
    "dashboard": ({"dashboard.__main__", "dashboard.main"}, {"dashboard", "dashboard-gcp"}),
    "simulator": ({"simulator.main"}, {"simulator"}),
    "recordings": ({"strava.recordings"}, {"recordings"}),
}
# `athlete` starts every program in a process of its own.
STARTED = set[str]().union(*(mains for mains, _ in PROGRAMS.values()))
PROGRAMS["athlete"] = (
    {"athlete.main", "athlete.supervised", "athlete.deliverer"} | STARTED,
    {"athlete", "gcp"},
)
USED_WITHOUT_AN_IMPORT = {
    "dbt-bigquery": "dbt finds it by the name of the target",
    "duckdb-extension-sqlite": "DuckDB loads the file in it",
    "httptools": "uvicorn is told its name",
    "python-multipart": "FastAPI reads posted forms with it",
    "pytz": "DuckDB hands out moments with it",
    "tzdata": "zoneinfo reads it",
}
WITHOUT_AN_INIT = {"google.cloud"}  # several packages are in it
LOCKED = {
    "service": "service.main",
    "worker": "worker.main",
    "transform": "worker.dbt_runner.main",
    "dashboard": "dashboard.main",
    "athlete": "athlete.main",
}


@pytest.fixture(scope="module")
def project(project_root: Path) -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((project_root / "pyproject.toml").read_text())


def declared(project: dict[str, Any], extras: Iterable[str]) -> set[str]:
    """Return the packages of some extras and of the extras that they name."""
    packages: set[str] = set()
    for extra in extras:
        for line in project["project"]["optional-dependencies"][extra]:
            name, within = re.match(r"([\w.-]+)(?:\[([\w,-]+)\])?", line).groups()  # type: ignore[union-attr]
            packages |= declared(project, within.split(",")) if within else {plain(name)}
    return packages


@cache
def files_of(package: str) -> frozenset[str]:
    """Return what an installed package put into the environment."""
    return frozenset(str(file) for file in distribution(package).files or ())


def provides(package: str, module: str) -> bool:
    """Whether an installed package holds a module; `dbt` is several packages under one name."""
    place = module.replace(".", "/")
    files = files_of(package)
    if module in WITHOUT_AN_INIT:
        return any(file.startswith(f"{place}/") for file in files)
    return not files.isdisjoint({f"{place}.py", f"{place}/__init__.py"})


def start(root: Path, lock: str, module: str) -> subprocess.CompletedProcess[str]:
    """Import a program's module where the packages of one lock file are all there is."""
    script, lock_file = (root / each for each in ("tests/only_locked.py", f"requirements/{lock}.txt"))
    command = [sys.executable, "-P", str(script), str(lock_file), "import", module]
    environment = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_imports_is_in_its_list(program: str, project: dict[str, Any], project_root: Path) -> None:
    """Each module of others comes from a package that the program's extras name, not from one that came along."""
    mains, extras = PROGRAMS[program]
    packages = declared(project, extras)
    _, modules = reached(project_root, mains)
    assert modules
    assert {each for each in modules if not any(provides(package, each) for package in packages)} == set()


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_in_its_list_a_program_imports(program: str, project: dict[str, Any], project_root: Path) -> None:
    """Each package of a program's extras is imported by it, or used in a way that is written down."""
    mains, extras = PROGRAMS[program]
    _, modules = reached(project_root, mains)
    packages = declared(project, extras) - set(USED_WITHOUT_AN_IMPORT)
    assert {each for each in packages if not any(provides(each, module) for module in modules)} == set()


def test_a_refresh_does_without_dbt(project_root: Path) -> None:
    """The functions that its statements call do not bring dbt along, whose packages take 33 MB and most of a second."""
    ours, theirs = reached(project_root, {"transforms.functions"})
    assert "transforms.samples" in ours
    assert {each for each in theirs if each.startswith("dbt")} == set()


def test_only_google_cloud_needs_the_bigquery_adapter(project: dict[str, Any]) -> None:
    """`gcp` names it; no other extra does."""
    extras = set(project["project"]["optional-dependencies"])
    assert {extra for extra in extras if "dbt-bigquery" in declared(project, [extra])} == {"gcp"}


@pytest.mark.parametrize("program", LOCKED)
def test_no_google_package_is_locked_for_one_machine(program: str, project_root: Path) -> None:
    """What an installation without Google Cloud downloads holds nothing of Google's cloud."""
    assert {
        each
        for each in locked(project_root / f"requirements/{program}.txt")
        if re.search("google|gbq|bigquery|grpc", each)
    } == set()


@pytest.mark.slow
@pytest.mark.parametrize("program", ["service", "worker", "transform"])
def test_a_program_starts_with_its_locked_packages_alone(program: str, project_root: Path) -> None:
    """Its module is imported while all other packages are hidden; tests/images does so for the other lock files."""
    ran = start(project_root, program, LOCKED[program])
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_a_program_without_google_s_packages_says_so(project_root: Path, tmp_path: Path) -> None:
    """Installed for one machine and started on Google Cloud, it ends with the list that has them."""
    script, lock_file = (project_root / each for each in ("tests/only_locked.py", "requirements/worker.txt"))
    command = [sys.executable, "-P", str(script), str(lock_file), "run", "worker.main"]
    told = {"BACKEND": "gcp", "GOOGLE_CLOUD_PROJECT": "p", "PYTHONPATH": str(project_root)}
    ran = subprocess.run(command, cwd=tmp_path, env=os.environ | told, capture_output=True, text=True, check=False)
    assert (ran.returncode, len(ran.stderr.splitlines())) == (2, 1), ran.stderr
    assert "worker: BACKEND=gcp needs Google's packages (No module named 'google" in ran.stderr
    assert "install requirements/athlete-gcp.txt" in ran.stderr


@pytest.mark.slow
def test_a_package_outside_the_list_is_hidden(project_root: Path) -> None:
    """The service cannot import what only the dashboard has, or the test above would prove nothing."""
    ran = start(project_root, "service", "dashboard.main")
    assert "No module named 'streamlit'" in ran.stderr


def test_every_lock_is_a_part_of_the_developers_one(project_root: Path) -> None:
    """Each program installs the versions that the tests run on."""
    pins = {
        path.stem: set(re.findall(r"^([\w.-]+==[\w.]+)", path.read_text(), re.MULTILINE))
        for path in (project_root / "requirements").glob("*.txt")
        if path.stem != "bigquery-emulator"  # which has an environment of its own
    }
    assert {name for name, each in pins.items() if each - pins["dev"]} == set()
