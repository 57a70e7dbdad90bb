"""The Pipeline page: is everything here, how fast does it arrive, and does anything wait for a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import charts, empty_states, import_reasons, import_report, latency_course, pipeline_status, pipeline_why
from dashboard.card import Card, Why, card, tile
from dashboard.formatting import Teller, plain, small
from dashboard.languages import N_
from dashboard.mart import Row, Rows
from dashboard.page import Page

# https://developers.strava.com/docs/webhooks/ has `event_time` as a Unix time without a fraction.
WHOLE_SECONDS = N_("Strava tells times in whole seconds, so what is measured from the save may be up to 1 s too long.")
STAGES = {
    "save_to_heard": N_("Save on Strava to webhook"),
    "heard_to_raw": N_("Webhook to warehouse"),
    "heard_to_chart": N_("Webhook to charts"),
    "save_to_chart": N_("Save on Strava to charts"),
}
COURSES = {"hour": N_("Last 24 hours"), "day": N_("Last 30 days")}
FEW = 20  # of fewer events the 95th percentile is the slowest
COURSE_HEIGHT = 260
MOMENT_WIDTH = 290  # pixels in which a moment with its zone is not cut


@dataclass(frozen=True, slots=True)
class Number:
    """A number as shown: `key` is its hook for tests, `meaning` the line beneath it, `rows` what it is read from.

    `model` is dbt's name of their mart, `notes` what else there is to say of it.
    """

    key: str
    title: str
    value: str
    meaning: str
    rows: Rows
    model: str = "pipeline_health"
    notes: Sequence[str] = ()


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    health, tell = page.health, page.tell
    _verdict(health, tell)
    _warnings(page)
    for backfill in page.rows("backfill_status", page.athlete_id):
        with st.container(key="pipeline-history"):
            is_done = backfill["finished_at"] is not None
            (st.caption if is_done else st.info)(pipeline_status.history(health, backfill, page.done, tell))
    if health["last_event_finished_at"] is None:
        empty_states.info("empty-no-events", tell(empty_states.NO_EVENTS))
    asked = st.query_params.get("import", "")
    imports = page.rows("imports", page.athlete_id, asked, page.athlete_id)
    is_asked_for = any(row["import_id"] == asked for row in imports)
    if is_asked_for:
        _imports(page, imports, asked)
    measured = page.rows("pipeline_latency", page.athlete_id)
    _numbers(page, tiles(page, measured, page.rows("rate_budget")))
    _numbers(page, freshness(page), columns=3, narrowest=MOMENT_WIDTH)
    with card(
        page, "course", tell("From the save on Strava to the chart"), tell("seconds"), height=COURSE_HEIGHT
    ) as opened:
        _course(page, opened)
    left, right = st.columns(2, gap="small")
    with left, card(page, "waits", tell("What waits, and why")) as opened:
        _waits(page, opened)
    with right, card(page, "budget", tell("Strava's limits")) as opened:
        _budget(page, opened)
    if not is_asked_for:
        _imports(page, imports, imports[0]["import_id"] if imports else "")
    _runs(page)
    _numbers(page, stored(page))
    _purges(page)


def tiles(page: Page, measured: Rows, budget: Rows) -> list[Number]:
    """The usual and the slow case of the last day, how much waits, and how many calls are left."""
    tell, health = page.tell, page.health
    row = next((row for row in measured if (row["stage"], row["window_days"]) == ("save_to_chart", 1)), None)
    no_event = tell("No event in the last 24 hours.")
    half = tell("Half were faster in the last 24 hours ({events}).", events=_events(row, tell))
    most = tell("19 of 20 were faster ({events}).", events=_events(row, tell))
    left, what = pipeline_status.calls_left(health, budget, tell)
    how = tell(WHOLE_SECONDS)
    return [
        Number(
            "save-to-chart-p50-24h", tell("Save to chart, p50"), tell.latency(row["p50_s"] if row else None),
            half if row else no_event, measured, "pipeline_latency", [how],
        ),
        Number(
            "save-to-chart-p95-24h", tell("Save to chart, p95"), tell.latency(row["p95_s"] if row else None),
            most if row else no_event, measured, "pipeline_latency", [how],
        ),
        Number(
            "waiting-count", tell("Waiting"), tell.number(health["waiting_event_count"]),
            tell("Events queued, deferred or parked; see below."), of_athlete(page),
        ),
        Number("calls-left", tell("Calls left"), tell.number(left), what, budget, "rate_budget"),
    ]  # fmt: skip


def freshness(page: Page) -> list[Number]:
    """When Strava was last heard, and when the marts were last built."""
    tell, health, rows = page.tell, page.health, of_athlete(page)
    code = health["last_event_outcome"] or ""
    outcome = tell(pipeline_status.OUTCOMES.get(code, code) or N_("none yet"))
    return [
        Number(
            "last-event", tell("Last event"), plain(tell.moment(health["last_event_at"])),
            tell("When the newest event was saved on Strava, to the second."), rows,
        ),
        Number(
            "last-event-finished", tell("Last event done"), plain(tell.moment(health["last_event_finished_at"])),
            tell("When its delivery was dealt with; outcome: {outcome}.", outcome=outcome), rows,
        ),
        Number(
            "last-transform-started", tell("Last transform"), plain(tell.moment(health["last_transform_started_at"])),
            tell("What was stored by then is in the charts, nothing newer."), rows,
        ),
    ]  # fmt: skip


def stages(measured: Sequence[Row], tell: Teller) -> list[dict[str, str]]:
    """One row of the table per stage of the way: the usual and the slow case, lately and over a month."""
    rows = {(row["stage"], row["window_days"]): row for row in measured}
    return [
        {
            tell("Stage"): tell(title),
            **{
                f"{quantile}, {span}": tell.latency(
                    rows[stage, days][f"{quantile}_s"] if (stage, days) in rows else None
                )
                for days, span in ((1, "24 h"), (30, "30 d"))
                for quantile in ("p50", "p95")
            },
            tell("Events, 30 d"): _events(rows.get((stage, 30)), tell),
        }
        for stage, title in STAGES.items()
    ]


def of_athlete(page: Page) -> Rows:
    """Return the athlete's row of `pipeline_health` alone; those of others are nobody's to download."""
    everyone = page.rows("pipeline_health")
    own = Rows([page.health], query=everyone.query, statement=everyone.statement, parameters=())
    own.milliseconds, own.scanned_bytes = everyone.milliseconds, everyone.scanned_bytes
    return own


def stored(page: Page) -> list[Number]:
    """How many activities there are, and how completely each is known."""
    tell, health, rows = page.tell, page.health, of_athlete(page)
    living, detailed = (
        tell("Living on Strava, as far as we heard."),
        tell("Of these, with laps, splits and best efforts."),
    )
    summary, deleted = (
        tell("Of these, with totals but no detail so far."),
        tell("Gone on Strava; only their ids are kept."),
    )
    return [
        Number("activity-count", tell("Activities"), tell.number(health["activity_count"]), living, rows),
        Number("detailed-count", tell("Detailed"), tell.number(health["detailed_count"]), detailed, rows),
        Number("summary-count", tell("Summary only"), tell.number(health["summary_count"]), summary, rows),
        Number("deleted-count", tell("Deleted"), tell.number(health["deleted_count"]), deleted, rows),
    ]


def _verdict(health: Row, tell: Teller) -> None:
    box = {None: st.info, "complete": st.success}.get(health["reconcile_verdict"], st.error)
    if health["cut_short_at"] is not None and health["reconcile_verdict"] in {None, "complete"}:
        box = st.warning
    with st.container(key="pipeline-verdict"):
        box(pipeline_status.verdict(health, tell))


def _warnings(page: Page) -> None:
    if refused := pipeline_status.refusal(page.health, page.tell):
        empty_states.warning("pipeline-refusal", refused)
    for who, told in pipeline_status.statuses(page.visible, page.tell):
        empty_states.warning(f"pipeline-status-{who}", told)


def _course(page: Page, opened: Card) -> None:
    tell = page.tell
    measured = opened.rows("pipeline_latency", page.athlete_id)
    opened.why = Why(
        formula=tell(
            "An event is measured from the save, as Strava tells it, to the end of the first build that holds it. Of "
            "each hour or day, half of the events took at most p50, 19 of 20 at most p95."
        ),
        inputs=[tell(WHOLE_SECONDS)],
        models=["pipeline_latency_course", "event_latency"],
    )
    if not measured:
        st.caption(tell("No event has been measured in the last 30 days."))
        return
    kind = st.segmented_control(
        tell("Time"), list(COURSES), default="hour", required=True, key="course", label_visibility="collapsed",
        format_func=lambda one: tell(COURSES[one]),
    )  # fmt: skip
    rows = opened.rows("pipeline_latency_course", page.athlete_id, kind)
    with st.container(key="pipeline-course"):
        if rows:
            found = latency_course.points(rows, str(kind), tell)
            charts.show(
                page, "course", latency_course.chart(found, str(kind), page.now, tell), found,
                alt=_finding(rows, str(kind), tell), height=COURSE_HEIGHT,
            )  # fmt: skip
            if any(row["event_count"] < FEW for row in rows):
                few = tell("Of fewer than {n} events in one hour or day, p95 is the slowest.", n=FEW)
                st.caption(f"{few} {tell(WHOLE_SECONDS)}")
            opened.numbers(latency_course.table(found, str(kind), tell))
        else:
            st.caption(
                tell("No event reached the warehouse in the last 24 hours. Pick 30 days to see what came before.")
            )
    with st.container(key="pipeline-stages"):
        st.dataframe(stages(measured, tell), hide_index=True)


def _finding(rows: Sequence[Row], kind: str, tell: Teller) -> str:
    slowest = max(row["p95_s"] for row in rows)
    told = {"newest": tell.latency(rows[-1]["p50_s"]), "slowest": tell.latency(slowest)}
    if kind == "hour":
        return tell(
            "From the save to the chart, half took at most {newest} in the newest hour with events; in the slowest "
            "hour 19 of 20 took at most {slowest}.",
            **told,
        )
    return tell(
        "From the save to the chart, half took at most {newest} on the newest day with events; on the slowest day "
        "19 of 20 took at most {slowest}.",
        **told,
    )


def _waits(page: Page, opened: Card) -> None:
    rows = opened.rows("waiting_events", page.athlete_id)
    opened.why = pipeline_why.waits(page.health, rows, page.tell)
    told = pipeline_status.waits(page.health, rows, page.tell)
    with st.container(key="pipeline-waits"):
        if not told:
            st.caption(page.tell("Nothing waits: every event that was heard is settled."))
        for each in told:
            st.markdown(each)


def _budget(page: Page, opened: Card) -> None:
    tell, health = page.tell, page.health
    budget = opened.rows("rate_budget")
    opened.why = pipeline_why.budget(budget, tell)
    with st.container(key="pipeline-budget"):
        if not budget:
            st.caption(tell("Nothing is known of Strava's limits yet: the first answer from Strava tells them."))
            return
        st.dataframe(pipeline_status.limits(budget, tell), hide_index=True)
        as_of = tell(
            "As read {when}. Told within the hour, and at once when calls get scarce.",
            when=tell.minute(health["reading_at"]),
        )
        st.caption(" ".join(filter(None, [as_of, pipeline_status.waiting_calls(health, tell)])))


def _imports(page: Page, rows: Rows, chosen: str) -> None:
    """Draw the imports, the chosen one first, with what could not be read and what has a twin."""
    tell = page.tell
    with card(page, "imports", tell("Imports of your own files"), queries=[rows]) as opened:
        opened.why = import_report.why(rows, tell)
        if not rows:
            st.caption(
                tell("No import yet. `athlete import export_12345.zip` brings in Strava's export, or recordings.")
            )
        for row in sorted(rows, key=lambda each: each["import_id"] != chosen):
            with st.container(key=f"import-{row['import_id']}", gap="xxsmall"):
                st.html(import_report.head(row, tell))
                if running := import_report.progress(row, tell):
                    st.progress(*running)
                if row["reason"]:
                    st.markdown(plain(import_reasons.because(row["reason"], tell)))
                for line in import_report.counts(row, tell):
                    st.caption(line)
                if row["import_id"] == chosen:
                    _import_items(page, opened.rows("import_items", *[page.athlete_id, chosen] * 2))


def _import_items(page: Page, rows: Rows) -> None:
    if rows:
        with st.container(key="import-items", gap="xxsmall"):
            st.dataframe(import_report.items(rows, page.tell), hide_index=True)
            if (more := rows[0]["item_count"] - len(rows)) > 0:
                st.caption(page.tell.plural("{n} more", "{n} more", more))


def _runs(page: Page) -> None:
    tell = page.tell
    for kind, title, nothing in (
        (
            "daily",
            tell("Last daily checks"),
            tell("No check yet. `athlete up` runs one a day; `athlete daily` runs one now."),
        ),
        ("transform", tell("Last transforms"), tell("This page is of the first one; the next build tells of it.")),
    ):
        with card(page, f"runs-{kind}", title) as opened, st.container(key=f"pipeline-runs-{kind}"):
            rows = opened.rows("pipeline_runs", page.athlete_id)
            opened.why = pipeline_why.runs(kind, page.health, rows, tell)
            if shown := pipeline_status.runs(rows, kind, tell):
                st.dataframe(shown, hide_index=True, column_config=_run_columns(tell))
            else:
                st.caption(nothing)


def _run_columns(tell: Teller) -> dict[str, Any]:
    widths = {tell("When"): 150, tell("How long"): 90, tell("Result"): 150}  # the reason has what the others leave
    return {name: st.column_config.TextColumn(width=width) for name, width in widths.items()} | {
        tell("Reason"): st.column_config.TextColumn(width="large")
    }


def _purges(page: Page) -> None:
    tell = page.tell
    rows = page.rows("purge_receipts")
    if rows:
        with card(page, "purges", tell("Athletes who were removed"), queries=[rows]) as opened:
            opened.why = pipeline_why.purges(rows, tell)
            st.caption(tell("When, and how many rows. Whose they were cannot be read from a receipt."))
            with st.container(key="pipeline-purges"):
                st.dataframe(pipeline_status.receipts(rows, tell), hide_index=True)


def _numbers(page: Page, numbers: Sequence[Number], columns: int = 4, narrowest: int = 150) -> None:
    with st.grid(columns, min_column_width=narrowest, gap="small"):
        for number in numbers:
            formula = f"**{number.title} = {number.value}**. {number.meaning}"
            why = Why(formula=formula, models=[number.model], inputs=number.notes)
            with tile(page, f"pipeline-{number.key}", why, [number.rows]):
                st.metric(number.title, small(number.value))
                st.caption(number.meaning)


def _events(row: Row | None, tell: Teller) -> str:
    told = tell.plural("{n} event", "{n} events", row["event_count"] if row else 0)
    late = row["not_on_chart_count"] if row else 0
    return told + (tell(", {n} not on a chart yet", n=tell.number(late)) if late else "")
