"""The card and the tile: a frame with content, why its numbers are what they are, and the SQL behind them."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from html import escape

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import streamlit as st

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartDamaged, MartMissing, QueryFailed
from dashboard import empty_states, formatting
from dashboard.links import activity_link
from dashboard.mart import Row, Rows
from dashboard.page import Page

LOG = logging.getLogger(__name__)
MOST_LINKS = 10
LOW = 150  # pixels of a card of whose height nothing is known
MOST_BITS = 63  # of a whole number in a file, besides its sign
OF_CSV = (str, bytes, float, Decimal, date, time)
OF_PARQUET = (*OF_CSV, list, dict, timedelta)


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """Why a number is what it is; every text is Markdown, translated, and says this athlete's values.

    `formula` has the values filled in. `models` are dbt's names of the marts. `activities` are rows with `name`,
    `start_date_local` and `activity_id`: those that make up the number, the most important first; or what asks for them
    when the reason is opened. Rows of `contributing.largest` tell themselves how many there are in all; a row may tell
    in `stands_for` what it is named for, as `5 km`.
    """

    formula: str
    models: Sequence[str]
    inputs: Sequence[str] = ()
    excluded: Sequence[str] = ()
    activities: Sequence[Row] | Callable[[], Sequence[Row]] = ()
    activity_count: int = 0  # of all, where `activities` has only the first of them
    choices: Callable[[], None] | None = None  # draws what the reader may choose of the definition


@dataclass(slots=True)
class Card:
    """The open card: `rows` asks the mart and offers the SQL; `why` may be given once the numbers are known."""

    page: Page
    key: str
    title: str
    why: Why | None = None
    queries: list[Rows] = field(default_factory=list)
    table_count: int = 0

    def rows(self, query: str, *parameters: object) -> Rows:
        """Run `queries/<query>.sql`; the card shows its statement. Raises MartMissing, QueryFailed, WarehouseBusy."""
        self.queries.append(found := self.page.rows(query, *parameters))
        return found

    def numbers(self, rows: Sequence[Row], label: str = "") -> None:
        """Offer what the chart shows as a table, by keyboard and to a screen reader; its columns are the rows' keys."""
        self.table_count += 1
        label = label or self.page.tell("The numbers behind the chart")
        _numbers(f"numbers-{self.key}-{self.table_count}", label, self.title, rows)


@st.fragment
def _numbers(key: str, label: str, title: str, rows: Sequence[Row]) -> None:
    """Draw the table when it is opened: what draws tables in a browser is larger than all that a page has else."""
    with st.expander(label, type="compact", key=key, on_change="rerun") as opened:
        if opened.open:
            st.dataframe(rows, hide_index=True, alt=title)


@contextmanager
def card(  # noqa: PLR0913 - what a card is made of
    page: Page, key: str, title: str, note: str = "", *, height: int = LOW, queries: Sequence[Rows] = ()
) -> Iterator[Card]:
    """Open a card; what is drawn inside stands below its head. `title` and `note` are translated.

    `height` is that of its chart in pixels: while a slow query runs, the style sheet draws a grey area in its place,
    after 0.3 s and until something stands below the head. A query that fails inside is told in the card, and the page's
    other cards are drawn.
    """
    opened = Card(page, key, title, queries=list(queries))
    with st.container(border=True, key=f"card-{key}", height="stretch", gap="xsmall"):
        head = st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center", key=f"head-{key}")
        with head:
            told = f'lang="{page.tell.language}" style="--ad-wait: {height}px"'
            small = f"<small>{escape(note)}</small>" if note else ""
            st.html(f'<h2 class="ad-h" {told}>{escape(title)}{small}</h2>', width="stretch")
        try:
            yield opened
        except MartDamaged:
            raise
        except (MartMissing, QueryFailed):
            LOG.exception("dashboard.card_failed card=%s", key)
            st.markdown(page.tell(empty_states.CARD_FAILED))
        with head:
            _offer(page, key, opened.why, opened.queries)


@contextmanager
def tile(page: Page, key: str, why: Why, queries: Sequence[Rows]) -> Iterator[None]:
    """Open the frame of one number, with its reason and its SQL in the corner."""
    with st.container(border=True, key=key, height="stretch", gap="xsmall"):
        yield
        with st.container(horizontal=True, key=f"corner-{key}", gap="xsmall", width="content"):
            _offer(page, key, why, queries)


def _offer(page: Page, key: str, why: Why | None, queries: Sequence[Rows]) -> None:
    """Offer the reason and the SQL. A choice in the reason changes the page, so that one is not drawn apart from it."""
    if why and why.choices:
        _why(page, key, why)
    if queries or (why and not why.choices):
        with st.container(key=f"offer-{key}", width="content"):
            _offer_apart(page, key, None if why and why.choices else why, queries)


@st.fragment
def _offer_apart(page: Page, key: str, why: Why | None, queries: Sequence[Rows]) -> None:
    """Draw what is in them when it is opened, without the rest of the page."""
    with st.container(horizontal=True, gap="xsmall", width="content"):
        if why:
            _why(page, key, why)
        if queries:
            _sql(page, key, queries)


def _why(page: Page, key: str, why: Why) -> None:
    tell = page.tell
    with st.popover(
        tell("Why"), type="tertiary", key=f"why-{key}", on_change="ignore" if why.choices else "rerun"
    ) as opened:
        if opened.open is False:
            return
        st.markdown(why.formula)
        if why.choices:
            why.choices()
        for text in why.inputs:
            st.markdown(text)
        for text in why.excluded or [tell("Nothing is excluded.")]:
            st.markdown(text)
        for model in why.models:
            st.caption(_model(page, model))
        _activities(page, why)


def _activities(page: Page, why: Why) -> None:
    """Name those that make up the number, and how many more there are."""
    tell, asked = page.tell, why.activities
    try:
        found = asked() if callable(asked) else asked
    except (MartMissing, QueryFailed, WarehouseBusy):
        LOG.exception("dashboard.activities_failed")
        st.caption(tell("The activities could not be asked for."))
        return
    if found:
        links = "".join(f"<li>{_link(page, row)}</li>" for row in found[:MOST_LINKS])
        st.html(f'<ul class="ad-list" lang="{tell.language}">{links}</ul>')
    count = max(why.activity_count, len(found), *(row.get("contributing_count", 0) for row in found[:1]))
    if (more := count - MOST_LINKS) > 0:
        st.caption(tell.plural("and {n} more activity", "and {n} more activities", more))


def _model(page: Page, model: str) -> str:
    """Tell the mart, its definition's version, what its tests found, and when it was built."""
    tell = page.tell
    parts = [tell("Model `{model}`", model=model)]
    status = _status(page, model)
    if status is None:
        parts.append(tell("not tested yet"))
    elif status:
        if status["definition_version"] is not None:
            parts[0] += f" v{status['definition_version']}"
        if failed := status["failed_count"]:
            tests = tell.plural("{n} test failed", "{n} tests failed", failed)
        else:
            tests = tell.plural("{n} test passed", "{n} tests passed", status["test_count"])
        parts.append(f"{tests} {tell.minute(status['tested_at'])}" if status["tested_at"] else tests)
    parts.append(tell("built {when}", when=tell.minute(page.health["last_transform_started_at"])))
    return " · ".join(parts)


def _status(page: Page, model: str) -> Row | None:
    """Return the model's row of `model_status`: None before its tests have run, empty where it cannot be asked now."""
    try:
        return next((row for row in page.rows("model_status") if row["model"] == model), None)
    except (MartMissing, QueryFailed):  # the first tests make the table
        return None
    except WarehouseBusy:
        return {}


def _link(page: Page, row: Row) -> str:
    shown = activity_link(row["activity_id"], row["name"] or page.tell("Activity"))
    stands_for = f"{escape(row['stands_for'])}: " if row.get("stands_for") else ""
    return f"{stands_for}{shown}, {page.tell.day(row['start_date_local'])}"


def _sql(page: Page, key: str, queries: Sequence[Rows]) -> None:
    with st.popover("SQL", type="tertiary", key=f"sql-{key}", on_change="rerun") as opened:
        for number, rows in enumerate(queries if opened.open else ()):
            if not number or rows.statement != queries[number - 1].statement:  # else the same, asked for other days
                st.code(rows.statement, language="sql")
            if rows.parameters:
                st.caption(page.tell("Parameters: {values}", values=", ".join(f"`{one}`" for one in rows.parameters)))
            st.caption(_cost(page, rows))
            with st.container(horizontal=True, gap="small"):
                for kind, written in (("CSV", as_csv), ("Parquet", as_parquet)):
                    st.download_button(
                        kind, later(written, rows), f"{rows.query.rpartition('/')[2]}.{kind.lower()}",
                        key=f"{kind}-{key}-{number}", on_click="ignore",
                    )  # fmt: skip


def _cost(page: Page, rows: Rows) -> str:
    """Tell rows, time, engine, what it read, and of which build it is: `53 rows · 3.1 ms · DuckDB · built 20:52:07`."""
    tell = page.tell
    parts = [
        tell.plural("{n} row", "{n} rows", len(rows)),
        f"{tell.number(rows.milliseconds, 1)}{formatting.NARROW}ms",
        page.context.engine,
    ]
    if rows.scanned_bytes is not None:
        parts.append(tell("{size} read", size=tell.size(rows.scanned_bytes)))
    if page.health["last_transform_started_at"]:
        built = tell.here(page.health["last_transform_started_at"])
        parts.append(tell("built {when}", when=formatting.plain(f"{built:%H:%M:%S}")))
    return " · ".join(parts)


def later(written: Callable[[Rows], bytes], rows: Rows) -> Callable[[], bytes]:
    """Make the file when it is asked for, not when the page is drawn."""
    return lambda: written(rows)


def as_csv(rows: Rows) -> bytes:
    """Return the rows as CSV with a header line; what is no single value, such as a list, is written as text."""
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(_table(rows, OF_CSV), sink)
    return bytes(sink.getvalue().to_pybytes())


def as_parquet(rows: Rows) -> bytes:
    """Return the rows as one Parquet file."""
    sink = pa.BufferOutputStream()
    pa_parquet.write_table(_table(rows, OF_PARQUET), sink)
    return bytes(sink.getvalue().to_pybytes())


def _table(rows: Rows, kinds: tuple[type, ...]) -> pa.Table:
    """Return the rows; a column is text where a value is of no such kind, or a whole number of more than 64 bits."""
    names = rows[0] if rows else ()
    texts = {name for name in names if not _are_kept((row[name] for row in rows), kinds)}
    return pa.Table.from_pylist([
        {name: str(value) if name in texts and value is not None else value for name, value in row.items()}
        for row in rows
    ])  # fmt: skip


def _is_kept(value: object, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, int):
        return value.bit_length() <= MOST_BITS
    if value is None or not isinstance(value, kinds):
        return value is None
    if isinstance(value, dict):  # a struct's fields have names; a map may have other keys, or none
        return all(isinstance(key, str) for key in value) and value != {} and _are_kept(value.values(), kinds)
    return not isinstance(value, list) or _are_kept(value, kinds)


def _are_kept(values: Iterable[object], kinds: tuple[type, ...]) -> bool:
    return all(_is_kept(value, kinds) for value in values)
