"""Programs that cannot begin: each is a process of its own, forked from one that has imported them all.

To import what a program needs takes far longer than it takes the program to say why it ends.
"""

import importlib
import multiprocessing
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

PROGRAMS = ["service.main", "worker.main", "worker.dbt_runner.main", "athlete.deliverer", "simulator.main"]
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(PROGRAMS)


def refusal_of(module: str, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Start a program in a folder with no other variables, and return the lines of what it says; it must end with 2."""
    with TemporaryDirectory() as beside:
        said = Path(beside, "said")
        program = FORKED.Process(target=_begin, args=(module, folder, dict(environment), said))
        program.start()
        program.join(60)
        program.kill()
        told = said.read_text()
        assert program.exitcode == 2, told
        return told.splitlines()


def _begin(module: str, folder: Path, environment: Mapping[str, str], said: Path) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with said.open("wb") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    sys.argv = [module]
    importlib.import_module(module).main()
