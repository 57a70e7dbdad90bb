"""Whether this machine's clock is right: by Strava's answers, by what was stored before, and whether it was set."""

from datetime import timedelta

from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, red, yellow
from backends.warehouse.ledger import LedgerFilter
from strava.rate_limits import LEEWAY_S

_FAR_S = 60.0
_NEAR = timedelta(seconds=60)
_SET_IT = "Let the network set the clock: `sudo timedatectl set-ntp true`, or your system's time settings."


async def check_clock(context: Context) -> list[Finding]:
    """Compare it with Strava's clock, with the newest rows, and with the clock that is never set."""
    found = []
    if context.clock_steps.has_stepped():
        found.append(yellow("The clock was set while this looked.", "Run `athlete doctor` again in a few minutes."))
    offset_s, source = await _offset(context)
    if abs(offset_s) > LEEWAY_S:
        side = "behind" if offset_s > 0 else "ahead of"
        grade = red if abs(offset_s) > _FAR_S else yellow
        found.append(grade(f"The clock is {abs(offset_s):,.0f} s {side} Strava's, by {source}.", _SET_IT))
    elif (newest := await _newest_row(context)) is not None:
        found.append(red(f"The newest row was written at {newest}, so the clock was set back since.", _SET_IT))
    if not found and not source:
        return [green("No answer of Strava's is known to compare it with; it agrees with what is stored.")]
    return found or [green(f"It agrees with Strava's clock within {LEEWAY_S:.0f} s, by {source}.")]


async def _offset(context: Context) -> tuple[float, str]:
    """Return by how many seconds Strava's clock is before ours, and who says so, which is nobody's word at first."""
    if offsets := context.strava.clock_offsets_s:
        return min(offsets, key=abs), "its answer just now"
    budget = await context.budget.status()  # its moment is carried on since the last answer by the clock never set
    return (budget.as_of - context.clock()).total_seconds(), "its last answer" if budget.windows else ""


async def _newest_row(context: Context) -> str | None:
    """Return when a row was written, if that is still to come."""
    if context.store is None:
        return None
    written = [entry.finished_at for entry in await context.raw.recent(LedgerFilter(), limit=1)]
    if (last := await context.raw.last_run()) is not None:
        written.append(last.finished_at)
    newest = max(written, default=None)
    return None if newest is None or newest <= context.clock() + _NEAR else context.spoken(newest)
