"""Each program's list of packages is what it imports: nothing is missing from it, and nothing is carried along."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import distribution
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = {
    "service": ({"service.main"}, {"service"}),
    "worker": ({"worker.main"}, {"worker"}),
    "transform": ({"worker.transform.main"}, {"transform", "embedded"}),
    "dashboard": ({"dashboard.main"}, {"dashboard"}),
    "simulator": ({"simulator.main"}, {"simulator"}),
    "athlete": ({"athlete.main", "athlete.child", "athlete.deliverer", "simulator.main"}, {"athlete"}),
}
# Every program that `athlete` starts in a process of its own is listed with it.
PROGRAMS["athlete"][0].update(*(mains for mains, _ in PROGRAMS.values()))
USED_WITHOUT_AN_IMPORT = {
    "duckdb-extension-sqlite": "DuckDB loads the file in it",
    "httptools": "uvicorn is told its name",
    "python-multipart": "FastAPI reads posted forms with it",
    "pytz": "DuckDB hands out moments with it",
    "tzdata": "zoneinfo reads it",
}
LOCKED = {
    "service": "service.main",
    "worker": "worker.main",
    "transform": "worker.transform.main",
    "dashboard": "dashboard.main",
    "athlete": "athlete.main",
}
# Imports a module while every package that is not in the list cannot be found.
WITH_THESE_ALONE = """
import importlib, importlib.machinery, importlib.metadata, re, sys
locked = set(sys.argv[2].split())
plain = lambda name: re.sub("[-_.]+", "-", name).lower()
files = {True: set(), False: set()}
for each in importlib.metadata.distributions():
    is_locked = plain(each.metadata["Name"]) in locked | {"athlete-dashboard"}
    files[is_locked].update(str(each.locate_file(file)) for file in each.files or ())
hidden = files[False] - files[True]
class Locked:
    def find_spec(self, name, path=None, target=None):
        found = importlib.machinery.PathFinder.find_spec(name, path, target)
        if found and found.origin and found.origin in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None
sys.meta_path.insert(0, Locked())
importlib.import_module(sys.argv[1])
"""


def plain(name: str) -> str:
    """Write a package's name as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def project(project_root: Path) -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((project_root / "pyproject.toml").read_text())


def declared(project: dict[str, Any], extras: Iterable[str]) -> set[str]:
    """Return the packages of some extras and of the extras that they name."""
    packages: set[str] = set()
    for extra in extras:
        for line in project["project"]["optional-dependencies"][extra]:
            name, within = re.match(r"([\w.-]+)(?:\[([\w,]+)\])?", line).groups()  # type: ignore[union-attr]
            packages |= declared(project, within.split(",")) if within else {plain(name)}
    return packages


def imported(root: Path, mains: Iterable[str]) -> set[str]:
    """Return the modules of others that programs import, directly or through modules of ours."""
    todo, ours, theirs = set(mains), set[str](), set[str]()
    while todo:
        module = todo.pop()
        if module.split(".")[0] in sys.stdlib_module_names:
            continue
        if not (root / module.split(".")[0] / "__init__.py").exists():
            theirs.add(module)
            continue
        for each in set(accumulate(module.split("."), "{}.{}".format)) - ours:
            ours.add(each)
            todo |= set(imports(root, each))
    return theirs


def imports(root: Path, module: str) -> Iterator[str]:
    """Yield what one module of ours imports; the names that it takes from another of ours may be modules too."""
    place = root / module.replace(".", "/")
    file = next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)
    for node in ast.walk(ast.parse(file.read_text() if file else "")):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if (root / node.module.split(".")[0] / "__init__.py").exists():
                yield from (f"{node.module}.{each.name}" for each in node.names)


@cache
def provides(package: str, module: str) -> bool:
    """Whether an installed package holds a module; `dbt` is several packages under one name."""
    place = module.replace(".", "/")
    return any(str(file) in {f"{place}.py", f"{place}/__init__.py"} for file in distribution(package).files or ())


def locked(root: Path, program: str) -> set[str]:
    """Return the packages that a lock file names."""
    lines = (root / f"requirements/{program}.txt").read_text().splitlines()
    return {plain(found[1]) for line in lines if (found := re.match(r"([\w.-]+)==", line))}


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_imports_is_in_its_list(program: str, project: dict[str, Any], project_root: Path) -> None:
    """Each module of others comes from a package that the program's extras name, not from one that came along."""
    mains, extras = PROGRAMS[program]
    packages = declared(project, extras)
    modules = imported(project_root, mains)
    assert modules
    assert {each for each in modules if not any(provides(package, each) for package in packages)} == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_in_its_list_a_program_imports(program: str, project: dict[str, Any], project_root: Path) -> None:
    """Each package of a program's extras is imported by it, or used in a way that is written down."""
    mains, extras = PROGRAMS[program]
    modules = imported(project_root, mains)
    packages = declared(project, extras) - set(USED_WITHOUT_AN_IMPORT)
    assert {each for each in packages if not any(provides(each, module) for module in modules)} == set()


def test_only_google_cloud_needs_the_bigquery_adapter(project: dict[str, Any]) -> None:
    """`gcp` names it; no other extra does."""
    extras = set(project["project"]["optional-dependencies"])
    assert {extra for extra in extras if "dbt-bigquery" in declared(project, [extra])} == {"gcp"}


@pytest.mark.parametrize("program", LOCKED)
def test_no_google_package_is_locked_for_one_machine(program: str, project_root: Path) -> None:
    """What an installation without Google Cloud downloads holds nothing of Google's cloud."""
    assert {each for each in locked(project_root, program) if re.search("google|gbq|bigquery|grpc", each)} == set()


@pytest.mark.slow
@pytest.mark.parametrize("program", LOCKED)
def test_a_program_starts_with_its_locked_packages_alone(program: str, project_root: Path) -> None:
    """Its module is imported while every other installed package is hidden from it."""
    command = [sys.executable, "-c", WITH_THESE_ALONE, LOCKED[program], " ".join(locked(project_root, program))]
    ran = subprocess.run(command, cwd=project_root, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_a_package_outside_the_list_is_hidden(project_root: Path) -> None:
    """The service cannot import what only the dashboard has, or the test above would prove nothing."""
    command = [sys.executable, "-c", WITH_THESE_ALONE, "dashboard.main", " ".join(locked(project_root, "service"))]
    ran = subprocess.run(command, cwd=project_root, capture_output=True, text=True, check=False)
    assert "No module named 'streamlit'" in ran.stderr


def test_every_lock_is_a_part_of_the_developers_one(project_root: Path) -> None:
    """Each program installs the versions that the tests run on."""
    pins = {
        path.stem: set(re.findall(r"^([\w.-]+==[\w.]+)", path.read_text(), re.MULTILINE))
        for path in (project_root / "requirements").glob("*.txt")
    }
    assert {name for name, each in pins.items() if each - pins["dev"]} == set()
