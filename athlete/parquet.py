"""Rows as a Parquet file that appears whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from athlete.errors import CommandError
from backends.warehouse.marts import ArrowResult

if TYPE_CHECKING:
    import pyarrow as pa


def write_parquet(path: Path, found: ArrowResult, texts: Mapping[str, str] = MappingProxyType({})) -> int:
    """Write all rows and return how many there are.

    Texts about the columns, by name, and about the table, without one, go into the file's schema as `description`.

    Raises OSError, CommandError where a column is an interval, and what fetching raises; the file of before stays then.
    """
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415 - the other commands need not wait for it
    from pyarrow.types import is_interval  # noqa: PLC0415 - as above

    unfinished = path.with_name(f".{path.name}.unfinished")
    if intervals := [field.name for field in found.schema if is_interval(field.type)]:
        raise CommandError(
            f"Parquet has no intervals, such as {', '.join(intervals)}: ask for seconds, "
            "with epoch(…) in DuckDB or timestamp_diff(…) in BigQuery."
        )
    schema = _described(found.schema, texts)
    count = 0
    try:
        with ParquetWriter(unfinished, schema, compression="zstd") as writer:
            for batch in found.batches:
                writer.write_batch(batch.cast(schema))
                count += batch.num_rows
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _described(schema: "pa.Schema", texts: Mapping[str, str]) -> "pa.Schema":
    from pyarrow import schema as schema_of  # noqa: PLC0415 - as above

    described = [
        field.with_metadata({"description": texts[field.name]}) if field.name in texts else field for field in schema
    ]
    return schema_of(described, {"description": texts[""]} if "" in texts else None)
