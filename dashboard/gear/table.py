"""Every piece of gear: how far, how long, what a kilometre cost, and what Strava counts itself."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import contributing
from dashboard.card import Why, card
from dashboard.formatting import MINUS, NARROW, NOTHING, Teller, plain, small_html
from dashboard.html_table import BOTH, RIGHT, cell, html_table
from dashboard.languages import N_
from dashboard.mart import Row, Rows
from dashboard.page import Page

KINDS = {"bike": N_("Bike"), "shoes": N_("Shoes"), "other": N_("Other gear"), "own": N_("Only in athlete.toml")}
NONE_YET = N_(
    "**No gear yet.** Bikes and shoes that you enter on Strava and give to your activities appear here. What Strava "
    "does not know you can add to `athlete.toml` in DATA_DIR."
)


def draw(page: Page) -> Rows:
    """Draw the table, the retired pieces below it; return its rows."""
    tell = page.tell
    with card(page, "gear", tell("All gear"), tell("all time; by our activities, and as Strava counts")) as opened:
        rows = opened.rows("gear/usage", page.athlete_id)
        if not rows:
            st.markdown(tell(NONE_YET))
            return rows
        using, retired = ([row for row in rows if row["is_retired"] is past] for past in (False, True))
        with st.container(key="gear-pieces"):
            st.html(usage_table(using or retired, tell))
        if using and retired:
            with st.expander(tell("Retired: {n}", n=tell.number(len(retired))), type="compact"):
                st.html(usage_table(retired, tell))
        with st.expander(tell("All numbers"), type="compact"):
            st.dataframe(numbers(rows, tell), hide_index=True, alt=tell("All gear"))
        opened.why = _why(rows, page)
    return rows


def usage_table(rows: Sequence[Row], tell: Teller) -> str:
    """Return the pieces as HTML, a line for each."""
    heads = [
        (tell("Name"), "grow"), (tell("Distance"), RIGHT), (tell("Time"), BOTH), (tell("Last used"), BOTH),
        (tell("Cost"), BOTH), (tell("Service"), RIGHT), (tell("Strava says"), BOTH), (tell("Difference"), BOTH),
    ]  # fmt: skip
    return html_table(heads, [_line(row, tell) for row in rows], tell)


def _line(row: Row, tell: Teller) -> str:
    kind = tell(KINDS[row["gear_kind"]])
    if not row["activity_count"]:
        kind += f" · {tell('no activity has it')}"
    rest = (
        (small_html(tell.distance(row["distance_m"])), RIGHT),
        (small_html(tell.duration(row["moving_time_s"])), BOTH),
        (tell.day(row["last_used_on"]), BOTH),
        (small_html(cost(row, tell)), BOTH),
        (service(row, tell), RIGHT),
        (small_html(tell.distance(row["strava_distance_m"])), BOTH),
        (small_html(difference(row["difference_m"], tell)), BOTH),
    )
    name = cell(f"{escape(row['gear_name'])} <small>{escape(kind)}</small>", "grow")
    return f"<tr>{name}{''.join(cell(shown, css) for shown, css in rest)}</tr>"


def cost(row: Row, tell: Teller) -> str:
    """Return what a kilometre or mile cost; the currency is the athlete's own, and nobody told it."""
    if row["cost"] is None or not row["distance_m"]:
        return NOTHING
    amount = row["cost"] / tell.distance_amount(row["distance_m"])
    return f"{tell.number(amount, 2)}{NARROW}/{tell.distance_unit}"


def service(row: Row, tell: Teller) -> str:
    """Return how many services are due, as HTML."""
    if not row["service_count"]:
        return NOTHING
    if due := row["due_service_count"]:
        return f'<span class="ad-new">{escape(tell.plural("{n} due", "{n} due", due))}</span>'
    return escape(tell("none due"))


def difference(metres: float | None, tell: Teller) -> str:
    """Return ours less Strava's, with its sign."""
    if metres is None:
        return NOTHING
    shown, sign = tell.distance(abs(metres)), MINUS if metres < 0 else "+"
    return shown if shown == tell.distance(0) else f"{sign}{shown}"


def numbers(rows: Sequence[Row], tell: Teller) -> list[dict[str, str]]:
    """Return every number of every piece, as the table would say it."""
    return [
        {
            tell("Name"): row["gear_name"],
            tell("Kind"): tell(KINDS[row["gear_kind"]]),
            tell("Activities"): tell.number(row["activity_count"]),
            tell("Distance"): tell.distance(row["distance_m"]),
            tell("Time"): tell.duration(row["moving_time_s"]),
            tell("Elevation"): tell.elevation(row["elevation_gain_m"]),
            tell("First used"): tell.day(row["first_used_on"]),
            tell("Last used"): tell.day(row["last_used_on"]),
            tell("Strava says"): tell.distance(row["strava_distance_m"]),
            tell("Difference"): difference(row["difference_m"], tell),
            tell("Cost in all"): tell.number(row["cost"], 2),
            tell("Cost"): cost(row, tell),
            tell("Cost per hour"): tell.number(row["cost_per_hour"], 2),
        }
        for row in rows
    ]


def _why(rows: Sequence[Row], page: Page) -> Why:
    """Say how the piece that went furthest came to its distance, and why Strava may count another one."""
    tell, most = page.tell, max(rows, key=lambda row: row["distance_m"])
    values = {"name": plain(most["gear_name"]), "ours": tell.distance(most["distance_m"])}
    formula = tell("**Distance = sum over the activities with the gear.**") + " "
    formula += tell.plural(
        "{name}: {ours} in {n} activity.", "{name}: {ours} in {n} activities.", most["activity_count"], **values
    )
    inputs = [
        tell(
            "Time is moving time. A cost per kilometre is the cost in `athlete.toml` by our distance, in your own "
            "currency."
        ),
        tell(
            "An activity without gear on Strava has that of the first rule in `athlete.toml` that takes it. A change "
            "of gear on Strava sends no event; the daily check brings it in."
        ),
    ]
    if most["strava_distance_m"] is not None:
        strava = tell(
            "Strava says {strava} of {name}, asked {when}. It counts activities that are not here, what was typed in "
            "with the gear, and not yet those since.",
            strava=tell.distance(most["strava_distance_m"]), name=values["name"],
            when=tell.minute(most["strava_observed_at"]),
        )  # fmt: skip
        inputs.append(strava)
    return Why(
        formula=formula, inputs=inputs, models=["gear_usage"],
        activities=contributing.with_gear(page, "distance_m", most["gear_id"]),
    )  # fmt: skip
