"""What waits: messages on the queue, dead letters, and events that are off the queue."""

from datetime import timedelta

from athlete.backends import open_queue
from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, red, spoken_age, yellow
from athlete.doctor.programs import START
from backends.warehouse.ledger import LedgerFilter, Outcome

_SLOW_S = 600.0
_STUCK_S = 6 * 3600.0
_OVERDUE = timedelta(minutes=15)
_MOST_COUNTED = 10_000
_LOOK = "Run `athlete events --limit 10`: its reasons say what the newest attempts met."


async def check_queue(context: Context) -> list[Finding]:
    """Tell how many messages wait, how long the oldest, and how many are dead letters."""
    async with open_queue(context.settings.worker, read_only=True, leaves_no_trace=context.running is None) as queue:
        status = await queue.status()
    found = []
    age_s = status.oldest_age_s or 0.0
    waiting = f"{status.waiting:,} waiting, the oldest for {spoken_age(age_s)}."
    if status.waiting and context.running is None:
        found.append(yellow(waiting, START))
    elif age_s > _SLOW_S:
        found.append((red if age_s > _STUCK_S else yellow)(waiting, _LOOK))
    if status.dead:
        what = f"{status.dead:,} dead letters: their events used up all attempts and changed nothing."
        found.append(red(what, "Mend what `athlete events --dead` names, then run `athlete replay --dead`."))
    return found or [green("No message waits for long, and none is a dead letter.")]


async def check_waiting_events(context: Context) -> list[Finding]:
    """Tell of events that wait off the queue: for a person, or for a later time."""
    wanted = LedgerFilter(outcome=Outcome.PARKED, is_newest=True)
    parked = len(await context.raw.recent(wanted, limit=_MOST_COUNTED))
    deferred = await context.raw.deferred_events(due_by=None, how_many=_MOST_COUNTED)
    now = context.clock()
    # What was parked waits for calls after all that is live, and is late only where nobody makes any.
    punctual = [each for each in deferred if not (each.is_replay or (each.is_taken_up and context.running))]
    overdue = [each for each in punctual if each.retry_at and each.retry_at < now - _OVERDUE]
    found = []
    if parked:
        fix = "Mend what `athlete events --parked` names, then run `athlete replay --parked`."
        found.append(yellow(f"Parked events: {parked:,}.", fix))
    if overdue:
        fix = _LOOK if context.running else START
        found.append(yellow(f"Deferred events that are overdue: {len(overdue):,}.", fix))
    if found:
        return found
    if deferred and deferred[0].retry_at:
        first = deferred[0].retry_at
        until = f"the first until {context.spoken(first)}" if first > now else "which come as calls can be made"
        return [green(f"Deferred events: {len(deferred):,}, {until}: {deferred[0].reason}")]
    return [green("No event is parked or deferred.")]
