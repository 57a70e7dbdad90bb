"""Whether each athlete's tokens work, and what the granted scopes bring."""

from athlete.athletes import TokenState, token_state
from athlete.doctor.calls import WAIT
from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, in_two, red, yellow
from athlete.doctor.strava_look import NotAsked
from backends.tokens import TokenSet
from backends.warehouse.athletes import WITHOUT_ACCESS, Athlete, AthleteStatus
from strava.errors import ScopeMissing, TokenRejected
from strava.scopes import WANTED_SCOPES, missing_scopes, reads_activities

_TICK_ALL = "Run `athlete connect`, and leave every box ticked on Strava's page."


async def check_athletes(context: Context) -> list[Finding]:
    """Look who is connected, and whether the database has lost somebody whose tokens are kept."""
    known = await context.raw.athletes()
    connected = [each.athlete_id for each in known if each.status not in WITHOUT_ACCESS]
    if connected:
        return [green(f"Connected: {', '.join(map(str, connected))}.")]
    if not known and (kept := await context.tokens.athlete_ids()):
        what = f"The database knows no athlete, but tokens are kept of {', '.join(map(str, kept))}: it was emptied."
        return [
            red(what, "Restore pipeline.sqlite from a backup; without one, run `athlete connect` for each athlete.")
        ]
    if by_files := [each.athlete_id for each in known if each.status == AthleteStatus.ARCHIVE_ONLY]:
        whose = ", ".join(map(str, by_files))
        return [green(f"Nobody is connected; what was imported from own files is there of athlete {whose}.")]
    return [yellow("No athlete is connected, so nothing arrives.", "Run `athlete connect` while `athlete up` runs.")]


async def check_tokens(context: Context) -> list[Finding]:
    """Look at each athlete's token, and ask Strava with some of them; none is refreshed."""
    return [
        await _token(context, each, await context.tokens.load(each.athlete_id)) for each in await _connected(context)
    ]


async def check_scopes(context: Context) -> list[Finding]:
    """Look what each athlete granted, and what the missing scopes cost."""
    return [await _scopes(context, each) for each in await _connected(context)]


async def _connected(context: Context) -> list[Athlete]:
    return [each for each in await context.raw.athletes() if each.status not in WITHOUT_ACCESS]


async def _token(context: Context, athlete: Athlete, tokens: TokenSet | None) -> Finding:
    athlete_id = athlete.athlete_id
    connect = f"Run `athlete connect`, and log in at Strava as athlete {athlete_id}."
    state = token_state(athlete, tokens)
    if tokens is None or state is TokenState.MISSING:
        return red(f"No tokens are kept of athlete {athlete_id}, so nothing can be fetched.", connect)
    if state is TokenState.REJECTED:
        return red(f"Strava has rejected the refresh token of athlete {athlete_id}; events wait as parked.", connect)
    may_ask = not (context.is_offline or context.is_budget_damaged)  # for a call would put another in its place
    error = await context.strava.refusal(athlete_id, tokens) if may_ask else None
    if isinstance(error, TokenRejected):
        return red(f"Strava does not accept the token of athlete {athlete_id} any more.", connect)
    good = f"The token of athlete {athlete_id} is good until {context.spoken(tokens.expires_at)}, then renewed"
    if tokens.expires_at <= context.clock():
        good = f"The token of athlete {athlete_id} is renewed at its next use"
    if isinstance(error, NotAsked):
        until = "" if error.until is None else f" until {context.spoken(error.until)}"
        return yellow(f"{good}. Not asked: the budget is spent{until}.", WAIT)
    told = "" if error is None or isinstance(error, ScopeMissing) else f" No call proves it: {in_two(str(error))[0]}"
    return green(f"{good}.{told}")


async def _scopes(context: Context, athlete: Athlete) -> Finding:
    athlete_id, granted = athlete.athlete_id, athlete.scope
    if isinstance(context.strava.known_refusal(athlete_id), ScopeMissing) or (
        granted and not reads_activities(granted)
    ):
        return red(f"Athlete {athlete_id} granted no activity scope, so no activity arrives.", _TICK_ALL)
    if not granted:
        what = f"Strava did not tell which scopes athlete {athlete_id} granted."
        return yellow(what, f"If private activities do not arrive, {_TICK_ALL[0].lower()}{_TICK_ALL[1:]}")
    if missing := missing_scopes(granted):
        costs = "; ".join(f"{name} is missing: {cost}" for name, cost in missing.items())
        return yellow(f"Athlete {athlete_id}: {costs}.", _TICK_ALL)
    return green(f"Athlete {athlete_id} granted all that is wanted: {', '.join(WANTED_SCOPES)}.")
