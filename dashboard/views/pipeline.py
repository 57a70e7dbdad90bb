"""The Pipeline page: is everything here, how fast does it arrive, and does anything wait for a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import empty_states, formatting
from dashboard.context import PageContext
from dashboard.mart import Row, in_utc

# https://developers.strava.com/docs/webhooks/ has `event_time` as a Unix time without a fraction.
WHOLE_SECONDS = "Strava tells times in whole seconds, so each of these may be up to 1 s too long."
WINDOWS = {1: ("24h", "last 24 hours"), 30: ("30d", "last 30 days")}  # days: key, words
QUANTILES = {"p50": "Half were faster", "p95": "19 of 20 were faster"}


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
    _verdict(context, health)
    _history(context, health)
    if health["last_event_finished_at"] is None:
        empty_states.info("empty-no-events", empty_states.NO_EVENTS)
    _section("Freshness", freshness(context, health), columns=3)
    measured = context.mart.rows("pipeline_latency", health["athlete_id"])
    _section("From the save on Strava to the webhook", latencies(measured, "save_to_heard"), note=WHOLE_SECONDS)
    _section("From the webhook to the warehouse", latencies(measured, "heard_to_raw"))
    _section("From the webhook to the charts", latencies(measured, "heard_to_chart"))
    _section("What is stored", stored(health))
    _section("What waits", waiting(health))


def verdict(context: PageContext, health: Row) -> str:
    """Say whether the warehouse holds what Strava holds, and what stands in the way of knowing it."""
    return "\n\n".join(filter(None, [_checked(context, health), _not_checked(context, health)]))


def _checked(context: PageContext, health: Row) -> str:
    """Tell the last comparison of the whole list."""
    if health["reconcile_verdict"] is None:
        never = "**Not checked yet.** `athlete up` compares Strava's list with the warehouse once a day; "
        return "" if health["cut_short_at"] else never + "`athlete daily` does it now."
    ours, theirs = health["reconcile_warehouse_count"], health["reconcile_strava_count"]
    counts = f"Strava {theirs:,} {'=' if ours == theirs else '≠'} warehouse {ours:,}"
    found = ", ".join(f"{health[f'{kind}_count']:,} {kind}" for kind in ("missing", "extra", "changed", "repaired"))
    word = {"guarded": "Waits for your word"}.get(health["reconcile_verdict"], health["reconcile_verdict"].capitalize())
    told = [f"**{word}.** {counts}, checked {_at(context, health, 'last_reconciled_at')}: {found}."]
    if health["reconcile_verdict"] != "complete":
        told += [health["reconcile_reason"] or "", _since(context, health)]
    return " ".join(filter(None, [*told, "" if health["cut_short_at"] else _again(context, health)]))


def _not_checked(context: PageContext, health: Row) -> str:
    """Tell of a later check that could not read the whole list."""
    if health["cut_short_at"] is None:
        return ""
    told = f"**Not checked** {_at(context, health, 'cut_short_at')}. {health['cut_short_reason']}"
    return " ".join(filter(None, [told, _again(context, health)]))


def _since(context: PageContext, health: Row) -> str:
    if health["last_complete_at"] is None:
        return "It was never complete so far."
    return f"It was complete the last time {_at(context, health, 'last_complete_at')}."


def _again(context: PageContext, health: Row) -> str:
    if health["reconcile_retry_at"] is None:
        return ""
    return f"It can go on from {_at(context, health, 'reconcile_retry_at')}."


def _at(context: PageContext, health: Row, column: str) -> str:
    return formatting.moment(in_utc(health[column]), context.zone)


def history(context: PageContext, health: Row, backfill: Row) -> str:
    """Say how far the loading of the history is, and when it will be done."""
    details = f"{health['detailed_count']:,} of {health['activity_count']:,} details"
    if not backfill["has_details"]:
        details = f"{health['activity_count']:,} activities"
    if backfill["has_streams"]:
        details += f", {backfill['streamed_count']:,} with streams"
    if backfill["finished_at"] is not None:
        return (
            f"**History loaded.** {details}, since {formatting.moment(in_utc(backfill['finished_at']), context.zone)}."
        )
    if backfill["started_at"] is None:
        return "**The history waits** for the worker to take it up."
    if backfill["listed_at"] is None:
        how_far = f"{backfill['listed_count']:,} activities listed so far."
    else:
        how_far = f"{details}{_when(context, backfill['expected_at'], ', done ')}."
    if backfill["waits_because"]:
        how_far += f"{_when(context, backfill['waits_until'], ' It goes on ')}: {backfill['waits_because']}"
    return f"**The history is being loaded.** {how_far}"


def freshness(context: PageContext, health: Row) -> list[Number]:
    """When Strava was last heard, and when the marts were last built."""
    outcome = health["last_event_outcome"] or "none yet"
    shown = (
        ("last_event_at", "Last event", "When the newest event was saved on Strava, to the second."),
        ("last_event_finished_at", "Last event done", f"When its delivery was dealt with; outcome: {outcome}."),
        ("last_transform_started_at", "Last transform", "What was stored by then is in the charts, nothing newer."),
    )
    return [_moment(context, health, *number) for number in shown]


def latencies(measured: Sequence[Row], stage: str) -> list[Number]:
    """How long events took over a stage: the usual and the slow case, lately and over a month."""
    rows = {row["window_days"]: row for row in measured if row["stage"] == stage}
    return [
        Number(
            f"{stage}-{quantile}-{short}".replace("_", "-"),
            f"{quantile}, {span}",
            formatting.latency(rows[days][f"{quantile}_s"] if days in rows else None),
            f"{faster} ({_events(rows.get(days), stage)}).",
        )
        for days, (short, span) in WINDOWS.items()
        for quantile, faster in QUANTILES.items()
    ]


def stored(health: Row) -> list[Number]:
    """How many activities there are, and how completely each is known."""
    return [
        _count(health, "activity", "Activities", "Living on Strava, as far as we heard."),
        _count(health, "detailed", "Detailed", "Of these, with laps, splits and best efforts."),
        _count(health, "summary", "Summary only", "Of these, with totals but no detail so far."),
        _count(health, "deleted", "Deleted", "Gone on Strava; only their ids are kept."),
    ]


def waiting(health: Row) -> list[Number]:
    """What has not found its end yet."""
    return [
        _count(health, "parked_event", "Parked events", "Given up on; `athlete events --outcome parked` tells why."),
        _count(health, "deferred_event", "Deferred events", "Tried, and will be tried again."),
        _count(
            health,
            "unassigned_parked_event",
            "Parked, no athlete",
            "Not readable, or of no connected athlete.",
        ),
    ]


def _verdict(context: PageContext, health: Row) -> None:
    box = {None: st.info, "complete": st.success}.get(health["reconcile_verdict"], st.warning)
    if health["cut_short_at"] is not None:
        box = st.warning
    with st.container(key="pipeline-verdict"):
        box(verdict(context, health))


def _history(context: PageContext, health: Row) -> None:
    for backfill in context.mart.rows("backfill_status", health["athlete_id"]):
        with st.container(key="pipeline-history"):
            (st.caption if backfill["finished_at"] is not None else st.info)(history(context, health, backfill))


def _when(context: PageContext, at: Any, before: str) -> str:
    return "" if at is None else before + formatting.about(in_utc(at), context.now(), context.zone)


def _section(title: str, numbers: Sequence[Number], columns: int = 4, note: str | None = None) -> None:
    st.subheader(title)
    if note:
        st.caption(note)
    for column, number in zip(st.columns(columns), numbers, strict=False):
        with column, st.container(border=True, key=f"pipeline-{number.key}", height="stretch"):
            st.metric(number.title, number.value)
            st.caption(number.meaning)


def _moment(context: PageContext, health: Row, column: str, title: str, meaning: str) -> Number:
    at = None if health[column] is None else in_utc(health[column])
    return Number(column.removesuffix("_at").replace("_", "-"), title, formatting.moment(at, context.zone), meaning)


def _count(health: Row, thing: str, title: str, meaning: str) -> Number:
    return Number(f"{thing.replace('_', '-')}-count", title, formatting.count(health[f"{thing}_count"]), meaning)


def _events(row: Row | None, stage: str) -> str:
    number = row["event_count"] if row else 0
    waiting = row["not_on_chart_count"] if row and stage == "heard_to_chart" else 0
    return f"{number:,} event{'' if number == 1 else 's'}" + (f", {waiting:,} not on a chart yet" if waiting else "")
