"""Why the Pipeline page says what it says: what its cards count, with this athlete's values."""

from collections.abc import Sequence

from dashboard.card import Why
from dashboard.formatting import Teller
from dashboard.mart import Row
from dashboard.pipeline_status import LIMITS, RESULTS

SHOWN_RUNS = 7  # of each kind, as the query has them


def waits(health: Row, events: Sequence[Row], tell: Teller) -> Why:
    """What counts as waiting."""
    counts = {"n": tell.number(health["waiting_event_count"]), "queued": tell.number(health["queued_count"])}
    held = tell.number(sum(row["event_count"] for row in events))
    return Why(
        formula=tell(
            "**{n} events wait**: {queued} messages are in the queue, and {held} events were deferred or parked. What "
            "was deferred and is in the queue again is counted once.",
            **counts,
            held=held,
        ),
        inputs=[tell("The queue counts once a message waits there for longer than a minute.")],
        excluded=[tell("Events that were settled since, and those of other athletes.")],
        models=["waiting_event", "pipeline_health"],
    )


def budget(limits: Sequence[Row], tell: Teller) -> Why:
    """How many calls are left of each limit."""
    left = [
        tell(
            "{limit}: {left} of {of} are left, {used} were used.",
            limit=tell(LIMITS[row["limit_name"]]),
            of=tell.number(row["call_limit"]),
            used=tell.number(row["used_count"]),
            left=tell.number(row["left_count"]),
        )
        for row in limits
    ]
    return Why(
        formula=tell("**Left = the limit less the calls that were used of it**, as Strava's last answer told both."),
        inputs=[
            *left,
            tell("A call without an answer counts as used. A quarter hour begins at :00, :15, :30 and :45."),
        ],
        excluded=[tell("Calls of OAuth and of push subscriptions: Strava does not count them.")],
        models=["rate_budget"],
    )


def runs(kind: str, health: Row, rows: Sequence[Row], tell: Teller) -> Why:
    """What a check or a build is, and how the newest ones ended."""
    ends = [row["result"] for row in rows if row["run_kind"] == kind]
    counts = ", ".join(
        f"{tell.number(ends.count(one))} {tell(RESULTS.get(one, one))}" for one in dict.fromkeys(ends) if one
    )
    told = [tell("Of the runs shown: {counts}.", counts=counts)] if counts else []
    if kind == "daily":
        formula = tell(
            "**A check compares Strava's whole list with the warehouse**, activity by activity, and repairs what "
            "differs. It is complete when nothing is left that differs."
        )
        if health["reconcile_strava_count"] is not None:
            listed, stored = health["reconcile_strava_count"], health["reconcile_warehouse_count"]
            told.append(
                tell(
                    "Strava lists {strava} activities, the warehouse holds {warehouse} of them.",
                    strava=tell.number(listed),
                    warehouse=tell.number(stored),
                )
            )
        excluded = tell("All but the newest {n} checks.", n=SHOWN_RUNS)
    else:
        formula = tell(
            "**A run lasts from its beginning until readers see its marts.** It builds what changed, and all from "
            "nothing where a definition changed or the marts were damaged."
        )
        excluded = tell("The run that built this page, and all but the newest {n}.", n=SHOWN_RUNS)
    return Why(formula=formula, inputs=told, excluded=[excluded], models=["pipeline_run"])


def purges(rows: Sequence[Row], tell: Teller) -> Why:
    """What a receipt counts."""
    return Why(
        formula=tell(
            "**{n} rows removed** = the rows of every table of `raw` and the messages in the queue, over all receipts.",
            n=tell.number(sum(row["row_count"] for row in rows)),
        ),
        inputs=[tell("A receipt holds counts and a keyed hash, by which an athlete can have the purge confirmed.")],
        models=["purge_receipt"],
    )
