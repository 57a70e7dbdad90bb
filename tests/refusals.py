"""Programs that cannot begin: each is a process of its own, forked from one that has imported them all.

To import what a program needs takes far longer than it takes the program to say why it ends.
"""

import importlib
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

PROGRAMS = {
    "service": "service.main",
    "worker": "worker.main",
    "transformer": "worker.dbt_runner.main",
    "deliverer": "athlete.deliverer",
    "simulator": "simulator.main",
}
Start = Callable[[str, Path, Mapping[str, str]], list[str]]
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload([*PROGRAMS.values()])


def refusal_of(name: str, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Start a program in a folder with these variables alone, and return the lines of what it says; it ends with 2."""
    with TemporaryDirectory() as beside:
        said = Path(beside, "said")
        said.touch()
        program = FORKED.Process(target=_begin, args=(PROGRAMS[name], folder, dict(environment), said))
        program.start()
        program.join(60)
        if program.exitcode is None:
            program.kill()
            program.join()
        assert program.exitcode == 2, said.read_text()
        return said.read_text().splitlines()


def refusal_with_imports(name: str, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Do the same as a person starts it, so that what a package says when it is imported is among the lines."""
    command = [sys.executable, "-m", PROGRAMS[name]]
    told = {**environment, "PYTHONPATH": str(Path(__file__).parents[1])}
    ended = subprocess.run(command, cwd=folder, env=told, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2, ended.stderr
    return ended.stderr.splitlines()


def _begin(module: str, folder: Path, environment: Mapping[str, str], said: Path) -> None:
    with said.open("wb") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module]
    importlib.import_module(module).main()
