"""`athlete athletes`: who is connected, what they granted, and whether their tokens work."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from athlete.backends import open_store, open_tokens
from athlete.data_dir import lost_athletes, require_pipeline
from athlete.errors import exit_on_error, warn
from athlete.output import Form, print_rows, say
from athlete.up import NOBODY
from backends.tokens import TokenSet
from backends.warehouse import RawStore
from backends.warehouse.athletes import CONNECTED, Athlete
from backends.warehouse.ledger import LedgerEntry, LedgerFilter, Outcome
from runtime.clock import utc_now, utc_text
from runtime.settings import SharedSettings
from strava.errors import TokenRejected
from strava.scopes import missing_scopes

COLUMNS = ("athlete_id", "status", "scope", "missing", "last_event_at", "token", "token_expires_at", "updated_at")
FOR_A_PERSON = ("athlete", "status", "scopes", "missing", "last event", "token")
REPAIR = "connect again: athlete connect"


class TokenState(StrEnum):
    """Whether an athlete's tokens work; they are removed when the athlete takes back the app's access."""

    GOOD = "good"
    MISSING = "missing"
    REJECTED = "rejected"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True)
class AthleteState:
    """What is known of an athlete."""

    athlete: Athlete
    token: TokenState
    token_expires_at: datetime | None
    last_event_at: datetime | None


@exit_on_error
def athletes(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print every column, as one JSON object a line.")] = False
) -> None:
    """List the athletes: status, granted and missing scopes, last event, and whether the token works.

    An access token ends after six hours and is renewed by itself. Times are this machine's.
    """
    settings = SharedSettings()
    require_pipeline(settings)
    warn(asyncio.run(lost_athletes(settings)))
    states = asyncio.run(_states(settings))
    if as_json:
        print_rows(COLUMNS, map(whole_row, states), Form.JSON, Console())
    elif states:
        now = utc_now()
        print_rows(FOR_A_PERSON, (short_row(state, now) for state in states), Form.TABLE, Console())
    else:
        say(NOBODY)


async def _states(settings: SharedSettings) -> list[AthleteState]:
    tokens = open_tokens(settings)
    async with open_store(settings, read_only=True) as store:
        return [await _state(each, await tokens.load(each.athlete_id), store) for each in await store.athletes()]


async def _state(athlete: Athlete, tokens: TokenSet | None, store: RawStore) -> AthleteState:
    last = await _newest(store, athlete)
    return AthleteState(
        athlete=athlete,
        token=await token_state(athlete, tokens, store),
        token_expires_at=tokens.expires_at if tokens else None,
        last_event_at=(last.received_at or last.finished_at) if last else None,
    )


async def token_state(athlete: Athlete, tokens: TokenSet | None, store: RawStore) -> TokenState:
    """Tell whether the athlete's tokens work, by what is stored. Raises WarehouseBusy."""
    if athlete.status != CONNECTED:
        return TokenState.REMOVED
    if tokens is None:
        return TokenState.MISSING
    return TokenState.REJECTED if await _is_rejected(store, athlete) else TokenState.GOOD


async def _newest(store: RawStore, athlete: Athlete, outcome: Outcome | None = None) -> LedgerEntry | None:
    found = await store.recent(LedgerFilter(athlete_id=athlete.athlete_id, outcome=outcome), limit=1)
    return found[0] if found else None


async def _is_rejected(store: RawStore, athlete: Athlete) -> bool:
    """Whether Strava has rejected the tokens since the athlete connected, and has answered nothing since then."""
    parked = await _newest(store, athlete, Outcome.PARKED)
    if parked is None or parked.reason != str(TokenRejected(athlete.athlete_id)):
        return False
    stored = await _newest(store, athlete, Outcome.STORED)
    return parked.finished_at > max(athlete.updated_at, stored.finished_at if stored else athlete.updated_at)


def whole_row(state: AthleteState) -> Sequence[Any]:
    """Return the values of COLUMNS; what is missing of scopes that Strava did not tell is None."""
    athlete = state.athlete
    missing = list(missing_scopes(athlete.scope)) if athlete.scope else None
    return (
        athlete.athlete_id,
        athlete.status,
        sorted(athlete.scope),
        missing,
        state.last_event_at and utc_text(state.last_event_at),
        state.token,
        state.token_expires_at and utc_text(state.token_expires_at),
        utc_text(athlete.updated_at),
    )


def short_row(state: AthleteState, now: datetime) -> Sequence[Any]:
    """Return what a person asks first."""
    athlete = state.athlete
    missing = ", ".join(missing_scopes(athlete.scope)) if athlete.scope else "not told by Strava"
    last = "none" if state.last_event_at is None else f"{state.last_event_at.astimezone():%Y-%m-%d %H:%M}"
    return athlete.athlete_id, athlete.status, ", ".join(sorted(athlete.scope)), missing, last, _token(state, now)


def _token(state: AthleteState, now: datetime) -> str:
    if state.token in {TokenState.MISSING, TokenState.REJECTED}:
        return f"{state.token}; {REPAIR}"
    if state.token is TokenState.REMOVED or state.token_expires_at is None:
        return state.token
    if state.token_expires_at <= now:
        return f"{state.token}; renewed at its next use"
    return f"{state.token} until {state.token_expires_at.astimezone():%Y-%m-%d %H:%M}, then renewed"
