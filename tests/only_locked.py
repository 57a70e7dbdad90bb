"""Imports or runs a module while every installed package that a lock file does not name cannot be found.

`python -P tests/only_locked.py LOCK_FILE import MODULE …`, or `… run MODULE [ARGUMENT …]`. Our own packages are those
of PYTHONPATH alone, and not those of the checkout that the environment was set up for.
"""

import importlib
import os
import re
import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import distributions
from pathlib import Path

OURS = "athlete-dashboard"


def plain(name: str) -> str:
    """Write a package's name as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock_file: Path) -> set[str]:
    """Return the packages that a lock file names."""
    lines = lock_file.read_text().splitlines()
    return {plain(found[1]) for line in lines if (found := re.match(r"([\w.-]+)==", line))}


class Hidden:
    """A finder that refuses the modules of all packages but these. `dbt` is several packages in one folder."""

    def __init__(self, packages: set[str]) -> None:
        kept, others = set[str](), set[str]()
        for each in distributions():
            files = {str(each.locate_file(file)) for file in each.files or ()}
            (kept if plain(each.name) in packages else others).update(files)
        self._files = others - kept

    def find_spec(self, name: str, path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        """Raise ModuleNotFoundError for what is hidden; leave the rest to the finders after this one."""
        found = PathFinder.find_spec(name, path)
        if found and found.origin in self._files:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


if __name__ == "__main__":
    _, lock_file, way, module, *arguments = sys.argv
    sys.meta_path.insert(0, Hidden(locked(Path(lock_file)) | {OURS}))
    told = os.environ["PYTHONPATH"].split(os.pathsep)
    sys.path[:] = [each for each in sys.path if each in told or not Path(each, "pyproject.toml").exists()]
    sys.argv = [module, *arguments]
    if way == "import":
        for each in (module, *arguments):
            importlib.import_module(each)
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
