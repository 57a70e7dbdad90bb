"""The app's way to Strava's OAuth, for every program that connects athletes or speaks for them."""

import httpx

from runtime.settings import StravaAppSettings
from strava.oauth import OAuthApp


def oauth_app(settings: StravaAppSettings, http: httpx.AsyncClient) -> OAuthApp:
    """Return the app that the settings name; the client stays the caller's."""
    return OAuthApp(
        http,
        client_id=settings.strava_client_id,
        client_secret=settings.strava_client_secret.get_secret_value(),
        oauth_url=settings.strava_oauth_url,
    )
