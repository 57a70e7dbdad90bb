"""The token port: Strava's own `TokenStore`, kept in a file here and in Secret Manager on the cloud."""

from strava.tokens import TokenSet, TokenStore

__all__ = ["TokenSet", "TokenStore"]
