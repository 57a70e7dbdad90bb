"""The refresh script: which models a change selects, and what stands in their statements when they run."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from threading import Barrier
from typing import Any

import duckdb
import pytest

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartMissing
from worker.dbt_runner.port import Node
from worker.dbt_runner.script import Model, Replaced, Script
from worker.dbt_runner.script_run import run_script
from worker.dbt_runner.statements import EARLIEST, News, Statements

AS_OF = datetime(2026, 4, 2, 10, tzinfo=UTC)
NOW = datetime(2026, 4, 2, 10, 0, 7, 250000, tzinfo=UTC)


def model(name: str, *parents: str, sources: Sequence[str] = (), tag: str = "", is_view: bool = False) -> Model:
    """A model that is built by one statement, or a view."""
    statements = [] if is_view else [f"build {name}"]
    tags = [tag] if tag else []
    return Model(
        name=name,
        parents=list(parents),
        lists=[],
        sources=list(sources),
        tags=tags,
        statements=statements,
        table=None if is_view else f"mart.{name}",
    )


SCRIPT = Script(
    [
        model("events", sources=["strava_events"]),
        model("readings", sources=["pipeline_readings"], tag="every_run"),
        model("activities", sources=["strava_activities"]),
        model("typed", "activities", is_view=True),
        model("fct", "typed"),
        model("health", "events", "readings"),
    ]
)


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"strava_activities"}, ["readings", "activities", "fct", "health"]),
        ({"strava_events"}, ["events", "readings", "health"]),
        (set(), ["readings", "health"]),
        (None, ["events", "readings", "activities", "fct", "health"]),
    ],
)
def test_a_change_selects_what_comes_of_it(changed: set[str] | None, names: list[str]) -> None:
    """Also through a view, which has no statement; what no watermark tells of is built by every run."""
    assert ran(changed, rows_are_other=lambda _: True) == names


def ran(
    changed: set[str] | None, rows_are_other: Callable[[str], bool], *, is_alone: bool = True, script: Script = SCRIPT
) -> list[str]:
    """Return the models that a refresh builds where the rows of some tables are other than before."""

    def execute(sql: str) -> list[tuple[Any, ...]]:
        if sql.startswith("from staging.refreshed") and not is_alone:
            raise MartMissing
        if found := re.match(r"from mart\.(\w+?)(__new)? as row", sql):
            return [(7, 100 + bool(found[2] and rows_are_other(found[1])))]
        return [(1,)] if sql.endswith("limit 1") else [(0,)]

    nodes: list[Node] = []
    run_script(script, changed, [Statements(execute, AS_OF, lambda: NOW)], nodes)
    return in_order(script, nodes)


def in_order(script: Script, nodes: list[Node]) -> list[str]:
    """Return the names of the models that ran, some side by side, as the script has them."""
    names = [node.name for node in nodes]
    assert len(names) == len(set(names))
    return [model.name for model in script.models if model.name in names]


def test_what_reads_nothing_new_is_not_built() -> None:
    """A model whose rows are as before ends it: nothing that reads it alone has to do."""
    assert ran({"strava_activities"}, lambda name: name != "activities") == ["readings", "activities", "health"]
    assert ran({"strava_events"}, lambda name: name == "readings") == ["events", "readings", "health"]
    assert ran({"strava_events"}, lambda _: False) == ["events", "readings"]
    assert ran(None, lambda _: False) == [each.name for each in SCRIPT.models if each.statements]


def test_labels_are_no_news_to_who_reads_measures_alone() -> None:
    """Also through a view; of what a model reads besides it hears as ever."""
    labelled = Replaced(table="t", where="<<changed:ids id>>", rows="select 1", labels=["name"])
    script = Script(
        [
            replace(model("activities", sources=["strava_activities"]), statements=[], table=None, replaced=labelled),
            model("typed", "activities", is_view=True),
            model("sums", "typed", tag="measures_only"),
            model("titles", "typed"),
            model("settings", sources=["settings"]),
            model("loads", "settings", "typed", tag="measures_only"),
        ]
    )
    for news, names in (
        (News.NOTHING, []),
        (News.LABELS, ["titles"]),
        (News.ROWS, ["sums", "titles", "loads"]),
    ):
        assert built(script, {"strava_activities"}, {"activities": news}) == ["activities", *names]
    told = {"activities": News.LABELS, "settings": News.ROWS}
    assert built(script, {"strava_activities", "settings"}, told) == ["activities", "titles", "settings", "loads"]


def test_what_a_list_was_read_from_counts_as_changed() -> None:
    """Another program may write after the tables that changed were told, and before the list is read."""
    script = Script(
        [
            model("changes", sources=["strava_activities", "strava_streams"], tag="changes"),
            model("activities", sources=["strava_activities"]),
            model("streams", sources=["strava_streams"]),
        ]
    )
    assert built(script, {"strava_streams"}, {}) == ["changes", "activities", "streams"]
    assert built(script, {"strava_streams"}, {}, is_filled=False) == ["changes", "streams"]


@dataclass
class FakeStatements(Statements):
    """Tells news of models instead of running statements."""

    news: dict[str, News]
    has_rows: bool

    @contextmanager
    def at_once(self) -> Iterator[None]:
        yield

    @cached_property
    def is_alone(self) -> bool:
        return True

    def build(self, model: Model, *, is_measured: bool = True) -> News:
        return self.news.get(model.name, News.NOTHING)

    def is_filled(self, model: Model) -> bool:
        return self.has_rows

    def end(self) -> None:
        pass


def built(script: Script, changed: set[str], news: dict[str, News], *, is_filled: bool = True) -> list[str]:
    """Return the models that a refresh builds where these have news."""
    nodes: list[Node] = []
    run_script(script, changed, [FakeStatements(news, is_filled)], nodes)
    return in_order(script, nodes)


def test_a_model_waits_for_what_it_reads_and_for_what_reads_it_as_it_was() -> None:
    """Also through a view, and for what its statements alone name; what reads raw, and what that reads, comes first."""
    script = Script(
        [
            model("archive"),
            model("events", "archive", sources=["strava_events"]),
            model("stored", sources=["strava_gear"], is_view=True),
            model("gear", "stored"),
            replace(model("before"), statements=['insert into before from "w"."mart"."facts"']),
            replace(model("ids"), lists=["events"]),
            replace(model("facts"), statements=["delete from mart.facts where <<changed:ids id>>"]),
            model("typed", "facts", is_view=True),
            model("sums", "typed"),
            replace(model("health"), statements=["select * from raw.pipeline_readings, mart.typed_by_hand"]),
            model("alone"),
            replace(
                model("replaces"),
                statements=[],
                table=None,
                replaced=Replaced(table="mart.replaces", where="<<changed:ids id>>", rows="from mart.alone"),
            ),
        ]
    )
    assert script.waits == {
        "archive": set(),
        "events": {"archive"},
        "stored": set(),
        "gear": {"stored"},
        "before": set(),
        "ids": {"events"},
        "facts": {"before", "ids"},
        "typed": {"facts"},
        "sums": {"facts", "typed"},
        "health": set(),
        "alone": set(),
        "replaces": {"ids", "alone"},
    }
    assert [each.name for each in script.reads_first] == ["archive", "events", "stored", "gear", "health"]
    assert script.followers["events"] == len(["ids", "facts", "typed", "sums", "replaces"])


def test_what_waits_for_nothing_is_built_at_once() -> None:
    """What reads raw in one transaction, before the others; each of these on a connection of its own."""
    both_run = Barrier(2, timeout=60)
    told: list[str] = []

    def execute(sql: str) -> list[tuple[Any, ...]]:
        if sql.startswith("build") or sql in {"begin transaction", "commit"}:
            told.append(sql)
        if sql in {"build one", "build other"}:
            both_run.wait()
        return [(0,)]

    script = Script(
        [
            model("facts", sources=["strava_activities"]),
            model("one", "facts"),
            model("other", "facts"),
            model("last", "one", "other"),
        ]
    )
    first = Statements(execute, AS_OF, lambda: NOW)
    run_script(script, None, [first, first.beside(execute)], [])
    assert told[:3] == ["begin transaction", "build facts", "commit"]
    assert sorted(told[3:-3]) == ["begin transaction"] * 2 + ["build one", "build other"] + ["commit"] * 2
    assert told[-3:] == ["begin transaction", "build last", "commit"]


def test_on_all_connections_it_is_the_same_moment() -> None:
    """Of a refresh there is one, however long it takes."""
    told: list[str] = []
    moments = iter(NOW + timedelta(seconds=number) for number in range(9))

    def execute(sql: str) -> list[tuple[Any, ...]]:
        told.append(sql)
        return []

    first = Statements(execute, AS_OF, lambda: next(moments))
    for each in (first, first.beside(execute)):
        each.run("of <<as_of:0>>, <<alone:>>")
    assert told[-1] == told[-2] == "of 2026-04-02T10:00:00.000000Z, true"


def test_after_a_failure_nothing_more_is_built() -> None:
    """It tells the model; what runs beside it is waited for."""
    told: list[str] = []

    def execute(sql: str) -> list[tuple[Any, ...]]:
        if sql == "build one":
            raise WarehouseBusy("the disk is full")
        if sql.startswith("build"):
            told.append(sql)
        return [(0,)]

    script = Script([model("facts", sources=["strava_activities"]), model("one", "facts"), model("two", "one")])
    with pytest.raises(WarehouseBusy, match=r"^one: the disk is full$"):
        run_script(script, None, [Statements(execute, AS_OF, lambda: NOW)], [])
    assert told == ["build facts"]


def test_after_dbt_all_that_comes_of_a_change_is_built() -> None:
    """A run of dbt may have ended after a table and before what reads it."""
    assert ran({"strava_events"}, lambda _: False, is_alone=False) == ["events", "readings", "health"]


@pytest.mark.parametrize(
    ("before", "now", "is_other"),
    [
        ("(1, 'a'), (2, 'b')", "(2, 'b'), (1, 'a')", False),
        ("(1, 'a'), (2, 'b')", "(1, 'b'), (2, 'a')", True),
        ("(1, 'a'), (2, null)", "(1, null), (2, 'a')", True),
        ("(0, 'a'), (0, 'a')", "(0, 'a')", True),
        ("(0, null)", "(0, null), (0, null)", True),
        ("(1, 'a')", "(1, 'a')", False),
    ],
)
def test_a_table_is_other_where_its_rows_are(before: str, now: str, is_other: bool) -> None:
    """In any order; in its place is then what was built, and nothing is left beside it."""
    rows = "select * from (values {}) as v (n, name)"
    with duckdb.connect() as connection:
        connection.execute("create schema mart")
        connection.execute(f"create table mart.t as {rows.format(before)}")
        statements = Statements(lambda sql: connection.execute(sql).fetchall(), AS_OF, lambda: NOW)
        built = f"create table mart.t__new as {rows.format(now)}"
        one = Model(name="t", parents=[], lists=[], sources=[], tags=[], statements=[built], table="mart.t")
        assert statements.build(one) is (News.ROWS if is_other else News.NOTHING)
        found = connection.execute("from mart.t order by all").fetchall()
        assert found == connection.execute(f"{rows.format(now)} order by all").fetchall()
        assert connection.execute("select table_name from duckdb_tables()").fetchall() == [("t",)]


@pytest.mark.parametrize(
    ("now", "news"),
    [
        ("(2, 'b', [7]), (2, 'c', [])", News.NOTHING),
        ("(2, 'c', []), (2, 'b', [7])", News.NOTHING),
        ("(2, 'b', [7]), (2, 'd', [])", News.LABELS),
        ("(2, 'c', [7]), (2, 'b', [])", News.LABELS),
        ("(2, 'b', [7]), (2, 'c', null)", News.ROWS),
        ("(2, 'b', [8]), (2, 'c', [])", News.ROWS),
        ("(2, 'b', [7])", News.ROWS),
        ("(2, 'b', [7]), (2, 'c', []), (2, 'c', [])", News.ROWS),
    ],
)
def test_rows_take_the_place_of_others_where_they_differ(now: str, news: News) -> None:
    """In any order; rows that are the same stay where they are, and so do those of what has not changed."""
    found, told, ran = replaced(before="(1, 'a', [1]), (2, 'b', [7]), (2, 'c', [])", now=now, changed=[2])
    assert found == replaced(before=f"(1, 'a', [1]), {now}", now="", changed=[])[0]
    assert told is news
    assert any(sql.startswith("delete") for sql in ran) is bool(news)


def test_first_rows_and_rows_of_many_are_not_compared() -> None:
    """There is nothing to compare with, or too much to keep beside it; of curves few are."""
    found, news, ran = replaced(before="(1, 'a', [1])", now="(2, 'b', [7])", changed=[2])
    assert ([row[0] for row in found], news, [sql for sql in ran if "temporary" in sql]) == ([1, 2], News.ROWS, [])
    for changed, rows in ((range(1, 60), "changed"), (range(1, 9), "part")):
        found, news, ran = replaced(before="(1, 'a', [1])", now="(1, 'a', [1])", changed=changed, rows=rows)
        assert ([row[0] for row in found], news, [sql for sql in ran if "temporary" in sql]) == ([1], News.ROWS, [])


def test_where_labels_alone_are_new_nothing_follows() -> None:
    """The loads of other activities need not be looked at because of a title."""
    ran: list[str] = []

    def execute(sql: str) -> list[tuple[Any, ...]]:
        ran.append(sql)
        return [(0, None)] if "sum(" in sql else [(0,)]

    rows = Replaced(table="t", where="<<changed:changed_activities id>>", rows="select 1 as id")
    one = Model(name="t", parents=[], lists=[], sources=[], tags=[], statements=["update t set n = 1"], replaced=rows)
    for is_measured in (True, False):
        ran.clear()
        Statements(execute, AS_OF, lambda: NOW).build(one, is_measured=is_measured)
        assert ("update t set n = 1" in ran) is is_measured


def replaced(
    before: str, now: str, changed: Sequence[int], rows: str = "changed"
) -> tuple[list[tuple[Any, ...]], News, list[str]]:
    """Return the rows of a table after a refresh, what is other in them than before, and what ran."""
    columns = "(activity_id, name, numbers)"
    query = f"select name, numbers, activity_id from (values {now or '(0, null, null)'}) as v {columns}"  # noqa: S608
    ran: list[str] = []
    with duckdb.connect() as connection:
        connection.execute("create schema staging")
        connection.execute(f"create table staging.t as from (values {before}) as v {columns}")
        connection.execute("create table staging.changed_activities (activity_id bigint)")
        connection.execute(f"insert into staging.changed_activities select unnest({list(changed)})")

        def execute(sql: str) -> list[tuple[Any, ...]]:
            ran.append(sql)
            return connection.execute(sql).fetchall()

        where = "<<changed:changed_activities activity_id>>"
        made = f"{query} where <<{rows}:changed_activities activity_id>>"
        part = Replaced(table='"staging"."t"', where=where, rows=made, labels=["name"])
        one = Model(name="t", parents=[], lists=[], sources=[], tags=[], statements=[], replaced=part)
        news = Statements(execute, AS_OF, lambda: NOW).build(one)
        return connection.execute("from staging.t order by all").fetchall(), news, ran


def test_a_script_is_read_as_it_was_written() -> None:
    """Its text is kept as a mark."""
    rows = Replaced(table='"staging"."t"', where="<<changed:changed_activities activity_id>>", rows="select 1")
    script = Script([*SCRIPT.models, replace(SCRIPT.models[0], statements=[], table=None, replaced=rows)])
    assert Script.from_json(script.json()) == script


@pytest.fixture
def filled() -> Callable[..., str]:
    """Returns a statement as it is run where these activities changed and this is the newest row of the ledger."""

    def fill(statement: str, ids: Sequence[int] = (), newest: str | None = None) -> str:
        ran: list[str] = []

        def execute(sql: str) -> list[tuple[Any, ...]]:
            ran.append(sql)
            return [(each,) for each in ids] if "changed_activities" in sql else [(newest,)]

        Statements(execute, AS_OF, lambda: NOW).run(statement)
        return ran[-1]

    return fill


def test_moments_are_put_in(filled: Callable[..., str]) -> None:
    """The refresh's own moment, days before it, and the moment at which a statement runs."""
    assert filled("cast('<<as_of:0>>' as timestamp) - '<<as_of:31>>'") == (
        "cast('2026-04-02T10:00:00.000000Z' as timestamp) - '2026-03-02T10:00:00.000000Z'"
    )
    assert filled("set finished_at = '<<now:>>'") == "set finished_at = '2026-04-02T10:00:07.250000Z'"
    assert filled('where ingested_at > \'<<newest:"staging"."events">>\'', newest="2026-04-01") == (
        "where ingested_at > '2026-04-01'"
    )
    assert filled("where ingested_at > '<<newest:events>>'") == f"where ingested_at > '{EARLIEST}'"  # an empty ledger
    assert filled("select 1 << 2, 8 >> 1") == "select 1 << 2, 8 >> 1"


def test_changed_activities_are_put_in(filled: Callable[..., str]) -> None:
    """By their ids, by the first and the last of very many, and none where nothing changed."""
    told = "changed:changed_activities"
    assert filled(f"where <<{told} activity_id>>", ids=[3, 9]) == "where activity_id in (3, 9)"
    assert filled(f"where not <<{told} cells.activity_id>>") == "where not false"
    assert filled(f"where <<{told} id>>", ids=range(7, 5008)) == "where id between 7 and 5007"


def parts(count: int, curved: Sequence[int] = ()) -> list[list[int]]:
    """The ids of each part of a statement, where activities 1 … count changed and these have curves."""
    ran: list[str] = []

    def execute(sql: str) -> list[tuple[Any, ...]]:
        if "strava_streams" in sql:
            return [(each,) for each in curved]
        if not sql.startswith("delete"):
            return [(each,) for each in range(1, count + 1)]
        ran.append(sql)
        return [(0,)]

    Statements(execute, AS_OF, lambda: NOW).run("delete from curves where <<part:changed_activities activity_id>>")
    return [[int(each) for each in re.findall(r"\d+", sql)] for sql in ran]


@pytest.mark.parametrize(
    ("count", "curved", "sizes"),
    [
        (120, range(1, 121), [50, 50, 20]),
        (50, range(1, 51), [50]),
        (50, (), [50]),
        (0, (), []),
        (1_434, (), [1_434]),
        (1_434, range(1_000, 1_060), [1_049, 385]),
        (1_434, (9_999,), [1_434]),
        (5_001, (), [5_000, 1]),
    ],
)
def test_what_reads_curves_runs_for_fifty_at_a_time(count: int, curved: Sequence[int], sizes: list[int]) -> None:
    """Each is named once; those without curves do not count, and where none changed nothing runs."""
    named = parts(count, curved)
    assert [len(ids) for ids in named] == sizes
    assert [each for ids in named for each in ids] == list(range(1, count + 1))


def test_a_statement_is_parted_by_one_table() -> None:
    """By two it would run for each part of both, and insert rows twice."""
    statement = "where <<part:changed_activities one>> or <<part:changed_streams other>>"
    with pytest.raises(ValueError, match="changed_activities, changed_streams"):
        Statements(lambda _: [(1,)], AS_OF, lambda: NOW).run(statement)
