"""Texts that only the holder of a secret can have made, and that expire. Their parts can be read by everybody."""

import base64
import hmac
from datetime import UTC, datetime

_DIGEST = "sha256"


class SignatureInvalid(Exception):
    """The text was not made with this secret for this purpose, or not completely."""


class SignatureExpired(Exception):
    """The text was made so, and its time is over."""


class Signer:
    """Signs for one purpose: what is signed for another, with the same secret, is not accepted.

    A signed text holds letters, digits, `-`, `_` and dots alone, and so may its parts, which hold no dot.
    """

    def __init__(self, secret: str, purpose: str) -> None:
        if not secret:
            raise ValueError("an empty secret signs nothing")
        self._key = hmac.digest(secret.encode(), f"athlete-dashboard {purpose}".encode(), _DIGEST)

    def sign(self, *parts: str, expires_at: datetime) -> str:
        """Return the parts and the second in which they expire, signed."""
        signed = ".".join((*parts, str(int(expires_at.timestamp()))))
        return f"{signed}.{self._signature(signed)}"

    def read(self, text: str, *, now: datetime) -> tuple[tuple[str, ...], datetime]:
        """Return the parts and when they expire. Raises SignatureInvalid, SignatureExpired."""
        signed, _, signature = text.rpartition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._signature(signed).encode()):
            raise SignatureInvalid
        *parts, expiry = signed.split(".")
        expires_at = datetime.fromtimestamp(int(expiry), UTC)
        if now >= expires_at:
            raise SignatureExpired
        return tuple(parts), expires_at

    def _signature(self, signed: str) -> str:
        digest = hmac.digest(self._key, signed.encode(errors="replace"), _DIGEST)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
