"""Who granted what: authorisation codes, access tokens and the refresh token that rotates.

https://developers.strava.com/docs/authentication/
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.clock import Clock
from simulator.faults import Dice
from simulator.journal import Journal
from simulator.scopes import Scopes

LIFETIME = timedelta(hours=6)
RENEWED_WHEN_LEFT = timedelta(hours=1)
CODE_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token request gets; `expires_at` is in epoch seconds."""

    access_token: str
    refresh_token: str
    scopes: Scopes
    expires_at: int


class Grants:
    """One athlete's grant to the one application, remembered in the journal."""

    def __init__(self, journal: Journal, clock: Clock, dice: Dice, *, seed: int) -> None:
        self._journal, self._clock, self._dice, self._seed = journal, clock, dice, seed
        self._codes: dict[str, tuple[Scopes, datetime]] = {}

    @property
    def scopes(self) -> Scopes:
        """What is granted now; nothing when the athlete never authorised or revoked."""
        return frozenset(self._kept.get("scopes", ()))

    def approve(self, scopes: Scopes) -> str:
        """The athlete agreed: return a code, good once and for ten minutes."""
        code = self._secret("code")
        self._codes[code] = (scopes, self._clock() + CODE_LIFETIME)
        return code

    def exchange(self, code: str) -> Tokens | None:
        """Trade a code for tokens; None when it is unknown, used or too old."""
        scopes, until = self._codes.pop(code, (frozenset[str](), self._clock()))
        if until <= self._clock():
            return None
        return self._renewed() if scopes == self.scopes else self._issue(scopes)

    def refresh(self, refresh_token: str) -> Tokens | None:
        """Return the access token in use while it has an hour left, else new tokens; None for a dead refresh token."""
        if not refresh_token or refresh_token != self._kept.get("refresh_token"):
            return None
        return self._renewed()

    def access(self, token: str) -> Scopes | None:
        """Return what a token may do; None when it is unknown, expired or revoked."""
        kept = self._kept.get("access", {}).get(token)
        return frozenset(kept["scopes"]) if kept is not None and self._seconds_left(kept) > 0 else None

    def knows(self, token: str) -> bool:
        """Whether a token, access or refresh, belongs to the grant, expired or not."""
        return bool(token) and (token in self._kept.get("access", {}) or token == self._kept.get("refresh_token"))

    def revoke(self) -> bool:
        """End the grant and kill all its tokens; return whether there was one."""
        had = bool(self._kept)
        self._journal.drop("oauth", "grant")
        return had

    @property
    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = self._journal.of("oauth").get("grant", {})
        return kept

    def _seconds_left(self, access: dict[str, Any]) -> float:
        dies_at = min(access["expires_at"], access["issued_at"] + self._dice.faults.token_lifetime_s)
        return float(dies_at - self._clock().timestamp())

    def _renewed(self) -> Tokens:
        token = self._kept["current"]
        access = self._kept["access"][token]
        least_left = min(RENEWED_WHEN_LEFT.total_seconds(), self._dice.faults.token_lifetime_s / 2)
        if self._seconds_left(access) > least_left:
            return Tokens(token, self._kept["refresh_token"], frozenset(access["scopes"]), access["expires_at"])
        return self._issue(self.scopes)

    def _issue(self, scopes: Scopes) -> Tokens:
        """Make new tokens: the old refresh token is dead at once, old access tokens live until they expire."""
        now = self._clock().timestamp()
        living = {token: kept for token, kept in self._kept.get("access", {}).items() if kept["expires_at"] > now}
        token, refresh_token = self._secret("access"), self._secret("refresh")
        lifetime = min(LIFETIME.total_seconds(), self._dice.faults.token_lifetime_s)
        expires_at = int(now + lifetime)
        fresh = {"scopes": sorted(scopes), "issued_at": now, "expires_at": expires_at}
        grant = {"scopes": sorted(scopes), "refresh_token": refresh_token, "current": token}
        self._journal.put("oauth", "grant", grant | {"access": living | {token: fresh}})
        return Tokens(token, refresh_token, scopes, expires_at)

    def _secret(self, kind: str) -> str:
        """Return 40 hex digits that the seed decides: tokens are repeatable, like everything here."""
        number = int(self._journal.of("oauth").get("number", 0)) + 1
        self._journal.put("oauth", "number", number)
        return hashlib.sha256(f"{self._seed}:{kind}:{number}".encode()).hexdigest()[:40]
