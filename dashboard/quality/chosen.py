"""One check: what the numbers do about it, what the athlete can do, and the activities that do not pass it."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import address, folded, sport_types
from dashboard.card import Why, card
from dashboard.formatting import Teller
from dashboard.html_table import BOTH, RIGHT, cell, html_table, sport_dot
from dashboard.links import activity_link
from dashboard.mart import Row
from dashboard.page import Page
from dashboard.quality.checks import CHECKS, KINDS, measured, pages, title
from dashboard.quality.summary import in_order

SHOWN = 20


def draw(page: Page, found: Sequence[Row]) -> None:
    """Draw the check that the reader picks, by its link or from the list."""
    tell = page.tell
    by_name = {row["check_name"]: row for row in in_order(found)}
    with card(page, "quality-check", tell("Activities")) as opened:
        names = list(by_name)
        name = address.pick("check", names, names[0], tell("Check"), lambda word: title(word, tell))
        row = by_name[name]
        rows = opened.rows("quality/activities", page.athlete_id, name)
        if name in CHECKS:
            st.markdown(
                "  \n".join(
                    (
                        f"**{tell('What it touches')}:** {tell(CHECKS[name].effect)}",
                        f"**{tell('What you can do')}:** {tell(CHECKS[name].advice)}",
                    )
                )
            )
        folded.show("quality-activities", rows, SHOWN, lambda some: activities_table(some, name, tell), tell)
        if (more := row["activity_count"] - len(rows)) > 0:
            st.caption(tell.plural("and {n} more activity", "and {n} more activities", more))
        opened.why = Why(
            formula=tell(
                "**{title}**: {kind}, in {n} of {all} activities.", title=title(name, tell),
                kind=tell(KINDS[row["issue_kind"]]), n=tell.number(row["activity_count"]),
                all=tell.number(page.health["activity_count"]),
            ),
            inputs=[
                tell("Pages with numbers that it touches: {pages}.", pages=pages(row["touched_marts"], tell)),
                tell("Marts: {marts}.", marts=row["touched_marts"]),
            ],
            models=["data_quality_issue"],
            activities=rows,
            activity_count=row["activity_count"],
        )  # fmt: skip


def activities_table(rows: Sequence[Row], name: str, tell: Teller) -> str:
    """Return the activities as HTML, with the number behind it and the other activity that it is about."""
    heads = [(tell("Activity"), "grow"), (tell("Day"), BOTH), ("", RIGHT)]
    return html_table(heads, [_line(row, name, tell) for row in rows], tell)


def _line(row: Row, name: str, tell: Teller) -> str:
    shown = row["name"] or sport_types.title(row["sport_type"], tell)
    activity = sport_dot(row["sport_group"], tell) + activity_link(row["activity_id"], shown)
    parts = [escape(measured(name, row["measured"], tell))]
    if row["related_activity_id"] is not None:
        parts.append(activity_link(row["related_activity_id"], tell("the other one")))
    cells = (
        cell(activity, "grow"),
        cell(f"<small>{tell.day(row['start_date_local'])}</small>", BOTH),
        cell(f"<small>{' · '.join(filter(None, parts))}</small>", RIGHT),
    )
    return f"<tr>{''.join(cells)}</tr>"
