"""The token port: Strava's own `TokenStore`, kept in a file here and in Secret Manager on the cloud."""

from strava.tokens import TokenSet, TokenStore

__all__ = ["TokenSet", "TokenStore", "TokensUnavailable"]


class TokensUnavailable(Exception):
    """The tokens could not be read or saved; the sentence says what to do and holds no secret."""
