"""Whether the app may call Strava: its rate budget, and whether Strava has switched it off."""

from datetime import timedelta

from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, in_two, red_of, yellow
from strava.budget import BudgetStatus
from strava.budget_state import Lane
from strava.errors import AppInactive, AppRejected

WAIT = "Nothing is to do but wait; `athlete budget` shows every limit and lane."
_SHORT = timedelta(minutes=30)


async def check_budget(context: Context) -> list[Finding]:
    """Tell what is used of Strava's limits, and who waits."""
    path = context.settings.worker.budget_path
    if context.is_budget_damaged:
        return [yellow(f"{path} is damaged.", f"Run `rm {path}`: the next answer from Strava tells the limits again.")]
    found = await context.budget.status()
    if found.closed_until is not None and not isinstance(found.closed_because, AppInactive | AppRejected):
        return [yellow(f"{found.closed_because}", WAIT)]
    if not found.windows:
        return [green("Nothing is known of Strava's limits yet: the first answer from Strava tells them.")]
    told = ", ".join(f"{window.used:,} of {window.limit:,} {window.name.spoken}" for window in found.windows)
    spent = [window for window in found.windows if not window.left[Lane.LIVE]]
    if spent:
        until = max(window.resets_at for window in spent)
        return [yellow(f"The limit is used up until {context.spoken(until)}: {told}.", WAIT)]
    return [green(f"Used: {told}.{_waiting(found)}")]


def _waiting(found: BudgetStatus) -> str:
    refused = ", ".join(f"{lane} {count:,}" for lane, count in found.refused.items())
    return f" Calls that had to wait in this quarter hour, by lane: {refused}." if refused else ""


async def check_lapse(context: Context) -> list[Finding]:
    """Tell whether Strava refuses the app itself."""
    found = await context.budget.status()
    error = context.strava.lapse or found.closed_because
    if isinstance(error, AppInactive) or (isinstance(error, AppRejected) and found.is_closed_for_all):
        return [red_of(error)]
    if isinstance(error, AppRejected):
        what, fix = in_two(str(error))
        return [yellow(f"{what.rstrip('.')}: that is what one program was told.", fix)]
    return [green("Strava is not known to refuse the app.")]
