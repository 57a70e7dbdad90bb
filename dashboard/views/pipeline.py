"""The Pipeline page: is everything here, how fast does it arrive, and does anything wait for a person."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import chart_data, charts, empty_states, formatting, pipeline_status
from dashboard.context import PageContext
from dashboard.mart import Row, in_utc
from dashboard.pipeline_status import Teller

# https://developers.strava.com/docs/webhooks/ has `event_time` as a Unix time without a fraction.
WHOLE_SECONDS = "Strava tells times in whole seconds, so what is measured from the save may be up to 1 s too long."
STAGES = {
    "save_to_heard": "Save on Strava to webhook",
    "heard_to_raw": "Webhook to warehouse",
    "heard_to_chart": "Webhook to charts",
    "save_to_chart": "Save on Strava to charts",
}
COURSES = {"Last 24 hours": "hour", "Last 30 days": "day"}
RUN_COLUMNS = {  # the reason has what the others leave
    "When": st.column_config.TextColumn(width=140),
    "How long": st.column_config.TextColumn(width=80),
    "Result": st.column_config.TextColumn(width=140),
    "Why": st.column_config.TextColumn(width="large"),
}
FEW = 20  # of fewer events the 95th percentile is the slowest


@dataclass(frozen=True, slots=True)
class Number:
    """A number as shown: `key` is its hook for tests, `meaning` the line beneath it."""

    key: str
    title: str
    value: str
    meaning: str


def show(context: PageContext, health: Row) -> None:
    """Draw the page for one athlete."""
    st.title("Pipeline")
    tell = Teller(now=context.now(), zone=context.zone)
    athlete_id = health["athlete_id"]
    _verdict(health, tell)
    _warnings(context, health, tell)
    for backfill in context.mart.rows("backfill_status", athlete_id):
        with st.container(key="pipeline-history"):
            is_done = backfill["finished_at"] is not None
            (st.caption if is_done else st.info)(pipeline_status.history(health, backfill, tell))
    if health["last_event_finished_at"] is None:
        empty_states.info("empty-no-events", empty_states.NO_EVENTS)
    measured = context.mart.rows("pipeline_latency", athlete_id)
    budget = context.mart.rows("rate_budget")
    _numbers(tiles(health, measured, budget, tell))
    _section("Freshness", freshness(context, health), columns=3)
    _course(context, athlete_id, measured)
    _waits(context, health, tell)
    _budget(budget, health, tell)
    _runs(context, athlete_id, tell)
    _section("What is stored", stored(health))
    _purges(context, tell)


def tiles(health: Row, measured: Sequence[Row], budget: Sequence[Row], tell: Teller) -> list[Number]:
    """The usual and the slow case of the last day, how much waits, and how many calls are left."""
    row = next((row for row in measured if (row["stage"], row["window_days"]) == ("save_to_chart", 1)), None)
    no_event = "No event in the last 24 hours."
    left, what = pipeline_status.calls_left(health, budget, tell)
    return [
        Number(
            "save-to-chart-p50-24h", "Save to chart, p50", formatting.latency(row["p50_s"] if row else None),
            f"Half were faster in the last 24 hours ({_events(row)})." if row else no_event,
        ),
        Number(
            "save-to-chart-p95-24h", "Save to chart, p95", formatting.latency(row["p95_s"] if row else None),
            f"19 of 20 were faster ({_events(row)})." if row else no_event,
        ),
        Number(
            "waiting-count", "Waiting", formatting.count(health["waiting_event_count"]),
            "Events queued, deferred or parked; see below.",
        ),
        Number("calls-left", "Calls left", formatting.NOTHING if left is None else formatting.count(left), what),
    ]  # fmt: skip


def freshness(context: PageContext, health: Row) -> list[Number]:
    """When Strava was last heard, and when the marts were last built."""
    outcome = health["last_event_outcome"] or "none yet"
    shown = (
        ("last_event_at", "Last event", "When the newest event was saved on Strava, to the second."),
        ("last_event_finished_at", "Last event done", f"When its delivery was dealt with; outcome: {outcome}."),
        ("last_transform_started_at", "Last transform", "What was stored by then is in the charts, nothing newer."),
    )
    return [_moment(context, health, *number) for number in shown]


def stages(measured: Sequence[Row]) -> list[dict[str, str]]:
    """One row of the table per stage of the way: the usual and the slow case, lately and over a month."""
    rows = {(row["stage"], row["window_days"]): row for row in measured}
    return [
        {
            "Stage": title,
            **{
                f"{quantile}, {span}": formatting.latency(
                    rows[stage, days][f"{quantile}_s"] if (stage, days) in rows else None
                )
                for days, span in ((1, "24 h"), (30, "30 d"))
                for quantile in ("p50", "p95")
            },
            "Events, 30 d": _events(rows.get((stage, 30))),
        }
        for stage, title in STAGES.items()
    ]


def stored(health: Row) -> list[Number]:
    """How many activities there are, and how completely each is known."""
    return [
        _count(health, "activity", "Activities", "Living on Strava, as far as we heard."),
        _count(health, "detailed", "Detailed", "Of these, with laps, splits and best efforts."),
        _count(health, "summary", "Summary only", "Of these, with totals but no detail so far."),
        _count(health, "deleted", "Deleted", "Gone on Strava; only their ids are kept."),
    ]


def _verdict(health: Row, tell: Teller) -> None:
    box = {None: st.info, "complete": st.success}.get(health["reconcile_verdict"], st.error)
    if health["cut_short_at"] is not None and health["reconcile_verdict"] in {None, "complete"}:
        box = st.warning
    with st.container(key="pipeline-verdict"):
        box(pipeline_status.verdict(health, tell))


def _warnings(context: PageContext, health: Row, tell: Teller) -> None:
    if refused := pipeline_status.refusal(health, tell):
        empty_states.warning("pipeline-refusal", refused)
    for who, told in pipeline_status.statuses(context.mart.rows("pipeline_health"), tell):
        empty_states.warning(f"pipeline-status-{who}", told)


def _course(context: PageContext, athlete_id: int, measured: Sequence[Row]) -> None:
    st.subheader("From the save on Strava to the chart")
    if not measured:
        st.caption("No event has been measured in the last 30 days.")
        return
    picked = st.segmented_control("Time", list(COURSES), default="Last 24 hours", required=True, key="course")
    kind = COURSES[str(picked)]
    rows = context.mart.rows("pipeline_latency_course", athlete_id, kind)
    with st.container(key="pipeline-course"):
        if rows:
            frame = chart_data.course(rows, kind, context.zone)
            st.altair_chart(charts.course(frame, kind, context.now()), alt=_finding(rows, kind))
            if any(row["event_count"] < FEW for row in rows):
                st.caption(f"Of fewer than {FEW} events in one {kind}, p95 is the slowest. {WHOLE_SECONDS}")
            with st.expander("The numbers behind the chart"):
                st.dataframe(chart_data.course_table(frame, kind), hide_index=True)
        else:
            st.caption("No event reached the warehouse in the last 24 hours. Pick 30 days to see what came before.")
    with st.container(key="pipeline-stages"):
        st.dataframe(stages(measured), hide_index=True)


def _finding(rows: Sequence[Row], kind: str) -> str:
    slowest = max(rows, key=lambda row: row["p95_s"])
    return (
        f"Seconds from the save to the chart by {kind}: half within {formatting.latency(rows[-1]['p50_s'])} in the "
        f"newest {kind} with events; the slowest {kind} had 19 of 20 within {formatting.latency(slowest['p95_s'])}."
    )


def _waits(context: PageContext, health: Row, tell: Teller) -> None:
    st.subheader("What waits, and why")
    told = pipeline_status.waits(health, context.mart.rows("waiting_events", health["athlete_id"]), tell)
    with st.container(key="pipeline-waits"):
        if not told:
            st.caption("Nothing waits: every event that was heard is settled.")
        for each in told:
            with st.container(border=True):
                st.markdown(each)


def _budget(budget: Sequence[Row], health: Row, tell: Teller) -> None:
    st.subheader("Strava's limits")
    with st.container(key="pipeline-budget"):
        if not budget:
            st.caption("Nothing is known of Strava's limits yet: the first answer from Strava tells them.")
            return
        whole = dict.fromkeys(("Used", "Of", "Left"), st.column_config.NumberColumn(format="localized", width=80))
        st.dataframe(pipeline_status.limits(budget, tell), hide_index=True, column_config=whole)
        as_of = f"As read {tell.at(health['reading_at'])}. Told within the hour, and at once when calls get scarce."
        st.caption(" ".join(filter(None, [as_of, pipeline_status.waiting_calls(health)])))


def _runs(context: PageContext, athlete_id: int, tell: Teller) -> None:
    rows = context.mart.rows("pipeline_runs", athlete_id)
    for kind, title, nothing in (
        ("daily", "Last daily checks", "No check yet. `athlete up` runs one a day; `athlete daily` runs one now."),
        ("transform", "Last transforms", "This page is of the first one; the next build tells of it."),
    ):
        st.subheader(title)
        with st.container(key=f"pipeline-runs-{kind}"):
            if shown := pipeline_status.runs(rows, kind, tell):
                st.dataframe(shown, hide_index=True, column_config=RUN_COLUMNS)
            else:
                st.caption(nothing)


def _purges(context: PageContext, tell: Teller) -> None:
    rows = context.mart.rows("purge_receipts")
    if rows:
        st.subheader("Athletes who were removed")
        st.caption("When, and how many rows. Whose they were cannot be read from a receipt.")
        with st.container(key="pipeline-purges"):
            st.dataframe(pipeline_status.receipts(rows, tell), hide_index=True)


def _section(title: str, numbers: Sequence[Number], columns: int = 4) -> None:
    st.subheader(title)
    _numbers(numbers, columns)


def _numbers(numbers: Sequence[Number], columns: int = 4) -> None:
    for column, number in zip(st.columns(columns), numbers, strict=False):
        with column, st.container(border=True, key=f"pipeline-{number.key}", height="stretch"):
            st.metric(number.title, number.value)
            st.caption(number.meaning)


def _moment(context: PageContext, health: Row, column: str, title: str, meaning: str) -> Number:
    at = None if health[column] is None else in_utc(health[column])
    return Number(column.removesuffix("_at").replace("_", "-"), title, formatting.moment(at, context.zone), meaning)


def _count(health: Row, thing: str, title: str, meaning: str) -> Number:
    return Number(f"{thing.replace('_', '-')}-count", title, formatting.count(health[f"{thing}_count"]), meaning)


def _events(row: Row | None) -> str:
    number = row["event_count"] if row else 0
    late = row["not_on_chart_count"] if row else 0
    return f"{number:,} event{'' if number == 1 else 's'}" + (f", {late:,} not on a chart yet" if late else "")
