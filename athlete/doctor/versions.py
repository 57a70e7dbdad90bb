"""Whether Python, the installed packages and the dbt project are those that this program was made for."""

import asyncio
import re
import sys
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, red, yellow
from athlete.transform import one_line

_LEAST_PYTHON = (3, 11)
_MOST_NAMED = 3
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(\s*;)?", re.MULTILINE)
_INSTALL = "Run `make setup`, which installs the locked packages."


async def check_python(_: Context) -> list[Finding]:
    """Compare Python's version with the oldest that will do."""
    told = f"Python {python_version()}, athlete-dashboard {version('athlete-dashboard')}."
    if sys.version_info < _LEAST_PYTHON:
        return [red(told, "Install Python 3.11 or newer, and make the virtual environment again with it.")]
    return [green(told)]


async def check_packages(context: Context) -> list[Finding]:
    """Compare what is installed with the list of locked packages, where the program runs from its own folder."""
    try:
        locked = _LOCKED.findall(context.machine.lock_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [green("Not compared: the list of locked packages is not here.")]
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for name, pinned, _ in locked:
        wanted[name].add(pinned)
    installed = {name: _installed(name) for name in wanted}
    missing = sorted({name for name, _, condition in locked if installed[name] is None and not condition})
    other = [
        f"{name} {found} instead of {' or '.join(sorted(wanted[name]))}"
        for name, found in installed.items()
        if found is not None and found not in wanted[name]
    ]
    if missing:
        return [red(f"Not installed: {_some(missing)}.", _INSTALL)]
    if other:
        return [yellow(f"Other than locked: {_some(other)}.", _INSTALL)]
    return [green(f"The {len(wanted)} locked packages are installed as locked.")]


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


async def check_project(context: Context) -> list[Finding]:
    """Have dbt read its project, in a folder that is thrown away."""
    fault = await asyncio.to_thread(context.machine.project_fault, context.settings.transform)
    if fault is not None:
        fix = "Undo what was changed in transforms/, or install the program again."
        return [red(f"dbt cannot read its project: {one_line(fault)}", fix)]
    return [green("dbt reads its project.")]
