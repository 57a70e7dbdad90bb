"""`athlete settings show|push`: the athlete's settings in force and who tells them, and the athlete's own file."""

import asyncio
from contextlib import closing
from datetime import date
from typing import Annotated

import typer
from rich.console import Console

from athlete.backends import open_marts, open_store
from athlete.data_dir import require_pipeline
from athlete.errors import CommandError, exit_on_error, warn
from athlete.output import Form, print_rows, say
from backends.athlete_file.faults import AthleteFileFault
from backends.athlete_file.reading import read_documents
from backends.athlete_file.sync import push_file
from runtime.clock import utc_now
from runtime.settings import SharedSettings

COLUMNS = ("athlete_id", "setting", "sport_group", "value", "since", "source")
IN_FORCE = """
select athlete_id, setting, sport_group, value, value_text, valid_from, source
from mart.athlete_setting
where valid_from <= cast(? as date) and (next_valid_from is null or next_valid_from > cast(? as date))
order by athlete_id, setting, sport_group
"""
_BEGINNING = date(1900, 1, 1)

own_settings = typer.Typer(
    help="Show the settings that loads are reckoned with, or bring in what athlete.toml says.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@own_settings.command()
@exit_on_error
def show(*, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False) -> None:
    """List the settings in force today: value, since when, and whether your file, Strava or an estimate tells it."""
    settings = SharedSettings()
    require_pipeline(settings)
    if settings.athlete_file_path.exists():
        warn(asyncio.run(_refused(settings)))
    today = utc_now().date().isoformat()
    with closing(open_marts(settings)) as marts:
        found = marts.rows(IN_FORCE, [today, today])
    rows = [(*(row[name] for name in COLUMNS[:3]), _value(row), _since(row), row["source"]) for row in found]
    if as_json:
        print_rows(COLUMNS, rows, Form.JSON, Console())
    elif rows:
        shown = [tuple(f"{each:.6g}" if isinstance(each, float) else each for each in row) for row in rows]
        print_rows(COLUMNS, shown, Form.TABLE, Console())
    else:
        say("No settings are known yet: they come with the first activity. docs/athlete-toml.md says how to set them.")


@own_settings.command()
@exit_on_error
def push() -> None:
    """Bring what athlete.toml in DATA_DIR says into the warehouse; the next build of the marts takes it up.

    `athlete up` does this by itself when the file is saved. Running it again changes nothing.
    """
    settings = SharedSettings()
    require_pipeline(settings)
    path = settings.athlete_file_path
    if not path.exists():
        raise CommandError(f"There is no {path}: docs/athlete-toml.md has an example.")
    try:
        changed = asyncio.run(_push(settings))
    except AthleteFileFault as fault:
        raise CommandError(fault.told_of(path)) from fault
    told = ", ".join(map(str, changed))
    say(f"Stored for {told}; `athlete transform` builds what comes of it." if changed else "Nothing has changed.")


async def _push(settings: SharedSettings) -> list[int]:
    async with open_store(settings) as store:
        return await push_file(settings.athlete_file_path, store)


async def _refused(settings: SharedSettings) -> str:
    """Say why the file is not taken; nothing where it is."""
    path = settings.athlete_file_path
    async with open_store(settings) as store:
        athlete_ids = [each.athlete_id for each in await store.athletes()]
    try:
        read_documents(path, athlete_ids)
    except AthleteFileFault as fault:
        return fault.told_of(path)
    return ""


def _value(row: dict[str, object]) -> object:
    return row["value_text"] if row["value"] is None else row["value"]


def _since(row: dict[str, object]) -> str:
    return "the beginning" if row["valid_from"] == _BEGINNING else str(row["valid_from"])
