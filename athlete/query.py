"""`athlete query`: one SQL statement over raw, staging and mart, read-only."""

from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console

from athlete.complaints import complains
from athlete.printing import form_of, print_rows
from backends.settings import SharedSettings
from backends.warehouse.duckdb import DuckdbWarehouse


@complains
def query(
    sql: Annotated[str, typer.Argument(help="For example: select * from mart.activity_summary_weekly limit 10")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, with a header.")] = False,
) -> None:
    """Ask your data in DuckDB's SQL: tables are raw.…, staging.… and mart.… and nothing can be changed."""
    settings = SharedSettings()
    warehouse = DuckdbWarehouse(
        data_dir=settings.data_dir, mart_path=settings.mart_path, pipeline_path=settings.pipeline_path
    )
    with closing(warehouse):
        answer = warehouse.query(sql)
        print_rows(answer.columns, answer.rows, form_of(as_json=as_json, as_csv=as_csv), Console())
