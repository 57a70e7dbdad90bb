"""Runs the service. Only this module reads its settings and picks the queue."""

import gc
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from backends.budget.file import FileBudgetStore
from backends.connect.connections import AthleteConnections
from backends.connect.links import ConnectLinks
from backends.connect.oauth import oauth_app
from backends.database_errors import explain_database_error
from backends.queue import EventQueue, QueueUnavailable
from backends.queue.embedded import EmbeddedQueue
from backends.tokens.file import FileTokenStore
from backends.warehouse import WarehouseBusy
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.data_dir import make_private
from runtime.http_client import client_for
from runtime.http_guard import HttpGuard, split_hosts
from runtime.logs import configure_logs
from runtime.serving import run
from runtime.settings import Backend
from runtime.startup import PartMissing, exit_on_startup_error
from service.app import Service, create_app
from service.connect import ConnectFlow, connect_routes
from service.settings import ServiceSettings
from service.webhook_auth import WEBHOOK_PREFIX, WebhookAuth
from strava.budget import RateBudget
from strava.client import StravaClient
from strava.oauth import BearerAuth

STRAVA_TIMEOUT_S = 10.0


def build(settings: ServiceSettings) -> Service:
    """Build the service from its settings."""
    auth = WebhookAuth(
        path_secret=settings.webhook_path_secret.get_secret_value(),
        verify_token=settings.strava_verify_token.get_secret_value(),
    )
    queue = _queue(settings)
    options: dict[str, Any] = {"max_body_bytes": settings.webhook_max_body_bytes, "api_docs": settings.api_docs}
    if not settings.has_strava_app:
        return create_app(queue, auth, **options)
    store = SqliteRawStore(settings.pipeline_path)
    http = client_for(settings.strava_api_url, settings.strava_oauth_url, timeout=STRAVA_TIMEOUT_S)
    routes = connect_routes(_connect_flow(settings, http, store), public_url=settings.public_url)

    async def release() -> None:
        await http.aclose()
        await store.close()

    return create_app(queue, auth, connect=routes, on_stop=release, **options)


def _queue(settings: ServiceSettings) -> EventQueue:
    if settings.backend is Backend.EMBEDDED:
        make_private(settings.data_dir)
        return EmbeddedQueue(settings.pipeline_path, publish_timeout_s=settings.publish_timeout_s)
    if settings.has_strava_app:
        raise PartMissing(
            "BACKEND=gcp has no warehouse yet, so nobody can connect: leave STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET "
            "empty, and the webhook alone is served."
        )
    try:
        from backends.queue.pubsub.queue import PubsubQueue, publisher_client  # noqa: PLC0415 - Google's packages
    except ModuleNotFoundError as error:
        raise PartMissing(f"BACKEND=gcp needs the packages of requirements/service-gcp.txt: {error}.") from error
    client = publisher_client(settings.pubsub_emulator_host)
    return PubsubQueue(client, settings.pubsub_topic, publish_timeout_s=settings.publish_timeout_s)


def _connect_flow(settings: ServiceSettings, http: httpx.AsyncClient, store: SqliteRawStore) -> ConnectFlow:
    budget = RateBudget(FileBudgetStore(settings.budget_path))
    return ConnectFlow(
        ConnectLinks(settings.strava_client_secret.get_secret_value()),
        oauth_app(settings, http),
        lambda tokens: StravaClient(http, BearerAuth(tokens), api_url=settings.strava_api_url, budget=budget),
        AthleteConnections(FileTokenStore(settings.tokens_path), store),
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
    with exit_on_startup_error("service", QueueUnavailable, WarehouseBusy, explain=explain_database_error) as started:
        settings = ServiceSettings()
        configure_logs(settings.log_format, settings.log_level, project=settings.google_cloud_project)
        gc.freeze()  # imported objects live as long as the program, so the collector need not visit them
        run(partial(guard, settings), host=settings.service_host, port=settings.service_port, on_started=started)


if __name__ == "__main__":
    main()
