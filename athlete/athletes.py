"""`athlete athletes`: who is connected, what they granted, and whether their tokens work."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from athlete.backends import open_store, open_tokens
from athlete.data_dir import lost_athletes, require_pipeline
from athlete.errors import exit_on_error, warn
from athlete.output import Form, minute, print_rows, say
from athlete.up import NOBODY
from backends.tokens import TokenSet
from backends.warehouse import RawStore
from backends.warehouse.athletes import Athlete, AthleteStatus
from backends.warehouse.ledger import LedgerFilter
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now, utc_text
from runtime.settings import SharedSettings
from strava.scopes import missing_scopes

COLUMNS = ("athlete_id", "status", "scope", "missing", "last_event_at", "token", "token_expires_at", "updated_at",
           "status_since", "status_reason")  # fmt: skip
FOR_A_PERSON = ("athlete", "status", "scopes", "missing", "last event", "token")
REPAIR = "connect again: athlete connect"


class TokenState(StrEnum):
    """Whether an athlete's tokens work; they are removed when the athlete takes back the app's access."""

    GOOD = "good"
    MISSING = "missing"
    REJECTED = "rejected"
    REMOVED = "removed"
    NONE = "none needed"  # what is known was imported


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

    An access token ends after six hours and is renewed by itself. Times are those of DISPLAY_TIMEZONE.
    """
    settings, zone = SharedSettings(), DashboardSettings().display_timezone
    require_pipeline(settings)
    warn(asyncio.run(lost_athletes(settings)))
    states = asyncio.run(_states(settings))
    if as_json:
        print_rows(COLUMNS, map(whole_row, states), Form.JSON, Console())
    elif states:
        now = utc_now()
        print_rows(FOR_A_PERSON, (short_row(state, now, zone) for state in states), Form.TABLE, Console())
    else:
        say(NOBODY)


async def _states(settings: SharedSettings) -> list[AthleteState]:
    async with open_tokens(settings) as tokens, open_store(settings, read_only=True) as store:
        return [await _state(each, await tokens.load(each.athlete_id), store) for each in await store.athletes()]


async def _state(athlete: Athlete, tokens: TokenSet | None, store: RawStore) -> AthleteState:
    found = await store.recent(LedgerFilter(athlete_id=athlete.athlete_id), limit=1)
    return AthleteState(
        athlete=athlete,
        token=token_state(athlete, tokens),
        token_expires_at=tokens.expires_at if tokens else None,
        last_event_at=(found[0].received_at or found[0].finished_at) if found else None,
    )


def token_state(athlete: Athlete, tokens: TokenSet | None) -> TokenState:
    """Tell whether the athlete's tokens work, by what is stored."""
    if athlete.status == AthleteStatus.REVOKED:
        return TokenState.REMOVED
    if athlete.status == AthleteStatus.ARCHIVE_ONLY:
        return TokenState.NONE
    if tokens is None:
        return TokenState.MISSING
    return TokenState.REJECTED if athlete.status == AthleteStatus.TOKEN_REJECTED else TokenState.GOOD


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
        utc_text(athlete.status_since or athlete.updated_at),
        athlete.status_reason,
    )


def short_row(state: AthleteState, now: datetime, zone: ZoneInfo) -> Sequence[Any]:
    """Return what a person asks first."""
    athlete = state.athlete
    missing = ", ".join(missing_scopes(athlete.scope)) if athlete.scope else "not told by Strava"
    missing = "" if state.token is TokenState.NONE else missing
    last = "none" if state.last_event_at is None else minute(state.last_event_at, zone)
    return athlete.athlete_id, athlete.status, ", ".join(sorted(athlete.scope)), missing, last, _token(state, now, zone)


def _token(state: AthleteState, now: datetime, zone: ZoneInfo) -> str:
    if state.token in {TokenState.MISSING, TokenState.REJECTED}:
        return f"{state.token}; {REPAIR}"
    if state.token in {TokenState.REMOVED, TokenState.NONE} or state.token_expires_at is None:
        return state.token
    if state.token_expires_at <= now:
        return f"{state.token}; renewed at its next use"
    return f"{state.token} until {minute(state.token_expires_at, zone)}, then renewed"
