"""The SQL of the adapter: files beside this module, and statements that are made from a table's columns."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backends.warehouse.bigquery.parameters import Parameter, structs
from backends.warehouse.rows import Row
from backends.warehouse.table import Table

SQL = {path.stem: path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "sql").glob("*.sql")}
STALE = "What was read has changed since"  # begins what a statement says that finds so
ROW_BYTES = 1_000  # a row of parameters, of which each value is written with its name
_RANGES = 16  # so many parts of a table are named at most
_NEWEST_FIRST = {
    "strava_activities": "observed_at desc, is_deleted desc, coalesce(resource_state, 0) desc, payload_hash desc",
    "strava_streams": "observed_at desc, activity_hash desc",
}
_GUARD = SQL["guard"].strip()


@dataclass(frozen=True, slots=True)
class Given:
    """Rows that a statement reads as `unnest(@name)`, or as a table where they are too many for a request."""

    name: str
    kinds: Mapping[str, str]
    rows: Sequence[Row]

    @property
    def size(self) -> int:
        """How many bytes they take in a request at most, where texts are written in ASCII and quotes are escaped."""
        texts = (value for row in self.rows for value in row.values() if isinstance(value, str))
        return ROW_BYTES * len(self.rows) + sum(len(json.dumps(text)) for text in texts)

    @property
    def parameter(self) -> Parameter:
        """The rows as a parameter."""
        return structs(self.name, self.kinds, self.rows)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement with its parameters, and the rows that it is given."""

    name: str
    sql: str
    parameters: Sequence[Parameter]
    given: Given | None = None

    @property
    def bound(self) -> list[Parameter]:
        """All that comes with the request, the rows included."""
        return [*self.parameters, *([self.given.parameter] if self.given else [])]

    def reading(self, table: str) -> str:
        """Return the SQL that reads the rows from a table instead."""
        return self.sql.replace(f"unnest(@{self.given.name})", table) if self.given else self.sql


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


def put_rows(
    table: Table, name: str, *, only: str = "true", pruned: str = "true", changes: Mapping[str, str] | None = None
) -> str:
    """Return the merge of the rows that come as `@name`; it raises Stale once the fence has changed.

    A row with its key is left as it is, or with `changes` replaced, which say what else than its new value a column
    gets; `pruned` is a condition of literals that holds for all of these. Rows without `only` are left out.
    """
    values = {each: _given(table, each) for each in table.types}
    update = ", ".join(
        f"{each} = {value}" for each, value in {**values, **(changes or {})}.items() if each != table.key
    )
    columns = ", ".join(f"given.{each}" for each in [*values, "place"] if each != "ingested_at")
    guard = f"if({_GUARD}, true, error(concat('{STALE}: ', cast(given.{table.key} as string))))"
    return (
        f"merge into {table.name} as kept "  # noqa: S608 - our own names
        f"using (select {columns} from unnest(@{name}) as given where {guard} and {only}) as given "
        f"on kept.{table.key} = given.{table.key} and {pruned} "
        f"{f'when matched then update set {update} ' if changes is not None else ''}"
        f"when not matched then insert ({', '.join(values)}) values ({', '.join(values.values())})"
    )


def _given(table: Table, name: str) -> str:
    """Return the value of a column of a row that comes with others."""
    if name == "ingested_at":
        return "timestamp_add(current_timestamp(), interval given.place microsecond)"
    if table.types[name] == "json":
        return f"parse_json(given.{name}, wide_number_mode => 'round')"
    return f"given.{name}"


def repeated(table: Table, ids: Collection[int]) -> str:
    """Return the query of those keys, among the parameter `activity_ids`, that have more than one row."""
    which = f"{table.key} in unnest(@activity_ids) and {within(ids)}"
    return f"select {table.key} from {table.name} where {which} group by {table.key} having count(*) > 1"  # noqa: S608 - our own names


def keep_one(table: Table, ids: Collection[int]) -> str:
    """Return the merge that puts, for each of these keys, its newest observation in the place of all its rows."""
    names = [name for name in table.types if name != "ingested_at"]
    place = f"row_number() over (partition by {table.key} order by {_NEWEST_FIRST[table.name]})"
    found = f"select *, {place} as place from {table.name} where {table.key} in unnest(@activity_ids) and {within(ids)}"  # noqa: S608 - our own names
    return (
        f"merge into {table.name} as kept using (select {', '.join(names)} from ({found}) where place = 1) as given "  # noqa: S608 - as above
        f"on false when not matched by source and kept.{table.key} in unnest(@activity_ids) "
        f"and {within(ids, f'kept.{table.key}')} then delete "
        f"when not matched then insert ({', '.join(names)}, ingested_at) "
        f"values ({', '.join(f'given.{name}' for name in names)}, current_timestamp())"
    )


def _value(table: Table, name: str) -> str:
    if name == "ingested_at":
        return "current_timestamp()"
    return f"parse_json(@{name}, wide_number_mode => 'round')" if table.types[name] == "json" else f"@{name}"
