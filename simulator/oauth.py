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


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A token, what it may do, and from when until when (epoch seconds)."""

    token: str
    scopes: Scopes
    issued_at: float
    expires_at: int


@dataclass(frozen=True, slots=True)
class Issued:
    """What a token request gets."""

    access: AccessToken
    refresh_token: str


class Grants:
    """The one athlete's grant to the one application, remembered in the journal."""

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

    def exchange(self, code: str) -> Issued | None:
        """Trade a code for tokens; None when it is unknown, used or too old."""
        scopes, until = self._codes.pop(code, (frozenset[str](), self._clock()))
        if until <= self._clock():
            return None
        if scopes == self.scopes:
            return self._renewed()
        return self._issue(scopes)

    def refresh(self, refresh_token: str) -> Issued | None:
        """Return the access token in use while it has an hour left, else new tokens; None for a dead refresh token."""
        if not refresh_token or refresh_token != self._kept.get("refresh_token"):
            return None
        return self._renewed()

    def access(self, token: str) -> Scopes | None:
        """Return what a token may do; None when it is unknown, expired or revoked."""
        kept = self._kept.get("access", {}).get(token)
        if kept is None or self._now() >= min(
            kept["expires_at"], kept["issued_at"] + self._dice.faults.token_lifetime_s
        ):
            return None
        return frozenset(kept["scopes"])

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

    def _now(self) -> float:
        return self._clock().timestamp()

    def _renewed(self) -> Issued:
        current = self._kept["current"]
        access = self._read(current)
        dies_at = min(access.expires_at, access.issued_at + self._dice.faults.token_lifetime_s)
        if dies_at - self._now() > min(RENEWED_WHEN_LEFT.total_seconds(), self._dice.faults.token_lifetime_s / 2):
            return Issued(access, self._kept["refresh_token"])
        return self._issue(self.scopes)

    def _read(self, token: str) -> AccessToken:
        kept = self._kept["access"][token]
        return AccessToken(
            token=token, scopes=frozenset(kept["scopes"]), issued_at=kept["issued_at"], expires_at=kept["expires_at"]
        )

    def _issue(self, scopes: Scopes) -> Issued:
        """Make new tokens: the old refresh token is dead at once, old access tokens live until they expire."""
        now = self._now()
        living = {token: kept for token, kept in self._kept.get("access", {}).items() if kept["expires_at"] > now}
        token, refresh_token = self._secret("access"), self._secret("refresh")
        lifetime = min(LIFETIME.total_seconds(), self._dice.faults.token_lifetime_s)
        fresh = {"scopes": sorted(scopes), "issued_at": now, "expires_at": int(now + lifetime)}
        grant = {"scopes": sorted(scopes), "refresh_token": refresh_token, "current": token}
        self._journal.put("oauth", "grant", grant | {"access": living | {token: fresh}})
        return Issued(self._read(token), refresh_token)

    def _secret(self, kind: str) -> str:
        """Return 40 hex digits that the seed decides: tokens are repeatable, like everything here."""
        number = int(self._journal.of("oauth").get("number", 0)) + 1
        self._journal.put("oauth", "number", number)
        return hashlib.sha256(f"{self._seed}:{kind}:{number}".encode()).hexdigest()[:40]
