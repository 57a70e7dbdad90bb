"""Whether the pipeline's database can be read, is whole, and is of a shape that this program knows."""

from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, red, red_of, yellow

_EMPTIED = (
    "Restore it from a backup; without one, run `athlete up`, which makes it again, and `athlete connect` for each "
    "athlete."
)


async def check_database(context: Context) -> list[Finding]:
    """Look at the file itself."""
    path, state = context.settings.worker.pipeline_path.absolute(), context.database
    if state is None:
        return [yellow(f"{path} is not there: no pipeline has run yet.", "Run `athlete demo` or `athlete up`.")]
    if path.stat().st_size == 0 and not path.with_name(f"{path.name}-wal").exists():
        return [red(f"{path} is empty, so what was stored in it is lost.", _EMPTIED)]
    if state.fault is not None:
        return [red_of(state.fault)]
    if state.version < state.newest:
        what = f"{path} has schema {state.version}, and this program wants {state.newest}."
        return [yellow(what, "Run `athlete up`, which brings it up to date; take a backup before (docs/backup.md).")]
    checked = "and whole" if state.is_checked else "and too large to be read to its end here"
    return [green(f"{path} has schema {state.version}, the newest, {checked}.")]
