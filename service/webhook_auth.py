"""Authentication of the webhook: a secret part of its path, and Strava's verify token."""

import hmac
from dataclasses import dataclass, field

WEBHOOK_PREFIX = "/webhook/"  # the path of Strava's callback, before the secret


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookAuth:
    """Compares words of a request with the configured ones, in constant time.

    The webhook is disabled while one of the two is unset: no word equals an unset one, not even the empty word.
    """

    path_secret: str = field(repr=False)
    verify_token: str = field(repr=False)

    @property
    def disabled_reason(self) -> str | None:
        """Return a sentence that names the unset settings, or None when both are set."""
        settings = {"WEBHOOK_PATH_SECRET": self.path_secret, "STRAVA_VERIFY_TOKEN": self.verify_token}
        unset = [name for name, value in settings.items() if not value]
        return f"{' and '.join(unset)} must be set before the webhook can receive events" if unset else None

    def is_path_secret(self, secret: str) -> bool:
        """Whether the word is the path secret, with or without a slash at its end, and the webhook is enabled."""
        return bool(self.path_secret and self.verify_token) and _same(secret.removesuffix("/"), self.path_secret)

    def is_verify_token(self, token: str) -> bool:
        """Whether the word is the verify token."""
        return bool(self.verify_token) and _same(token, self.verify_token)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
