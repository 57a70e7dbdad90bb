"""The answer: its rows, a chart of two of its columns, and both as files."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import altair as alt
import streamlit as st

from backends.warehouse.marts import MartAnswer
from dashboard import charts, formatting
from dashboard.card import as_csv, as_parquet, card, later
from dashboard.formatting import Teller
from dashboard.mart import Rows
from dashboard.page import Page

HEIGHT = 260
MOST_BARS = 500
A_DAY_MS = 86_400_000


def draw(page: Page) -> None:
    """Draw the last answer of this visit, or why there is none."""
    tell = page.tell
    text, answer, fault, milliseconds = st.session_state.get("sql-answer", ("", None, "", 0.0))
    if fault:
        with st.container(key="question-fault"):
            st.warning(tell("There is no answer."))
            st.text(fault)
    if answer is None:
        return
    with card(page, "sql-answer", tell("Answer"), cost(answer, milliseconds, page.context.engine, tell)):
        if answer.is_cut:
            st.caption(tell("Only the first {n} rows are shown: narrow it with where or limit.", n=len(answer.rows)))
        with st.container(key="question-rows"):
            st.dataframe(answer.rows, hide_index=True, alt=tell("Answer"), column_order=answer.columns)
        rows = Rows(answer.rows, query="sql/answer", statement=text, parameters=())
        with st.container(horizontal=True, gap="small"):
            for kind, written in (("CSV", as_csv), ("Parquet", as_parquet)):
                st.download_button(
                    kind, later(written, rows), f"answer.{kind.lower()}", key=f"question-{kind}",
                    on_click="ignore",
                )  # fmt: skip
        _chart(page, answer)


def cost(answer: MartAnswer, milliseconds: float, engine: str, tell: Teller) -> str:
    """Tell rows, time, engine, and what it read."""
    parts = [
        tell.plural("{n} row", "{n} rows", len(answer.rows)),
        f"{tell.number(milliseconds)}{formatting.NARROW}ms",
        engine,
    ]
    if answer.scanned_bytes is not None:
        parts.append(tell("{size} read", size=tell.size(answer.scanned_bytes)))
    return " · ".join(parts)


def numeric(answer: MartAnswer) -> list[str]:
    """Return the columns that hold numbers, and something other than nulls."""
    kinds = (int, float, Decimal)
    return [
        name
        for name in answer.columns
        if (values := [row[name] for row in answer.rows if row[name] is not None])
        and all(isinstance(value, kinds) and not isinstance(value, bool) for value in values)
    ]


def axes(answer: MartAnswer) -> tuple[list[str], list[str]]:
    """Return the columns that can go across and upwards, those first that are drawn until the reader chooses.

    The first column goes across. A number that names something, such as `activity_id`, is drawn where nothing else is.
    """
    numbers, columns = sorted(numeric(answer), key=_is_id), sorted(answer.columns, key=_is_id)
    if [name for name in numbers if not _is_id(name)] == columns[:1]:  # it is what there is to see
        columns = [*columns[1:], columns[0]]
    return [name for name in columns if name not in numbers or len(numbers) > 1], numbers


def _is_id(column: str) -> bool:
    return column.casefold() == "id" or column.casefold().endswith("_id")


def _chart(page: Page, answer: MartAnswer) -> None:
    """Draw one column over another, as the reader chooses; an answer of one row or without numbers has no chart."""
    tell, (across, numbers) = page.tell, axes(answer)
    if len(answer.rows) < 2 or not numbers or not across:  # noqa: PLR2004 - a chart needs two points
        return
    with st.container(horizontal=True, gap="small"):
        x = st.selectbox(tell("Across"), across, key="question-x", width=200)
        upwards = [name for name in numbers if name != x]
        y = st.selectbox(tell("Upwards"), upwards or numbers, key="question-y", width=200)
    shown = points(answer.rows, x, y)
    is_time = all(isinstance(row[x], date) for row in answer.rows)
    drawn = shown if is_time else shown[:MOST_BARS]
    sentence = finding(shown, x, y, tell)
    has_hours = any(isinstance(row[x], datetime) for row in answer.rows)
    charts.show(page, "sql", chart(x, y, is_time=is_time, has_hours=has_hours), drawn, alt=sentence, height=HEIGHT)
    if len(drawn) < len(shown):
        sentence += " " + tell("The chart has the first {n} of {all} rows.", n=len(drawn), all=tell.number(len(shown)))
    st.caption(formatting.plain(sentence))


def points(rows: Sequence[dict[str, object]], x: str, y: str) -> list[dict[str, object]]:
    """Return the two columns as a chart takes them, without rows that lack one."""
    return [
        {"x": _plain(row[x]), "y": float(str(row[y])), "place": place}
        for place, row in enumerate(rows)
        if row[x] is not None and row[y] is not None
    ]


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, int | float) else str(value)


def finding(shown: Sequence[dict[str, object]], x: str, y: str, tell: Teller) -> str:
    """Say in one sentence where in the answer the column is highest."""
    if not shown:
        return tell("No row has both {x} and {y}.", x=x, y=y)
    most = max(shown, key=lambda point: float(str(point["y"])))
    value = float(str(most["y"]))
    told = tell.number(value, 0 if value.is_integer() else 2)
    return tell("{y} is highest, {value}, where {x} is {where}.", x=x, y=y, value=told, where=most["x"])


def chart(x: str, y: str, *, is_time: bool, has_hours: bool = False) -> alt.Chart:
    """Return bars in the answer's order, or a line over time: of days, or of moments on the reader's clock."""
    marks, upwards = alt.Chart(charts.ROWS), alt.Tooltip("y:Q", title=y)
    if not is_time:
        axis = alt.Axis(labelAngle=0, labelOverlap=True)
        across = alt.X("x:O", sort=alt.EncodingSortField("place", op="min"), axis=axis)
        bars = marks.mark_bar().encode(x=across, y=alt.Y("y:Q"), tooltip=[alt.Tooltip("x:N", title=x), upwards])
        return charts.in_colour(bars, "accent")
    told = "timeFormat(toDate(datum.x), '%-d %b %Y, %H:%M')" if has_hours else "utcFormat(toDate(datum.x), '%-d %b %Y')"
    line = marks.mark_line(point=True).transform_calculate(told=told)
    tooltip = [alt.Tooltip("told:N", title=x), upwards]
    line = line.encode(x=_moments() if has_hours else _days(), y=alt.Y("y:Q"), tooltip=tooltip)
    return charts.in_colour(line, "accent")


def _days() -> alt.X:
    axis = alt.Axis(labelExpr=charts.day_or("%b %Y"), tickCount=6, tickMinStep=A_DAY_MS)
    return alt.X("x:T", scale=alt.Scale(type="utc"), axis=axis)


def _moments() -> alt.X:
    at_midnight = "hours(datum.value) + minutes(datum.value) + seconds(datum.value) == 0"
    return alt.X("x:T", axis=alt.Axis(tickCount=6, labelOverlap=True, labelExpr=(
        f"timeFormat(datum.value, domain('x')[1] - domain('x')[0] > 120 * {A_DAY_MS} ? '%b %Y' : "
        f"{at_midnight} ? '%-d %b' : '%H:%M')"
    )))  # fmt: skip
