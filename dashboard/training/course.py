"""Fitness, fatigue and form over the days asked for and two weeks ahead."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import streamlit as st

from dashboard import charts, empty_states, form
from dashboard.card import Why, card
from dashboard.form import BANDS, FATIGUE_DAYS, FITNESS_DAYS, LOWEST, Definition, choices, explained
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.overview import load
from dashboard.page import Page
from dashboard.training import course_chart
from dashboard.trend_data import MOST_POINTS, MOST_ROWS, thinned

Shown = dict[str, Any]
AHEAD = timedelta(days=14)
A_YEAR = 400  # days, beyond which months need their year
LABEL_GAP = 0.07  # of the axis: names at the end of two lines stay apart
FORMS = {"after": N_("form is today's fitness - fatigue"), "before": N_("form is yesterday's fitness - fatigue")}
BAND_COLOURS = ("good", "good", "neutral", "accent", "bad")


def draw(page: Page, definition: Definition) -> None:
    """Draw the card; days to come only where the days asked for reach until today."""
    tell, asked = page.tell, page.filters
    last = asked.last + AHEAD if asked.last >= page.told_until else asked.last
    with card(
        page, "course", tell("Fitness, fatigue and form"), _note(definition, tell), height=course_chart.HEIGHT
    ) as opened:
        rows = opened.rows("training/days", page.athlete_id, asked.sport, asked.first, last)
        past = [row for row in rows if not row["is_forecast"]]
        if not past or not any(row["fitness"] for row in past):
            empty_states.nothing_in_filter(page, "course")
            return
        said = sentences(past, definition, tell)
        opened.why = _why(page, past, definition)
        shown = days(rows, definition, tell)
        if definition.has_both:
            st.html(_keys(tell))
        _charts(page, shown, definition, " ".join(said))
        with st.container(key="course-told"):
            st.caption(" ".join(said))
        methods = opened.rows(
            "overview/load_coverage", page.athlete_id, asked.first, asked.last, asked.sport, asked.sport
        )
        notes = [load.coverage(methods, tell)] if methods else []
        notes += [tell("dashed: two weeks ahead without training")] if len(past) < len(rows) else []
        st.caption(" · ".join(notes))
        opened.numbers(table(rows, definition, tell))


def _note(definition: Definition, tell: Teller) -> str:
    how = tell("1 ÷ days") if definition.prefix else tell("exponential")
    if definition.has_both:
        how = tell("exponential, and dotted 1 ÷ days")
    form = tell(FORMS[definition.moment])
    return tell("{slow} and {fast} days, {how}; {form}", slow=FITNESS_DAYS, fast=FATIGUE_DAYS, how=how, form=form)


def _keys(tell: Teller) -> str:
    """Return as HTML which lines are by which definition."""
    solid, dotted = tell("exponential"), tell("1 ÷ days")
    keys = f'<i class="ad-line"></i>{solid}<i class="ad-line ad-dotted"></i>{dotted}'
    return f'<small lang="{tell.language}">{keys}</small>'


def _charts(page: Page, shown: list[Shown], definition: Definition, said: str) -> None:
    tell, is_long = page.tell, len(shown) > A_YEAR
    low, high = form_limits(shown)
    names, ends = band_names(shown[-1]["day"], low, high, tell), line_names(shown, tell)
    widest = max([*names, *ends], key=lambda each: len(each["name"]))
    sets = {"rows": shown, "ends": ends, "widest": [{**widest, "fitness": 0}]}
    charts.show(
        page, "course", course_chart.averages(tell, is_long=is_long, has_other=definition.has_both), sets,
        alt=said, height=course_chart.HEIGHT,
    )  # fmt: skip
    sets = {"rows": shown, "ends": names, "widest": [widest | {"low": low}], "bands": bands(low, high)}
    charts.show(
        page, "course-form", course_chart.form(tell, low, high, is_long=is_long, has_other=definition.has_both), sets,
        alt=form_sentence(shown, tell), height=course_chart.FORM_HEIGHT,
    )  # fmt: skip


def days(rows: Sequence[Row], definition: Definition, tell: Teller) -> list[Shown]:
    """A point per day, of a long span every so many; `ago` counts back from the last day that is no forecast."""
    today = max(row["date_day"] for row in rows if not row["is_forecast"])
    kept = set(thinned([row["date_day"] for row in rows if row["date_day"] <= today], MOST_POINTS))
    chosen, prefix = [row for row in rows if row["date_day"] in kept or row["is_forecast"]], definition.prefix
    until = [*(row["date_day"] for row in chosen[1:]), chosen[-1]["date_day"] + timedelta(days=1)]
    return [
        {
            "day": row["date_day"].isoformat(),
            "shaded_until": (next_day if row["is_warming_up"] else row["date_day"]).isoformat(),
            "ago": (today - row["date_day"]).days,
            "warming": row["is_warming_up"],
            "fitness": row[f"{prefix}fitness"],
            "fatigue": row[f"{prefix}fatigue"],
            "form": row[definition.form],
            "other_fitness": row["linear_fitness"],
            "other_fatigue": row["linear_fatigue"],
            "other_form": row[definition.other.form],
            **told(row, definition, tell),
        }
        for row, next_day in zip(chosen, until, strict=True)
    ]


def told(row: Row, definition: Definition, tell: Teller) -> dict[str, str]:
    """The day's numbers as text."""
    shown = {
        "told": tell.day(row["date_day"], "long"),
        "load_told": tell.number(row["load"]),
        "fitness_told": tell.number(row[f"{definition.prefix}fitness"], 1),
        "fatigue_told": tell.number(row[f"{definition.prefix}fatigue"], 1),
        "form_told": tell.number(row[definition.form], 1, signed=True),
    }
    if definition.has_both:
        shown |= {f"other_{name}": text for name, text in told(row, definition.other, tell).items()}
    return shown


def form_limits(shown: Sequence[Shown]) -> tuple[float, float]:
    """Return where the axis of form begins and ends: beyond every value, and beyond the outer bands' borders."""
    values = [day[name] for day in shown for name in ("form", "other_form")]
    return min(-40.0, min(values) - 2), max(30.0, max(values) + 2)


def bands(low: float, high: float) -> list[Shown]:
    """The bands of form from the axis's one end to the other."""
    borders = [high, *(least for least, _ in BANDS), low]
    spans = zip(pairwise(borders), BAND_COLOURS, strict=True)
    return [{"low": below, "high": above, "series": series} for (above, below), series in spans]


def band_names(day: str, low: float, high: float, tell: Teller) -> list[Shown]:
    """The bands' names at the right, in the middle of each."""
    words = [*(word for _, word in BANDS), LOWEST]
    return [
        {"day": day, "low": (band["low"] + band["high"]) / 2, "series": "neutral", "name": tell(word)}
        for band, word in zip(bands(low, high), words, strict=True)
    ]


def line_names(shown: Sequence[Shown], tell: Teller) -> list[Shown]:
    """The lines' names where they end, with today's value, pushed apart."""
    today, last = next(day for day in reversed(shown) if day["ago"] >= 0), shown[-1]
    gap = LABEL_GAP * max(max(day["fitness"], day["fatigue"]) for day in shown)
    ends = sorted(((last[name], name) for name in ("fitness", "fatigue")), key=lambda end: end[0])
    at = {ends[0][1]: ends[0][0], ends[1][1]: max(ends[1][0], ends[0][0] + gap)}
    titles = {"fitness": tell("Fitness"), "fatigue": tell("Fatigue")}
    return [
        {
            "day": last["day"],
            "fitness": at[name],
            "series": "fitness" if name == "fitness" else "neutral",  # pink is too pale for text by day
            "name": f"{title} {tell.number(today[name])}",
        }
        for name, title in titles.items()
    ]


def sentences(past: Sequence[Row], definition: Definition, tell: Teller) -> list[str]:
    """Say the last day's state, between which values fitness was, and whether it still builds up."""
    column, now = f"{definition.prefix}fitness", past[-1]
    low, high = (edge(past, key=lambda row: row[column]) for edge in (min, max))
    said = [
        tell(
            "Fitness {fitness}, fatigue {fatigue} and form {form} on {day}.",
            fitness=tell.number(now[column], 1), fatigue=tell.number(now[f"{definition.prefix}fatigue"], 1),
            form=tell.number(now[definition.form], 1, signed=True), day=tell.day(now["date_day"]),
        ),
        tell(
            "Fitness was lowest on {low_day}, {low}, and highest on {high_day}, {high}.",
            low=tell.number(low[column], 1), low_day=tell.day(low["date_day"]),
            high=tell.number(high[column], 1), high_day=tell.day(high["date_day"]),
        ),
    ]  # fmt: skip
    if any(row["is_warming_up"] for row in past):
        said.append(tell("The first 42 days are shaded: fitness is still building up from zero."))
    return said


def form_sentence(shown: Sequence[Shown], tell: Teller) -> str:
    """Say between which values form was, and where two weeks of rest lead."""
    past = [day for day in shown if day["ago"] >= 0]
    low, high = (edge(past, key=lambda day: day["form"]) for edge in (min, max))
    said = tell(
        "Form was between {low} on {low_day} and {high} on {high_day}.",
        low=low["form_told"], low_day=low["told"], high=high["form_told"], high_day=high["told"],
    )  # fmt: skip
    if shown[-1]["ago"] < 0:
        said += " " + tell(
            "Without training it would be {form} on {day}.", form=shown[-1]["form_told"], day=shown[-1]["told"]
        )
    return said


def table(rows: Sequence[Row], definition: Definition, tell: Teller) -> list[Shown]:
    """The numbers behind both charts, newest first: of a long span every so many days."""
    by_day: dict[date, Row] = {row["date_day"]: row for row in rows}
    titles = course_chart.titles(tell, has_other=definition.has_both)
    shown = (told(by_day[day], definition, tell) for day in reversed(thinned(sorted(by_day), MOST_ROWS)))
    return [{title: each[name] for name, title in titles.items()} for each in shown]


def _why(page: Page, past: Sequence[Row], definition: Definition) -> Why:
    tell, now, share = page.tell, past[-1], definition.share(FITNESS_DAYS)
    fitness = now[f"{definition.prefix}fitness"]
    before = (fitness - share * now["load"]) / (1 - share)  # its day need not be among those asked for
    return Why(
        formula=tell(
            "**Fitness = the day before + share · (load - the day before)**: {before} + {share} · ({load} - {before}) "
            "= {fitness} on {day}; fatigue is the same over {fast} days, and {form}.",
            before=tell.number(before, 1), share=tell.number(share, 4), load=tell.number(now["load"]),
            fitness=tell.number(fitness, 1), day=tell.day(now["date_day"]), fast=FATIGUE_DAYS,
            form=tell(FORMS[definition.moment]),
        ),
        choices=lambda: choices(tell),
        inputs=[
            explained(definition, tell),
            *([explained(definition.other, tell)] if definition.has_both else []),
            tell("Bands and their names are for reading only; nothing of physiology is proven by them."),
        ],
        models=["training_load_daily", "fct_activities"],
        activities=form.heaviest(page, now, FITNESS_DAYS),
    )  # fmt: skip
