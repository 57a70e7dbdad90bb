"""The two links of connecting: the invitation, and the `state` that Strava brings back.

https://developers.strava.com/docs/authentication/. Both are signed with a key made from the app's client secret.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from runtime.signing import Signer

CONNECT_PATH = "/connect"
CALLBACK_PATH = "/connect/callback"
STATE_LIFETIME = timedelta(minutes=30)  # to log in at Strava, find the second factor, and read


@dataclass(frozen=True, kw_only=True, slots=True)
class Invite:
    """An invitation to connect one athlete."""

    invite_id: str
    expires_at: datetime


class ConnectLinks:
    """Makes and reads them. Reading raises SignatureInvalid and SignatureExpired."""

    def __init__(self, client_secret: str) -> None:
        self._invites = Signer(client_secret, "connect invite")
        self._states = Signer(client_secret, "connect state")

    def invite(self, base_url: str, *, expires_at: datetime) -> tuple[Invite, str]:
        """Return a new invitation and its link to the service at that address."""
        invite = Invite(invite_id=secrets.token_urlsafe(16), expires_at=expires_at.replace(microsecond=0))
        query = urlencode({"invite": self._invites.sign(invite.invite_id, expires_at=invite.expires_at)})
        return invite, f"{base_url}{CONNECT_PATH}?{query}"

    def read_invite(self, text: str, *, now: datetime) -> Invite:
        """Return what a link's `invite` says."""
        parts, expires_at = self._invites.read(text, now=now)
        return Invite(invite_id=parts[0], expires_at=expires_at)

    def state(self, invite: Invite, browser: str, *, now: datetime) -> tuple[str, datetime]:
        """Return a state for the browser that keeps this secret, and its end: that of the invitation at the latest."""
        expires_at = min(now + STATE_LIFETIME, invite.expires_at)
        end_of_invite = str(int(invite.expires_at.timestamp()))
        return self._states.sign(invite.invite_id, end_of_invite, digest_of(browser), expires_at=expires_at), expires_at

    def read_state(self, text: str, *, now: datetime) -> tuple[Invite, str]:
        """Return the invitation of a state, and the digest of its browser's secret."""
        (invite_id, end_of_invite, digest), _ = self._states.read(text, now=now)
        return Invite(invite_id=invite_id, expires_at=datetime.fromtimestamp(int(end_of_invite), UTC)), digest


def digest_of(browser: str) -> str:
    """Return what a state, which others can read, tells of a browser's secret."""
    return hashlib.sha256(browser.encode(errors="replace")).hexdigest()
