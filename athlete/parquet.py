"""Rows as a Parquet file that appears whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from backends.warehouse.marts import ArrowResult


def write_parquet(path: Path, found: ArrowResult, texts: Mapping[str, str] = MappingProxyType({})) -> int:
    """Write all rows and return how many there are.

    Texts about the columns, by name, and about the table, without one, go into the file's schema as `description`.

    Raises OSError, and what fetching raises; the file of before stays then.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    schema = _described(found.schema, texts)
    count = 0
    try:
        with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            for batch in found.batches:
                writer.write_batch(batch.cast(schema))
                count += batch.num_rows
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _described(schema: pa.Schema, texts: Mapping[str, str]) -> pa.Schema:
    described = [
        field.with_metadata({"description": texts[field.name]}) if field.name in texts else field for field in schema
    ]
    return pa.schema(described, {"description": texts[""]} if "" in texts else None)
