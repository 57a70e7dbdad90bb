"""What a statement reads, as Google's own engine analyses it: which columns of which tables, and by which literals.

The engine keeps every column of a `select *` that a later step drops. BigQuery reads none of these, so a column counts
here only where the statement's result, a condition, a join or a grouping needs it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from zetasql.types import ParameterMode, ResolvedMergeWhenEnums

from backends.warehouse.schema import TABLES
from tests.transforms.bigquery import flat, spelled
from tests.transforms.bigquery_statements import options_for, registered, type_of
from tests.transforms.bigquery_tree import analysed

MatchType, ActionType = ResolvedMergeWhenEnums.MatchType, ResolvedMergeWhenEnums.ActionType
Columns = Mapping[str, str]  # types by name
Number = tuple[int, int]  # of a column: of which reading of a view, 0 for the statement itself, and the engine's own
NO_ROWS_OF = re.compile(r"select \* from \(\s*(.*?)\s*\) as __dbt_sbq\s+where false", re.DOTALL)
PATH = r"`a-project`\.`(\w+)`\.`(\w+?)(?:(__dbt_tmp)\d*)?`"


@dataclass
class Reads:
    """Columns by table, the tables that are read by conditions of literals alone, and the kind of the statement."""

    kind: str
    columns: dict[str, set[str]] = field(default_factory=dict)
    by_literals: set[str] = field(default_factory=set)
    target: str | None = None  # whose rows are updated or deleted


class TypedTables:
    """Analyses statements on tables that have types and no rows; a view is analysed once, and its columns are known.

    `executed` are the columns of queries that the engine has executed before.
    """

    def __init__(self, types: Mapping[str, Columns], views: Mapping[str, str], executed: Mapping[str, Columns]) -> None:
        raw = {f"raw.{each.name}": each.types for each in TABLES}
        self.types = {**raw, **types}
        made = {f"{name}__dbt_tmp": columns for name, columns in types.items()}
        tables = {**self.types, **made}
        self._executed = executed
        self._known: dict[tuple[str, tuple[str, ...]], Reads] = {}
        self._catalog_id = registered(tables)
        self._views = {flat(name): self.analysed(in_full(sql, views)) for name, sql in views.items()}
        self._catalog_id = registered({**tables, **{name: columns_in(view) for name, view in self._views.items()}})

    def analysed(self, sql: str, kinds: Sequence[str] = ()) -> Any:
        """Analyse one statement as it was sent, its `?` of these types. Raises what the engine finds wrong with it."""
        options = options_for("")
        if kinds:
            options.parameter_mode = ParameterMode.PARAMETER_POSITIONAL
            options.positional_query_parameters = [type_of(kind) for kind in kinds]
        return analysed(in_full(sql, {}), options, self._catalog_id)

    def columns_of(self, sql: str) -> Columns:
        """Return the types of a query's columns, where dbt asks for them."""
        asked = NO_ROWS_OF.search(sql)
        if asked and asked[1] in self._executed:
            return self._executed[asked[1]]
        return columns_in(self.analysed(sql))

    def reads(self, sql: str, kinds: Sequence[str] = ()) -> Reads:
        """Return what a statement reads."""
        known = sql, tuple(kinds)
        if known not in self._known:
            self._known[known] = reads_of(self.analysed(sql, kinds), self._views)
        return self._known[known]


def in_full(sql: str, views: Mapping[str, str]) -> str:
    """Return a statement with the names that tables have in the engine's catalog, and with the SQL of these views."""

    def table(found: re.Match[str]) -> str:
        name = f"{found[1]}.{found[2]}"
        return f"(\n{in_full(views[name], views)}\n)" if name in views else flat(name) + (found[3] or "")

    sql = re.sub(PATH, table, sql)
    return re.sub(r"\bmart\.(\w+)", r"mart__\1", sql)  # as the pages' queries call it


def columns_in(statement: Any) -> Columns:
    """Return the types of an analysed query's columns."""
    return {each.name: spelled(each.column.type) for each in statement.output_column_list}


def reads_of(statement: Any, views: Mapping[str, Any] = MappingProxyType({})) -> Reads:
    """Return what an analysed statement reads, and so what the analysed views read that it names."""
    return _Needs(statement, views).reads()


class _Needs:
    """Which columns need which others, in one analysed statement and wherever it reads a view."""

    def __init__(self, statement: Any, views: Mapping[str, Any]) -> None:
        self._statement = statement
        self._views = views
        self._readings = 0  # of views
        self._reading = 0  # the one that is followed
        self._tables: dict[Number, tuple[str, str]] = {}  # a scanned column's table and name
        self._needs: dict[Number | None, set[Number]] = defaultdict(set)  # None: what the statement needs in any case
        self._same: dict[Number, list[Number]] = defaultdict(list)  # a column of a query or union is these
        self._literals: set[Number] = set()
        changed = getattr(statement, "table_scan", None)
        self._target: str | None = changed and changed.table.name
        self._entries: dict[str, Any] = {}
        self._scans: list[tuple[str, set[Number]]] = []  # each table that is read, and the columns of this reading

    def reads(self) -> Reads:
        """Follow what is needed to the tables."""
        self._visit(self._statement, None)
        for each in getattr(self._statement, "output_column_list", None) or []:
            self._needs[None].add(self._number(each.column))
        reads = Reads(self._statement.kind.removesuffix("Stmt"))
        reads.columns.update({name: set() for name, _ in self._scans})
        for column in self._closure():
            if column in self._tables:
                table, name = self._tables[column]
                reads.columns[table].add(name)
        literals = {origin for column in self._literals for origin in self._origins(column)}
        everywhere = {name for name, columns in self._scans if not columns & literals}
        reads.by_literals = set(reads.columns) - everywhere
        reads.target = self._target
        return reads

    def _origins(self, column: Number) -> Iterator[Number]:
        """Yield the columns that one only passes on: a condition on it is one on each of them."""
        for each in self._same.get(column, ()):
            yield from self._origins(each)
        if column not in self._same:
            yield column

    def _closure(self) -> set[Number]:
        found: set[Number] = set()
        waiting = list(self._needs[None])
        while waiting:
            column = waiting.pop()
            if column not in found:
                found.add(column)
                waiting.extend(self._needs[column])
        return found

    def _visit(self, node: Any, owner: Number | None) -> None:
        kind = node.kind
        if kind == "ComputedColumn":  # read where somebody needs it
            owner = self._number(node.column)
        elif kind in self._NOTED:
            self._NOTED[kind](self, node, owner)
        self._descend(node, owner)

    def _note_column(self, node: Any, owner: Number | None) -> None:
        self._needs[owner].add(self._number(node.column))

    def _note_grouping(self, node: Any, owner: Number | None) -> None:
        self._needs[owner].update(self._number(each.column) for each in node.group_by_list or [])

    def _note_table(self, node: Any, owner: Number | None) -> None:
        table, columns = node.table.name, {self._number(each): each.name for each in node.column_list or []}
        if table in self._views:
            self._read_view(table, columns, owner)
            return
        self._scans.append((table, set(columns)))
        self._tables.update({column: (table, name) for column, name in columns.items()})

    def _read_view(self, view: str, columns: Mapping[Number, str], owner: Number | None) -> None:
        before = self._reading, self._entries
        self._readings += 1
        self._reading, self._entries = self._readings, {}
        statement = self._views[view]
        self._visit(statement, owner)
        made = {each.name: self._number(each.column) for each in statement.output_column_list}
        self._reading, self._entries = before
        for column, name in columns.items():
            self._is(column, made[name])

    def _note_entry(self, node: Any, _: Number | None) -> None:
        self._entries[node.with_query_name] = node.with_subquery

    def _note_name(self, node: Any, _: Number | None) -> None:
        self._pass(node.column_list, self._entries[node.with_query_name].column_list)

    def _note_union(self, node: Any, _: Number | None) -> None:
        for item in node.input_item_list:
            self._pass(node.column_list, item.output_column_list)

    def _note_subquery(self, node: Any, owner: Number | None) -> None:
        self._needs[owner].update(self._number(each) for each in node.subquery.column_list or [])

    def _note_filter(self, node: Any, _: Number | None) -> None:
        self._literals.update(map(self._number, _by_literals(node.filter_expr)))

    def _note_merge(self, node: Any, _: Number | None) -> None:
        beyond = [
            each.match_expr for each in node.when_clause_list if each.match_type == MatchType.NOT_MATCHED_BY_SOURCE
        ]
        for condition in beyond or [
            node.merge_expr
        ]:  # what no source matches is looked for beyond the merge's condition
            self._literals.update(map(self._number, _by_literals(condition)))
        if all(each.action_type == ActionType.INSERT for each in node.when_clause_list):
            self._target = None

    _NOTED: ClassVar[Mapping[str, Callable[["_Needs", Any, Number | None], None]]] = {
        "ColumnRef": _note_column,
        "AggregateScan": _note_grouping,
        "TableScan": _note_table,
        "WithEntry": _note_entry,
        "WithRefScan": _note_name,
        "SetOperationScan": _note_union,
        "SubqueryExpr": _note_subquery,
        "FilterScan": _note_filter,
        "MergeStmt": _note_merge,
    }

    def _descend(self, node: Any, owner: Number | None) -> None:
        for child in _children(node):
            self._visit(child, owner)

    def _pass(self, outer: Any, inner: Any) -> None:
        for one, other in zip(outer or [], inner or [], strict=False):
            self._is(self._number(one), self._number(other))

    def _is(self, outer: Number, inner: Number) -> None:
        self._needs[outer].add(inner)
        self._same[outer].append(inner)

    def _number(self, column: Any) -> Number:
        return self._reading, column.column_id


def _children(node: Any) -> Iterator[Any]:
    """Yield the nodes within a node; queries of a `with` come before what reads them."""
    return iter([*node.with_entry_list, node.query]) if node.kind == "WithScan" else node.children()


def _by_literals(expression: Any) -> Iterator[Any]:
    """Yield the columns that a condition compares with literals alone: one of some, or within or beyond bounds."""
    if expression.kind != "FunctionCall":
        return
    name, arguments = expression.function.name, expression.argument_list
    if name == "ZetaSQL:$and":
        for each in arguments:
            yield from _by_literals(each)
    elif name.removeprefix("ZetaSQL:$") in {"in", "between", "equal", "greater"}:
        first, *others = arguments
        if first.kind == "ColumnRef" and all(map(_is_literal, others)):
            yield first.column


def _is_literal(expression: Any) -> bool:
    return expression.kind in {"Literal", "Parameter"} or (expression.kind == "Cast" and _is_literal(expression.expr))
