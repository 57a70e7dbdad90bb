"""What was found in all: one sentence, and each check with how many activities do not pass it."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from dashboard.card import Why, card
from dashboard.formatting import Teller
from dashboard.html_table import BOTH, RIGHT, cell, html_table, link
from dashboard.links import page_url
from dashboard.mart import Row, Rows
from dashboard.page import Page
from dashboard.quality.checks import CHECKS, KINDS, pages, title


def draw(page: Page) -> Rows:
    """Draw the table, what cannot be right first; return its rows."""
    tell = page.tell
    with card(page, "quality", tell("Checks"), tell("of every activity; what is wrong first")) as opened:
        rows = opened.rows("quality/checks", page.athlete_id)
        kinds = {row["issue_kind"]: row for row in opened.rows("quality/kinds", page.athlete_id, page.athlete_id)}
        st.markdown(finding(kinds, page.health["activity_count"], tell))
        if rows:
            with st.container(key="quality-checks"):
                st.html(checks_table(rows, tell))
        opened.why = Why(
            formula=tell(
                "**Each activity is asked {n} questions.** A row is a question that at least one does not pass. "
                "Nothing is changed or left out because of this list: what a number does about a fault stands there.",
                n=tell.number(len(CHECKS)),
            ),
            inputs=[
                tell(
                    "*Cannot be right*: numbers that contradict one another or nature. *May be wrong*: worth a look. "
                    "*Not known*: something is missing, and what needs it leaves the activity out."
                )
            ],
            models=["data_quality_issue"],
        )
    return rows


def finding(kinds: Mapping[str, Row], activity_count: int, tell: Teller) -> str:
    """Say in one sentence how many activities have something that cannot be right, and how many may."""
    if "wrong" not in kinds and "doubtful" not in kinds:
        return tell.plural(
            "**Nothing is wrong with your {n} activity**, as far as can be told.",
            "**Nothing is wrong with any of your {n} activities**, as far as can be told.",
            activity_count,
        )
    counts = {kind: kinds[kind]["activity_count"] if kind in kinds else 0 for kind in KINDS}
    time = kinds["wrong"]["moving_time_s"] if "wrong" in kinds else 0
    return tell.plural(
        "**{wrong} of {n} activity has something that cannot be right** ({time} in all), and {doubtful} something "
        "that may be wrong.",
        "**{wrong} of {n} activities have something that cannot be right** ({time} in all), and {doubtful} something "
        "that may be wrong.",
        activity_count,
        wrong=tell.number(counts["wrong"]), time=tell.duration(time or 0), doubtful=tell.number(counts["doubtful"]),
    )  # fmt: skip


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Return the checks by kind, what is wrong first, then by how many activities do not pass."""
    kinds = list(KINDS)
    return sorted(rows, key=lambda row: (kinds.index(row["issue_kind"]), -row["activity_count"], row["check_name"]))


def checks_table(rows: Sequence[Row], tell: Teller) -> str:
    """Return the checks as HTML, each a link to its activities."""
    heads = [(tell("Check"), "grow"), (tell("Activities"), RIGHT), ("", BOTH), (tell("Touches"), BOTH)]
    return html_table(heads, [_line(row, tell) for row in in_order(rows)], tell)


def _line(row: Row, tell: Teller) -> str:
    name = link(page_url("quality", check=row["check_name"]), escape(title(row["check_name"], tell)))
    kind = escape(tell(KINDS[row["issue_kind"]]))
    cells = (
        cell(name, "grow"),
        cell(tell.number(row["activity_count"]), RIGHT),
        cell(f"<small>{kind}</small>", BOTH),
        cell(f"<small>{escape(pages(row['touched_marts'], tell))}</small>", BOTH),
    )
    return f"<tr>{''.join(cells)}</tr>"
