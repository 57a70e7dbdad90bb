"""Runs the service: the one place that reads its settings and opens its parts."""

import asyncio
import gc
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from backends.connect.connections import AthleteConnections
from backends.connect.links import ConnectLinks
from backends.connect.oauth import oauth_app
from backends.database_errors import explain_database_error
from backends.engine.pipeline import open_budget, open_queue, open_store, open_tokens, prepare_store
from backends.queue import QueueUnavailable
from backends.tokens import AthleteTokens, TokensUnavailable
from backends.warehouse import RawStore, StatementRejected, WarehouseBusy
from runtime.http_client import client_for
from runtime.http_guard import HttpGuard, split_hosts
from runtime.logs import configure_logs
from runtime.serving import run
from runtime.startup import exit_on_startup_error
from service.app import Service, create_app
from service.connect import ConnectFlow, connect_routes
from service.settings import ServiceSettings
from service.webhook_auth import WEBHOOK_PREFIX, WebhookAuth
from strava.client import StravaClient
from strava.oauth import BearerAuth

STRAVA_TIMEOUT_S = 10.0


def build(settings: ServiceSettings) -> Service:
    """Build the service from its settings."""
    auth = WebhookAuth(
        path_secret=settings.webhook_path_secret.get_secret_value(),
        verify_token=settings.strava_verify_token.get_secret_value(),
    )
    queue = open_queue(settings, publish_timeout_s=settings.publish_timeout_s)
    options: dict[str, Any] = {"max_body_bytes": settings.webhook_max_body_bytes, "api_docs": settings.api_docs}
    if not settings.has_strava_app:
        return create_app(queue, auth, **options)
    store, tokens = open_store(settings), open_tokens(settings)
    http = client_for(settings.strava_api_url, settings.strava_oauth_url, timeout=STRAVA_TIMEOUT_S)
    routes = connect_routes(_connect_flow(settings, http, tokens, store), public_url=settings.public_url)

    async def release() -> None:
        await http.aclose()
        await tokens.close()
        await store.close()

    return create_app(queue, auth, connect=routes, on_stop=release, **options)


def _connect_flow(
    settings: ServiceSettings, http: httpx.AsyncClient, tokens: AthleteTokens, store: RawStore
) -> ConnectFlow:
    budget = open_budget(settings)
    return ConnectFlow(
        ConnectLinks(settings.strava_client_secret.get_secret_value()),
        oauth_app(settings, http),
        lambda granted: StravaClient(http, BearerAuth(granted), api_url=settings.strava_api_url, budget=budget),
        AthleteConnections(tokens, store),
        store,
    )


def guard(settings: ServiceSettings) -> HttpGuard:
    """Build the service behind the guard. The webhook accepts any host name, because its path is a secret.

    Under the name of the public address the rest is served too: Strava sends athletes back there.
    """
    hosts = split_hosts(settings.service_allowed_hosts)
    public_name = urlsplit(settings.public_url).hostname
    return HttpGuard(
        build(settings),
        host=settings.service_host,
        allowed_hosts=(*hosts, *filter(None, [public_name])),
        public_prefix=None if hosts else WEBHOOK_PREFIX,
    )


def main() -> None:
    """Start the program."""
    expected = (QueueUnavailable, TokensUnavailable, StatementRejected, WarehouseBusy)
    with exit_on_startup_error("service", *expected, explain=explain_database_error) as started:
        settings = ServiceSettings()
        configure_logs(settings.log_format, settings.log_level, project=settings.google_cloud_project)
        if settings.has_strava_app:
            asyncio.run(prepare_store(settings))
        gc.freeze()  # imported objects live as long as the program, so the collector need not visit them
        run(partial(guard, settings), host=settings.service_host, port=settings.service_port, on_started=started)


if __name__ == "__main__":
    main()
