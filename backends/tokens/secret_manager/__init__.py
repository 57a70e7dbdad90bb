"""Tokens in Google's Secret Manager. Google's client is imported where a composition root asks for the store."""

from typing import TYPE_CHECKING

from backends.tokens import TokensUnavailable
from runtime.settings import SharedSettings

if TYPE_CHECKING:
    from backends.tokens.secret_manager.store import SecretManagerTokenStore


def open_secret_manager_tokens(settings: SharedSettings) -> "SecretManagerTokenStore":
    """Return the athletes' tokens; the caller closes them. It asks nothing yet. Raises TokensUnavailable."""
    from backends.tokens.secret_manager.client import SecretClient  # noqa: PLC0415 - takes 0.6 s, on Google Cloud alone
    from backends.tokens.secret_manager.store import SecretManagerTokenStore  # noqa: PLC0415 - as above

    if not settings.google_cloud_project:
        raise TokensUnavailable("GOOGLE_CLOUD_PROJECT is empty; set it to the id of the project that keeps the tokens.")
    client = SecretClient(settings.google_cloud_project, settings.secret_manager_endpoint)
    return SecretManagerTokenStore(client, settings.token_secret_prefix)
