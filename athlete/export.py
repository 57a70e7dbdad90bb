"""`athlete export`: every mart as a Parquet file, and a document that says what its rows and columns are."""

import asyncio
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from athlete.backends import open_console
from athlete.data_dir import lost_athletes, require_data
from athlete.errors import CommandError, exit_on_error, warn
from athlete.output import say
from athlete.parquet import write_parquet
from backends.warehouse.marts import SqlConsole
from runtime.data_dir import make_private
from runtime.settings import SharedSettings

DOCUMENT = "README.md"
DOCUMENTATION = "select model, column_name, description from mart.documentation order by model, position"
Texts = dict[str, str]  # of a table's columns in their order; that of the table itself has no name


@dataclass(frozen=True, slots=True)
class Written:
    """A mart that was written: how many rows, and the type of each column."""

    count: int
    types: Mapping[str, str]


@exit_on_error
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go; made if missing.")],
) -> None:
    """Write every table of mart as a Parquet file, and a README.md that says what each table and column means.

    Files of an earlier export are replaced one by one, each as a whole. With BACKEND=gcp the reading is billed.
    """
    settings = SharedSettings()
    require_data(settings)
    warn(asyncio.run(lost_athletes(settings)))
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder} is a file; name a folder.")
    make_private(folder)
    with closing(open_console(settings)) as console:
        marts = documented(console)
        written = {model: _written(console, folder, model, texts) for model, texts in marts.items()}
    (folder / DOCUMENT).write_text(document(marts, written), encoding="utf-8")
    rows = sum(each.count for each in written.values())
    say(f"{len(written)} tables with {rows:,} rows are in {folder}; {DOCUMENT} says what they are.")


def documented(console: SqlConsole) -> dict[str, Texts]:
    """Return what is said of each mart and its columns. Raises MartMissing, WarehouseBusy, QueryFailed."""
    found: dict[str, Texts] = {}
    for model, column, text in console.query(DOCUMENTATION).rows:
        found.setdefault(str(model), {})[str(column)] = str(text)
    return found


def _written(console: SqlConsole, folder: Path, model: str, texts: Texts) -> Written:
    rows = console.arrow(f"select * from mart.{model}")  # noqa: S608 - a name of our own project
    count = write_parquet(folder / f"{model}.parquet", rows, texts)
    return Written(count, {field.name: str(field.type) for field in rows.schema})


def document(marts: Mapping[str, Texts], written: Mapping[str, Written]) -> str:
    """Return the document in Markdown: a section for each table with a line for each column."""
    parts = ["# Marts\n\nOne Parquet file per table. Distances are metres, times seconds, moments UTC.\n"]
    for model, texts in marts.items():
        lines = "\n".join(
            f"| `{name}` | {kind} | {_cell(texts.get(name, ''))} |" for name, kind in written[model].types.items()
        )
        parts.append(
            f"## {model}\n\n`{model}.parquet`, {written[model].count:,} rows. {texts.get('', '')}\n\n"
            f"| column | type | meaning |\n|---|---|---|\n{lines}\n"
        )
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
