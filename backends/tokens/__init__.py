"""The token port: Strava's own `TokenStore`, kept in a file here and in Secret Manager on the cloud."""

from typing import Protocol

from strava.tokens import TokenSet, TokenStore

__all__ = ["AthleteTokens", "TokenSet", "TokenStore", "TokensGone", "TokensUnavailable"]


class TokensUnavailable(Exception):
    """The tokens could not be read or saved; the sentence says what to do and holds no secret."""


class TokensGone(TokensUnavailable):
    """Tokens were kept and are lost; saving brings those of one athlete back."""


class AthleteTokens(TokenStore, Protocol):
    """The tokens of all athletes."""

    async def athlete_ids(self) -> list[int]:
        """Return the athletes who have tokens, in a fixed order. Raises TokensUnavailable."""

    async def close(self) -> None:
        """Release what was opened; closing twice is success."""
