"""The SQL of the adapter: files beside this module, and the one statement that is made from a table's columns."""

from collections.abc import Collection
from pathlib import Path

from backends.warehouse.schema import Table

SQL = {path.stem: path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "sql").glob("*.sql")}
STALE = "What was read has changed since"  # begins what a statement says that finds so
_RANGES = 16  # so many parts of a table are named at most
_GUARD = SQL["guard"].strip()


def guarded(name: str, **texts: str) -> str:
    """Return a statement that puts nothing and raises Stale once the fence has changed; see `guard.sql`."""
    return SQL[name].format(guard=_GUARD, stale=STALE, **texts)


def within(activity_ids: Collection[int], column: str = "activity_id") -> str:
    """Return a condition of literals that holds for these ids, by which BigQuery reads only their partitions.

    Ids that are far apart get ranges of their own: the widest gaps between them are left out.
    """
    ids = sorted(set(activity_ids)) or [0]
    gaps = sorted(range(1, len(ids)), key=lambda place: ids[place - 1] - ids[place])[: _RANGES - 1]
    starts = [0, *sorted(gaps)]
    ends = [*(each - 1 for each in starts[1:]), len(ids) - 1]
    ranges = [f"{column} between {ids[a]} and {ids[b]}" for a, b in zip(starts, ends, strict=True)]
    return f"({' or '.join(ranges)})"


def put_statement(table: Table, *, replaces: bool = True, is_guarded: bool = False) -> str:
    """Return the merge of one bound row; a row with its key is replaced, or left as it is."""
    given = ", ".join(f"{_value(table, name)} as {name}" for name in table.types)
    changes = ", ".join(f"{name} = given.{name}" for name in table.types if name != table.key)
    guard = f"where if({_GUARD}, true, error(concat('{STALE}', cast(one as string))))" if is_guarded else ""
    return (
        f"merge into {table.name} as kept using (select {given} from unnest([1]) as one {guard}) as given "  # noqa: S608 - our own names
        f"on kept.{table.key} = given.{table.key} {f'when matched then update set {changes}' if replaces else ''} "
        f"when not matched then insert ({', '.join(table.types)}) "
        f"values ({', '.join(f'given.{name}' for name in table.types)})"
    )


def _value(table: Table, name: str) -> str:
    if name == "ingested_at":
        return "current_timestamp()"
    return f"parse_json(@{name}, wide_number_mode => 'round')" if table.types[name] == "json" else f"@{name}"
