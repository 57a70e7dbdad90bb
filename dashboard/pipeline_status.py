"""What the Pipeline page says in words: pure, so that it can be checked without a browser."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from backends.warehouse.reconciliations import compared_counts
from dashboard import formatting
from dashboard.mart import Row, in_utc

LIMITS = {
    "read_quarter": "Reads in a quarter hour",
    "quarter": "Calls in a quarter hour",
    "read_day": "Reads in a UTC day",
    "day": "Calls in a UTC day",
}
LANES = {
    "live": "live events",
    "reconcile": "the daily check",
    "detail": "details of the history",
    "streams": "streams",
}
RESULTS = {
    "cut_short": "not checked",
    "guarded": "waits for your word",
    "rebuilt": "published, all built from nothing",
}
_FOUND = ("missing", "extra", "changed")
_KINDS = {"deferred": "deferred", "parked": "parked", "dead_letter": "given up after all attempts"}
_TO_DO = {
    "parked": "It needs a person: mend the reason, then run `athlete replay --parked`. `athlete events --parked` shows "
    "each.",
    "dead_letter": "`athlete replay --dead` has it handled once more. `athlete events --parked` shows what failed.",
}
_OF_NOBODY = (
    "It is of nobody connected here, or could not be read. `athlete connect` takes up the events of who connects; "
    "`athlete events --parked` shows each, and `--dismiss` settles what is of no use."
)
_STATUSES = {
    "token_rejected": "**Athlete {who} must connect again.** Strava does not accept the athlete's token any more, so "
    "nothing new arrives. What is stored stays. Run `athlete connect`.",
    "app_inactive": "**Athlete {who} is paused**, because Strava calls the app inactive. It goes on by itself once the "
    "app's owner has renewed the subscription at https://www.strava.com/account.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Teller:
    """Says moments as a reader in this zone has them now."""

    now: datetime
    zone: ZoneInfo

    def at(self, moment: datetime | None) -> str:
        """Return the moment to the minute; a dash for none."""
        return formatting.NOTHING if moment is None else formatting.minute(in_utc(moment), self.now, self.zone)

    def about(self, moment: datetime) -> str:
        """Return a moment to come, with the day as a person says it."""
        return formatting.about(in_utc(moment), self.now, self.zone)

    def failed(self, number: int, retry_at: datetime | None) -> str:
        """Say how many activities could not be fetched, and when they are tried again."""
        return formatting.failed(number, retry_at and in_utc(retry_at), self.now, self.zone)

    def is_ahead(self, moment: datetime | None) -> bool:
        """Whether the moment is yet to come."""
        return moment is not None and in_utc(moment) > self.now


def verdict(health: Row, tell: Teller) -> str:
    """Say whether the warehouse holds what Strava holds, and what stands in the way of knowing it."""
    return "\n\n".join(filter(None, [_checked(health, tell), _cut_short(health, tell)]))


def _checked(health: Row, tell: Teller) -> str:
    """Tell the last comparison of the whole list."""
    if health["reconcile_verdict"] is None:
        never = "**Not checked yet.** `athlete up` compares Strava's list with the warehouse once a day; "
        return "" if health["cut_short_at"] else never + "`athlete daily` does it now."
    is_complete = health["reconcile_verdict"] == "complete"
    theirs, ours = health["reconcile_strava_count"], health["reconcile_warehouse_count"]
    counts = compared_counts(theirs, ours, is_complete=is_complete)
    told = [f"**{counts}**, checked {tell.at(health['last_reconciled_at'])}{_differences(health)}."]
    if not is_complete:
        told += [_since(health, tell), health["reconcile_reason"] or ""]
    return " ".join(filter(None, [*told, "" if health["cut_short_at"] else _again(health, tell)]))


def _differences(health: Row) -> str:
    """Name what was found, and how much of it was repaired; nothing is worth no words."""
    found = [f"{health[f'{kind}_count']:,} {kind}" for kind in _FOUND if health[f"{kind}_count"]]
    if not found:
        return ""
    repaired = health["repaired_count"]
    return f": {', '.join(found)}; " + ("all repaired" if repaired == _total(health) else f"{repaired:,} repaired")


def _total(health: Row) -> int:
    return sum(int(health[f"{kind}_count"]) for kind in _FOUND)


def _since(health: Row, tell: Teller) -> str:
    since = f"It differs since {tell.at(health['differs_since'])}" if health["differs_since"] else "It differs"
    if health["last_complete_at"] is None:
        return f"{since}, and was never complete so far."
    return f"{since}, and was complete the last time {tell.at(health['last_complete_at'])}."


def _cut_short(health: Row, tell: Teller) -> str:
    """Tell of a later check that could not read the whole list."""
    if health["cut_short_at"] is None:
        return ""
    told = f"**Not checked** {tell.at(health['cut_short_at'])}. {health['cut_short_reason']}"
    return " ".join(filter(None, [told, _again(health, tell)]))


def _again(health: Row, tell: Teller) -> str:
    if health["reconcile_retry_at"] is None:
        return ""
    return f"It can go on from {tell.at(health['reconcile_retry_at'])}."


def history(health: Row, backfill: Row, tell: Teller) -> str:
    """Say how far the loading of the history is, and when it will be done."""
    details = f"{health['detailed_count']:,} of {health['activity_count']:,} details"
    if not backfill["has_details"]:
        details = f"{health['activity_count']:,} activities"
    if backfill["has_streams"]:
        details += f", {backfill['streamed_count']:,} with streams"
    failed = f" {told}" if (told := tell.failed(backfill["failed_count"], backfill["retry_at"])) else ""
    if backfill["finished_at"] is not None:
        return f"**History loaded.** {details}, since {tell.at(backfill['finished_at'])}.{failed}"
    if backfill["started_at"] is None:
        return "**The history waits** for the worker to take it up."
    if backfill["listed_at"] is None:
        how_far = f"{backfill['listed_count']:,} activities listed so far."
    else:
        done = f", done {tell.about(backfill['expected_at'])}" if backfill["expected_at"] else ""
        how_far = f"{details}{done}."
    if backfill["waits_because"]:
        when = f" It goes on {tell.about(backfill['waits_until'])}" if backfill["waits_until"] else " It waits"
        how_far += f"{when}: {backfill['waits_because']}"
    return f"**The history is being loaded.** {how_far}{failed}"


def refusal(health: Row, tell: Teller) -> str:
    """Say since when and why Strava is not asked, and when it is asked again; nothing while it answers."""
    is_closed, because = tell.is_ahead(health["closed_until"]), health["closed_because"]
    if health["lapsed_since"] is not None:
        then = f"The next call is made {tell.at(health['closed_until'])}." if is_closed else "The next call finds out."
        return f"**Strava refuses the app since {tell.at(health['lapsed_since'])}.** {because} {then}"
    return f"**No call is made until {tell.at(health['closed_until'])}.** {because}" if is_closed else ""


def statuses(everybody: Iterable[Row], tell: Teller) -> Iterator[tuple[int, str]]:
    """Say of whom Strava cannot be asked, and what to do, with the athlete's number."""
    for health in everybody:
        status, who = health["athlete_status"], health["athlete_id"]
        if status not in {None, "connected"}:
            other = "**Athlete {who} is not connected** ({status}). `athlete athletes` tells what to do."
            since = f" So since {tell.at(health['status_since'])}." if health["status_since"] else ""
            yield who, _STATUSES.get(status, other).format(who=who, status=status) + since


def waits(health: Row, events: Iterable[Row], tell: Teller) -> list[str]:
    """Say what waits, why, until when, and what to do, one Markdown sentence each."""
    told = []
    if health["queued_count"]:
        told.append(
            f"**{_events(health['queued_count'])} in the queue**, the oldest since {tell.at(health['queued_since'])}. "
            "The worker takes them one after the other; if the number does not fall, look whether `athlete up` runs."
        )
    told += [_waits(row, tell, is_queue_told=bool(told)) for row in events]
    return told


def _waits(row: Row, tell: Teller, *, is_queue_told: bool) -> str:
    kind, since = row["wait_kind"], tell.at(row["oldest_at"])
    head = (
        f"**{_events(row['event_count'])} {_KINDS[kind]}**, the oldest since {since}. {formatting.plain(row['reason'])}"
    )
    if kind != "deferred":
        return f"{head} {_OF_NOBODY if row['is_unassigned'] else _TO_DO[kind]}"
    if row["first_retry_at"] is None:
        counted = " It is one of those in the queue." if is_queue_told else ""
        return f"{head} The queue brings it again by itself within minutes.{counted}"
    first, last = tell.at(row["first_retry_at"]), tell.at(row["last_retry_at"])
    when = f"from {first}" if first == last else f"from {first} to {last}"
    return f"{head} It is tried again by itself {when}."


def _events(number: int) -> str:
    return f"{number:,} event{'' if number == 1 else 's'}"


def waiting_calls(health: Row) -> str:
    """Say whose calls had to wait in the quarter hour of the reading."""
    told = [f"{count:,} for {lane}" for name, lane in LANES.items() if (count := health[f"{name}_refused_count"])]
    return f"Calls that had to wait in that quarter hour: {', '.join(told)}." if told else ""


def limits(rows: Iterable[Row], tell: Teller) -> list[dict[str, object]]:
    """One row of the table per limit; of one that has begun again since it was read nothing newer is known."""
    return [
        {
            "Limit": LIMITS[row["limit_name"]],
            "Used": row["used_count"],
            "Of": row["call_limit"],
            "Left": row["left_count"],
            "Come back": tell.at(row["resets_at"]) if tell.is_ahead(row["resets_at"]) else "came back since",
        }
        for row in rows
    ]


def calls_left(health: Row, rows: Sequence[Row], tell: Teller) -> tuple[int | None, str]:
    """Return the calls left of the limit that is used up most, and which one that is; None while none is known."""
    if health["lapsed_since"] is not None:
        return 0, "Strava refuses the app; see above."
    left = [
        (row["left_count"] if tell.is_ahead(row["resets_at"]) else row["call_limit"], row["call_limit"], row)
        for row in rows
    ]
    if not left:
        return None, "Strava tells its limits with its first answer."
    number, of, row = min(left, key=lambda each: each[0] / max(each[1], 1))
    which = LIMITS[row["limit_name"]]
    return number, f"of {of:,}: {which[0].lower()}{which[1:]}, read {tell.at(row['read_at'])}."


def runs(rows: Iterable[Row], kind: str, tell: Teller) -> list[dict[str, object]]:
    """One row of the table per run of a kind, newest first."""
    return [
        {
            "When": tell.at(row["started_at"]),
            "How long": formatting.latency(row["duration_s"]),
            "Result": RESULTS.get(row["result"], row["result"]),
            "Why": row["reason"] or "",
        }
        for row in rows
        if row["run_kind"] == kind
    ]


def receipts(rows: Iterable[Row], tell: Teller) -> list[dict[str, object]]:
    """One row of the table per purge."""
    return [
        {
            "When": tell.at(row["purged_at"]),
            "Rows removed": row["row_count"],
            "Activities": row["activity_count"],
            "Events": row["event_count"],
        }
        for row in rows
    ]
