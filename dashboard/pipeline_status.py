"""What the Pipeline page says in words: pure, so that it can be checked without a browser."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from dashboard import reasons
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row

LIMITS = {
    "read_quarter": N_("Reads in a quarter hour"),
    "quarter": N_("Calls in a quarter hour"),
    "read_day": N_("Reads in a UTC day"),
    "day": N_("Calls in a UTC day"),
}
LANES = {
    "live": N_("live events"),
    "reconcile": N_("the daily check"),
    "detail": N_("details of the history"),
    "streams": N_("streams"),
}
RESULTS = {
    "complete": N_("complete"),
    "incomplete": N_("incomplete"),
    "published": N_("published"),
    "failed": N_("failed"),
    "cut_short": N_("not checked"),
    "guarded": N_("waits for your word"),
    "rebuilt": N_("published, all built from nothing"),
}
OUTCOMES = {
    "stored": N_("stored"),
    "unchanged": N_("unchanged"),
    "deleted": N_("deleted"),
    "deferred": N_("deferred"),
    "parked": N_("parked"),
    "ignored": N_("ignored"),
    "purged": N_("purged"),
}
_FOUND = {"missing": N_("{n} missing"), "extra": N_("{n} extra"), "changed": N_("{n} changed")}
_KINDS = {
    "deferred": (N_("**{n} event deferred**"), N_("**{n} events deferred**")),
    "parked": (N_("**{n} event parked**"), N_("**{n} events parked**")),
    "dead_letter": (
        N_("**{n} event given up after all attempts**"), N_("**{n} events given up after all attempts**"),
    ),
}  # fmt: skip
_TO_DO = {
    "parked": N_(
        "It needs a person: mend the reason, then run `athlete replay --parked`. `athlete events --parked` shows each."
    ),
    "dead_letter": N_("`athlete replay --dead` has it handled once more. `athlete events --parked` shows what failed."),
}
_OF_NOBODY = N_(
    "It is of nobody connected here, or could not be read. `athlete connect` takes up the events of who connects; "
    "`athlete events --parked` shows each, and `--dismiss` settles what is of no use."
)
_STATUSES = {
    "token_rejected": N_(
        "**Athlete {who} must connect again.** Strava does not accept the athlete's token any more, so nothing new "
        "arrives. What is stored stays. Run `athlete connect`."
    ),
    "app_inactive": N_(
        "**Athlete {who} is paused**, because Strava calls the app inactive. It goes on by itself once the app's owner "
        "has renewed the subscription at https://www.strava.com/account."
    ),
}
_BY_FILES = "archive_only"
_OTHER_STATUS = N_("**Athlete {who} is not connected** ({status}). `athlete athletes` tells what to do.")


def verdict(health: Row, tell: Teller) -> str:
    """Say whether the warehouse holds what Strava holds, and what stands in the way of knowing it."""
    if health["athlete_status"] == _BY_FILES:
        return tell(
            "**Imported, and not compared with Strava.** All of it is from the athlete's own files. `athlete connect` "
            "adds what is new."
        )
    return "\n\n".join(filter(None, [_checked(health, tell), _cut_short(health, tell)]))


def _checked(health: Row, tell: Teller) -> str:
    """Tell the last comparison of the whole list."""
    if health["reconcile_verdict"] is None:
        never = tell(
            "**Not checked yet.** `athlete up` compares Strava's list with the warehouse once a day; `athlete daily` "
            "does it now."
        )
        return "" if health["cut_short_at"] else never
    is_complete = health["reconcile_verdict"] == "complete"
    checked = tell("checked {when}", when=tell.minute(health["last_reconciled_at"]))
    told = [f"**{_counts(health, tell, is_complete=is_complete)}**, {checked}{_differences(health, tell)}."]
    if not is_complete:
        told += [_since(health, tell), _why_not(health, tell)]
    return " ".join(filter(None, [*told, "" if health["cut_short_at"] else _again(health, tell)]))


def _why_not(health: Row, tell: Teller) -> str:
    """Say why a check is not complete, or what a person is asked."""
    if health["reconcile_verdict"] == "guarded":
        return reasons.guarded(health["extra_count"] or 0, tell)
    left = sum(_found(health).values()) - (health["repaired_count"] or 0)
    return reasons.incomplete(health["unreadable_count"] or 0, left, health["stopped_kind"], tell)


def _found(health: Row) -> dict[str, int]:
    return {kind: int(health[f"{kind}_count"] or 0) for kind in _FOUND}


def _counts(health: Row, tell: Teller, *, is_complete: bool) -> str:
    """Tell both counts; equal counts of different activities are not called equal."""
    theirs, ours = health["reconcile_strava_count"], health["reconcile_warehouse_count"]
    counts = {"strava": tell.number(theirs), "warehouse": tell.number(ours)}
    only = health["file_only_count"]
    files = f", {tell('+ {n} from files only', n=tell.number(only))}" if only else ""
    return _compared(counts, tell, is_equal=theirs == ours, is_complete=is_complete) + files


def _compared(counts: Mapping[str, str], tell: Teller, *, is_equal: bool, is_complete: bool) -> str:
    if not is_equal:
        return tell("Strava {strava} ≠ warehouse {warehouse}", **counts)
    if is_complete:
        return tell("Strava {strava} = warehouse {warehouse}", **counts)
    return tell("Strava {strava} and warehouse {warehouse} differ", **counts)


def _differences(health: Row, tell: Teller) -> str:
    """Name what was found, and how much of it was repaired; nothing is worth no words."""
    counts = _found(health)
    found = [tell(_FOUND[kind], n=tell.number(number)) for kind, number in counts.items() if number]
    if not found:
        return ""
    repaired = int(health["repaired_count"] or 0)
    is_all = repaired == sum(counts.values())
    rest = tell("all repaired") if is_all else tell("{n} repaired", n=tell.number(repaired))
    return f": {', '.join(found)}; {rest}"


def _since(health: Row, tell: Teller) -> str:
    since, last = health["differs_since"], health["last_complete_at"]
    differs = tell("It differs since {when}", when=tell.minute(since)) if since else tell("It differs")
    if last is None:
        return differs + tell(", and was never complete so far.")
    return differs + tell(", and was complete the last time {when}.", when=tell.minute(last))


def _cut_short(health: Row, tell: Teller) -> str:
    """Tell of a later check that could not read the whole list."""
    if health["cut_short_at"] is None:
        return ""
    why = reasons.cut_short(health["cut_short_kind"], health["cut_short_reason"], tell)
    told = tell("**Not checked** {when}.", when=tell.minute(health["cut_short_at"]))
    return " ".join(filter(None, [told, why, _again(health, tell)]))


def _again(health: Row, tell: Teller) -> str:
    at = health["reconcile_retry_at"]
    return tell("It can go on from {when}.", when=tell.minute(at)) if at else ""


def history(health: Row, backfill: Row, done: Iterable[Row], tell: Teller) -> str:
    """Say how far the loading of the history is, since which day it is complete, and when it will be done.

    `done` are the rows of `sports_done`.
    """
    counts = {"details": tell.number(health["detailed_count"]), "all": tell.number(health["activity_count"])}
    details = tell("{details} of {all} details", **counts)
    if not backfill["has_details"]:
        details = tell.plural("{n} activity", "{n} activities", health["activity_count"])
    if backfill["has_streams"]:
        details += tell(", {n} with streams", n=tell.number(backfill["streamed_count"]))
    failed = f" {told}" if (told := tell.failed(backfill["failed_count"], backfill["retry_at"])) else ""
    if backfill["finished_at"] is not None:
        since = tell.minute(backfill["finished_at"])
        return tell("**History loaded.** {details}, since {when}.", details=details, when=since) + failed
    if backfill["started_at"] is None:
        return tell("**The history waits** for the worker to take it up.")
    if backfill["has_details"] and (day := complete_since(done)):
        details += tell(", complete back to {day}", day=tell.day(day))
    return tell("**The history is being loaded.**") + f" {_progress(backfill, details, tell)}{failed}"


def complete_since(done: Iterable[Row]) -> date | None:
    """Return the first day since which every activity has its details; None if the newest lack them, or none does."""
    rows = list(done)
    lacking = max((row["last_day_without_details"] for row in rows if row["last_day_without_details"]), default=None)
    newest = max((row["last_day"] for row in rows), default=None)
    return None if lacking is None or lacking == newest else lacking + timedelta(days=1)


def _progress(backfill: Row, details: str, tell: Teller) -> str:
    if backfill["listed_at"] is None:
        how_far = tell("{n} activities listed so far.", n=tell.number(backfill["listed_count"]))
    elif backfill["expected_at"]:
        how_far = tell("{details}, done {when}.", details=details, when=tell.about(backfill["expected_at"]))
    else:
        how_far = f"{details}."
    if backfill["waits_because"]:
        until = backfill["waits_until"]
        when = tell("It goes on {when}", when=tell.about(until)) if until else tell("It waits")
        how_far += f" {when}: {reasons.because(backfill['waits_kind'], backfill['waits_because'], tell)}"
    return how_far


def refusal(health: Row, tell: Teller) -> str:
    """Say since when and why Strava is not asked, and when it is asked again; nothing while it answers."""
    is_closed = tell.is_ahead(health["closed_until"])
    because = reasons.because(health["closed_kind"], health["closed_because"], tell)
    until = tell.minute(health["closed_until"])
    if health["lapsed_since"] is not None:
        since = tell("**Strava refuses the app since {when}.**", when=tell.minute(health["lapsed_since"]))
        then = tell("The next call is made {when}.", when=until) if is_closed else tell("The next call finds out.")
        return f"{since} {because} {then}"
    return tell("**No call is made until {when}.**", when=until) + f" {because}" if is_closed else ""


def statuses(everybody: Iterable[Row], tell: Teller) -> Iterator[tuple[int, str]]:
    """Say of whom Strava cannot be asked, and what to do, with the athlete's number."""
    for health in everybody:
        status, who = health["athlete_status"], health["athlete_id"]
        if status not in {None, "connected", _BY_FILES}:
            told = tell(_STATUSES.get(status, _OTHER_STATUS), who=who, status=status)
            since = health["status_since"]
            yield who, told + (" " + tell("So since {when}.", when=tell.minute(since)) if since else "")


def waits(health: Row, events: Iterable[Row], tell: Teller) -> list[str]:
    """Say what waits, why, until when, and what to do, one Markdown sentence each."""
    told = []
    if health["queued_count"]:
        told.append(
            tell.plural(
                "**{n} event in the queue**, the oldest since {when}. The worker takes them one after the other; if "
                "the number does not fall, look whether `athlete up` runs.",
                "**{n} events in the queue**, the oldest since {when}. The worker takes them one after the other; if "
                "the number does not fall, look whether `athlete up` runs.",
                health["queued_count"],
                when=tell.minute(health["queued_since"]),
            )
        )
    told += [_waits(row, tell, is_queue_told=bool(told)) for row in events]
    return told


def _waits(row: Row, tell: Teller, *, is_queue_told: bool) -> str:
    kind = row["wait_kind"]
    counted = tell.plural(*_KINDS[kind], row["event_count"])
    since = tell(", the oldest since {when}.", when=tell.minute(row["oldest_at"]))
    head = f"{counted}{since} {reasons.because(row['reason_kind'], row['reason'], tell)}"
    if kind != "deferred":
        return f"{head} {tell(_OF_NOBODY if row['is_unassigned'] else _TO_DO[kind])}"
    if row["first_retry_at"] is None:
        again = " " + tell("The queue brings it again by itself within minutes.")
        return head + again + (" " + tell("It is one of those in the queue.") if is_queue_told else "")
    first, last = tell.minute(row["first_retry_at"]), tell.minute(row["last_retry_at"])
    if first == last:
        return f"{head} {tell('It is tried again by itself from {first}.', first=first)}"
    return f"{head} {tell('It is tried again by itself from {first} to {last}.', first=first, last=last)}"


def waiting_calls(health: Row, tell: Teller) -> str:
    """Say whose calls had to wait in the quarter hour of the reading."""
    counts = {lane: health[f"{name}_refused_count"] for name, lane in LANES.items()}
    told = [tell("{n} for {lane}", n=tell.number(count), lane=tell(lane)) for lane, count in counts.items() if count]
    return tell("Calls that had to wait in that quarter hour: {calls}.", calls=", ".join(told)) if told else ""


def limits(rows: Iterable[Row], tell: Teller) -> list[dict[str, object]]:
    """One row of the table per limit; of one that has begun again since it was read nothing newer is known."""
    return [
        {
            tell("Limit"): tell(LIMITS[row["limit_name"]]),
            tell("Used"): tell.number(row["used_count"]),
            tell("Of"): tell.number(row["call_limit"]),
            tell("Left"): tell.number(row["left_count"]),
            tell("Come back"): (
                tell.minute(row["resets_at"]) if tell.is_ahead(row["resets_at"]) else tell("came back since")
            ),
        }
        for row in rows
    ]


def calls_left(health: Row, rows: Sequence[Row], tell: Teller) -> tuple[int | None, str]:
    """Return the calls left of the limit that is used up most, and which one that is; None while none is known."""
    if health["lapsed_since"] is not None:
        return 0, tell("Strava refuses the app; see above.")
    left = [
        (row["left_count"] if tell.is_ahead(row["resets_at"]) else row["call_limit"], row["call_limit"], row)
        for row in rows
    ]
    if not left:
        return None, tell("Strava tells its limits with its first answer.")
    number, of, row = min(left, key=lambda each: each[0] / max(each[1], 1))
    which, when = tell(LIMITS[row["limit_name"]]), tell.minute(row["read_at"])
    return number, tell("of {of}: {which}, read {when}.", of=tell.number(of), which=which, when=when)


def runs(rows: Iterable[Row], kind: str, tell: Teller) -> list[dict[str, object]]:
    """One row of the table per run of a kind, newest first."""
    return [
        {
            tell("When"): tell.minute(row["started_at"]),
            tell("How long"): tell.latency(row["duration_s"]),
            tell("Result"): tell(RESULTS.get(row["result"], row["result"] or "")),
            tell("Reason"): reasons.of_run(row, tell),
        }
        for row in rows
        if row["run_kind"] == kind
    ]


def receipts(rows: Iterable[Row], tell: Teller) -> list[dict[str, object]]:
    """One row of the table per purge."""
    return [
        {
            tell("When"): tell.minute(row["purged_at"]),
            tell("Rows removed"): tell.number(row["row_count"]),
            tell("Activities"): tell.number(row["activity_count"]),
            tell("Events"): tell.number(row["event_count"]),
        }
        for row in rows
    ]
