"""Who may speak to the webhook: an unguessable path and Strava's verify token."""

import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookAuth:
    """Compares what a caller knows with what is configured, in constant time.

    While the path secret or the verify token is unset the gate is shut: nothing is ever compared with "".
    """

    path_secret: str = field(repr=False)
    verify_token: str = field(repr=False)

    @property
    def disabled_reason(self) -> str | None:
        """Return what is missing as a sentence, or None when the gate can open."""
        settings = {"WEBHOOK_PATH_SECRET": self.path_secret, "STRAVA_VERIFY_TOKEN": self.verify_token}
        unset = [name for name, value in settings.items() if not value]
        return f"{' and '.join(unset)} must be set before Strava's webhook can be heard" if unset else None

    def is_path_secret(self, secret: str) -> bool:
        """Whether this is the last part of the webhook's own path, with or without a slash at its end."""
        return bool(self.path_secret and self.verify_token) and _same(secret.removesuffix("/"), self.path_secret)

    def is_verify_token(self, token: str) -> bool:
        """Whether this is the verify token."""
        return bool(self.verify_token) and _same(token, self.verify_token)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
