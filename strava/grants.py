"""What an athlete granted: tokens, and whose they are."""

from collections.abc import Callable
from dataclasses import dataclass

from strava.client import StravaClient
from strava.oauth import OAuthApp
from strava.tokens import TokenSet


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """Tokens that are stored nowhere yet, and the athlete whose they are."""

    athlete_id: int
    tokens: TokenSet


async def exchange_code(app: OAuthApp, code: str, client_of: Callable[[TokenSet], StravaClient]) -> Grant:
    """Trade an authorisation code in; where the answer does not say whose the tokens are, ask with them.

    Raises StravaError. The code is spent then, unless the request has never left this machine.
    """
    tokens, athlete_id = await app.exchange(code)
    if athlete_id is None:
        athlete_id = (await client_of(tokens).athlete()).athlete_id
    return Grant(athlete_id=athlete_id, tokens=tokens)
