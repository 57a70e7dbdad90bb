"""One athlete's tokens as JSON, the same in every adapter: a person can read it, and correct it by hand."""

from datetime import UTC, datetime
from typing import Any

from strava.tokens import TokenSet


class DamagedRow(Exception):
    """The row is not what `to_row` writes; the text says where, without what stands there."""


def to_row(tokens: TokenSet) -> dict[str, Any]:
    """Return what JSON can hold."""
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": tokens.expires_at.astimezone(UTC).isoformat(),
        "scope": sorted(tokens.scope),
    }


def from_row(row: Any, where: str) -> TokenSet:
    """Read one athlete's tokens, also as a person may have copied them from Strava's answer. Raises DamagedRow."""
    if not isinstance(row, dict):
        raise DamagedRow(f"{where} is no object")
    for name in ("access_token", "refresh_token"):
        if not (isinstance(row.get(name), str) and row[name].strip()):
            raise DamagedRow(f"{where}.{name} is missing or no text")
    return TokenSet(
        access_token=row["access_token"],
        refresh_token=row["refresh_token"],
        expires_at=_moment(row.get("expires_at"), where),
        scope=_scope(row.get("scope", []), where),
    )


def _moment(value: Any, where: str) -> datetime:
    """Read a time; one without an offset is UTC, as all that we write, and a number is Strava's epoch seconds."""
    try:
        if type(value) is int:
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError, OverflowError, OSError):
        raise DamagedRow(f"{where}.expires_at is missing or no time such as 2026-01-01T00:00:00+00:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _scope(value: Any, where: str) -> frozenset[str]:
    """Read a list of scopes, or Strava's own form of it: one text with commas."""
    scopes = value.replace(",", " ").split() if isinstance(value, str) else value
    if not (isinstance(scopes, list) and all(isinstance(each, str) for each in scopes)):
        raise DamagedRow(f"{where}.scope is no list of texts")
    return frozenset(scopes)
