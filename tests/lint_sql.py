"""`sqlfluff lint` as `make lint` runs it: in one process, and without what makes it slow.

Python's garbage collector looked through all that was parsed again and again, for nothing, and further processes would
parse the project once more each. Without it that takes 1.3 GB. Five rules each laid out a file as the first one had:
linting changes nothing in it. A file that was found clean is not linted again until something changes that its linting
depends on.
"""

import gc
import json
import os
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

PROJECT = Path("transforms")
RULES = [*sorted(Path().glob(".sqlfluff*")), Path("pyproject.toml"), Path("requirements/dev.txt"), Path(__file__)]
READ_BY_DBT = {".csv", ".sql", ".yml"}
MADE_BY_DBT = {"logs", "target"}
MACROS = {"macros", "generic"}  # folders of what sqlfluff leaves out


def lint(files: Sequence[str]) -> None:
    """Lint these files. Raises SystemExit where one is not clean."""
    from sqlfluff.cli.commands import cli  # noqa: PLC0415 - takes longer than to find out that nothing has changed

    gc.disable()
    lay_out_once()
    try:
        cli(["lint", *files])
    except SystemExit as ended:
        if ended.code:
            raise


def lay_out_once() -> None:
    """Keep the layout of the last file."""
    from sqlfluff.utils.reflow.sequence import ReflowSequence  # noqa: PLC0415 - as above

    from_root = ReflowSequence.from_root
    kept: list[Any] = []

    def laid_out(root: Any, config: Any) -> Any:
        if not (kept and kept[0] is root and kept[1] is config):
            kept[:] = root, config, from_root(root, config)
        return kept[2]

    setattr(ReflowSequence, "from_root", staticmethod(laid_out))  # noqa: B010 - for the type checker


def states(project: Path, rules: Iterable[Path]) -> dict[str, str]:
    """Return for each file to lint a hash of what its linting depends on.

    That is its own text, the names of the other ones, the rules, and all else that dbt compiles it with.
    """
    files = [file for file in sorted(project.rglob("*")) if file.suffix in READ_BY_DBT and _is_ours(file, project)]
    linted = [file for file in files if file.suffix == ".sql" and MACROS.isdisjoint(file.parts)]
    others = [*rules, *(file for file in files if file not in linted)]
    common = "\n".join([*map(str, linted), *(f"{file} {sha256(file.read_bytes()).hexdigest()}" for file in others)])
    return {str(file): sha256(f"{common}\n{file.read_text()}".encode()).hexdigest() for file in linted}


def _is_ours(file: Path, project: Path) -> bool:
    return MADE_BY_DBT.isdisjoint(file.relative_to(project).parts)


def lint_what_changed(project: Path, rules: Sequence[Path], clean: Path, linter: Callable[[list[str]], None]) -> None:
    """Lint each file whose state is not in `clean`, the states of what was found clean; then note those of all there.

    Raises what the linter raises where a file is not clean, and notes nothing.
    """
    now = states(project, rules)
    known = json.loads(clean.read_text()) if clean.exists() else {}
    due = [file for file, state in now.items() if known.get(file) != state]
    print(f"SQL: {len(due)} of {len(now)} files to lint; nothing has changed for the others.")  # noqa: T201
    if due:
        linter(due)
    unchanged = states(project, rules).items() & now.items()  # what was edited meanwhile was not linted as it is
    clean.parent.mkdir(parents=True, exist_ok=True)
    draft = clean.with_suffix(".draft")
    draft.write_text(json.dumps(dict(unchanged)))
    draft.replace(clean)


if __name__ == "__main__":
    lint_what_changed(PROJECT, RULES, Path(os.environ["DBT_TARGET_PATH"]) / "clean.json", lint)
