"""A reader's own SQL over the published marts: what it reaches, what it may take, and how it ends."""

from collections.abc import Callable
from pathlib import Path
from threading import Timer

import duckdb
import pytest

from backends.warehouse.duckdb.mart_console import DuckdbMartConsole
from backends.warehouse.duckdb.snapshot import publish
from backends.warehouse.marts import MartLimits, MartMissing, QueryFailed

Ask = Callable[..., list[dict[str, object]]]
ENDLESS = (
    "select count(*) from range(100000) a, range(100000) b, range(100000) c where (a.range + b.range) % 7 = c.range"
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Marts with a table, a view over staging, and a table of staging."""
    folder = tmp_path_factory.mktemp("published")
    with duckdb.connect(str(folder / "transform.duckdb")) as connection:
        connection.execute("create schema staging; create schema mart")
        connection.execute("create table staging.secret as select 1 as n")
        connection.execute("create table mart.numbers as select range as n from range(10)")
        connection.execute("create view mart.seen as select n from transform.staging.secret")
    publish(folder / "transform.duckdb", folder / "mart.duckdb")
    (folder / "other.csv").write_text("n\n1\n")
    return folder


@pytest.fixture
def ask(published: Path) -> Ask:
    """Ask one question, within limits."""

    def asked(sql: str, **limits: float) -> list[dict[str, object]]:
        console = DuckdbMartConsole(published / "mart.duckdb", MartLimits(**limits))  # type: ignore[arg-type]
        assert console.bytes_of(sql) is None
        return console.asking(sql).answer().rows

    return asked


@pytest.mark.parametrize(
    "sql",
    [
        "select n from mart.numbers where n = 1",
        "select n from numbers where n = 1",
        'with numbers as (select 1 as n) select n from numbers union select n from "mart"."seen"',
        "select n from transform.mart.seen",
        "select count(*) as n from (describe mart.numbers)",
    ],
)
def test_the_tables_of_mart_can_be_asked(ask: Ask, sql: str) -> None:
    """By their names with and without the schema; a view of mart may read what lies below it."""
    assert ask(sql) == [{"n": 1}]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from staging.secret",
        "select * from transform.staging.secret",
        'select * from "transform"."staging"."secret"',
        "select n from mart.numbers where n in (select n from staging.secret)",
        "with a as (from staging.secret) select * from a",
        "select (select max(n) from staging.secret)",
        "select * from read_csv('{folder}/other.csv')",
        "select * from '{folder}/other.csv'",
        "select * from query('from staging.secret')",
        "select * from query_table('staging.secret')",
        "insert into mart.numbers values (11)",
        "create table mart.mine as select 1",
        "copy mart.numbers to '{folder}/out.csv'",
        "attach '{folder}/transform.duckdb' as other",
        "set enable_external_access = true",
        "install httpfs",
        "explain analyze select * from staging.secret",
        "select 1; select 2",
        "pragma database_list",
        "selekt",
        "",
    ],
)
def test_nothing_else_can_be_reached_and_nothing_changed(ask: Ask, published: Path, sql: str) -> None:
    """Neither another schema by any of its names, nor a file, nor a setting; the reason is one line."""
    before = sorted(path.name for path in published.iterdir())
    with pytest.raises(QueryFailed) as told:
        ask(sql.format(folder=published))
    assert "\n" not in str(told.value)
    assert sorted(path.name for path in published.iterdir()) == before
    assert ask("select count(*) as n from mart.numbers") == [{"n": 10}]


def test_an_answer_is_cut_at_its_limit(published: Path) -> None:
    """The reader is told that there is more, and not where just as many were asked for."""
    console = DuckdbMartConsole(published / "mart.duckdb", MartLimits(rows=3))
    first, whole = (console.asking(f"from mart.numbers limit {n}").answer() for n in (4, 3))
    assert (len(first.rows), first.is_cut, first.columns) == (3, True, ["n"])
    assert (len(whole.rows), whole.is_cut) == (3, False)


@pytest.mark.slow
def test_a_statement_that_is_cancelled_before_it_begins(published: Path) -> None:
    """An interrupt that comes too early is not lost."""
    question = DuckdbMartConsole(published / "mart.duckdb", MartLimits()).asking(ENDLESS)
    question.cancel()
    with pytest.raises(QueryFailed, match="was cancelled"):
        question.answer()


@pytest.mark.slow
def test_what_takes_too_long_or_too_much_ends_with_a_sentence(ask: Ask) -> None:
    """Time and memory are bounded, and a name given twice is told."""
    with pytest.raises(QueryFailed, match=r"took longer than 0 s"):
        ask(ENDLESS, seconds=0.2)
    with pytest.raises(QueryFailed, match="512 MB"):
        ask("select list(range) from range(200000000)")
    with pytest.raises(QueryFailed, match="one name"):
        ask("select n, n from mart.numbers")


@pytest.mark.parametrize(
    "sql",
    [
        "select range(100000) as many from range(20)",
        "select [{'text': repeat('x', 1000000)}] as many from range(20)",
        "select repeat('x', 1000000) || range as text from range(20)",
    ],
)
def test_an_answer_is_no_larger_than_a_page_can_hold(ask: Ask, sql: str) -> None:
    """A list takes many times as much once it is Python's, so it is measured before."""
    with pytest.raises(QueryFailed, match="larger than 10 MB"):
        ask(sql, bytes=10_000_000)
    assert len(ask(f"{sql} limit 2", bytes=10_000_000)) == 2


def test_lists_are_answered_as_they_are(ask: Ask) -> None:
    """Up to the limit of rows, which leaves the rest unmeasured."""
    assert ask("select [n, null] as many, {'n': n} as one from mart.numbers order by n limit 1") == [
        {"many": [0, None], "one": {"n": 0}}
    ]
    assert len(ask("select range(1000) as many from range(100000)", rows=50, bytes=10_000_000)) == 50


def test_a_question_can_be_cancelled(published: Path) -> None:
    """From another thread; afterwards, and once it has ended, that is nothing."""
    question = DuckdbMartConsole(published / "mart.duckdb", MartLimits()).asking(ENDLESS)
    Timer(0.2, question.cancel).start()
    with pytest.raises(QueryFailed, match="cancelled"):
        question.answer()
    question.cancel()


def test_before_the_first_publish_there_is_nothing_to_ask(tmp_path: Path) -> None:
    """The error names the command that makes marts."""
    with pytest.raises(MartMissing, match="athlete transform"):
        DuckdbMartConsole(tmp_path / "mart.duckdb", MartLimits()).asking("select 1")
