"""Runs the service. Only this module reads its settings and picks the queue."""

import gc
from functools import partial

from backends.database_errors import explain_database_error
from backends.queue.embedded import EmbeddedQueue
from runtime.data_dir import make_private
from runtime.http_guard import HttpGuard, split_hosts
from runtime.logs import configure_logs
from runtime.serving import run
from runtime.startup import exit_on_startup_error
from service.app import Service, create_app
from service.settings import ServiceSettings
from service.webhook import WEBHOOK_PREFIX
from service.webhook_auth import WebhookAuth


def build(settings: ServiceSettings) -> Service:
    """Build the service from its settings."""
    auth = WebhookAuth(
        path_secret=settings.webhook_path_secret.get_secret_value(),
        verify_token=settings.strava_verify_token.get_secret_value(),
    )
    make_private(settings.data_dir)
    return create_app(
        EmbeddedQueue(settings.pipeline_path, publish_timeout_s=settings.publish_timeout_s),
        auth,
        max_body_bytes=settings.webhook_max_body_bytes,
        api_docs=settings.api_docs,
    )


def guard(settings: ServiceSettings) -> HttpGuard:
    """Build the service behind the guard. The webhook accepts any host name, because its path is a secret."""
    hosts = split_hosts(settings.service_allowed_hosts)
    return HttpGuard(build(settings), host=settings.service_host, allowed_hosts=hosts, public_prefix=WEBHOOK_PREFIX)


def main() -> None:
    """Start the program."""
    with exit_on_startup_error("service", explain=explain_database_error) as started:
        settings = ServiceSettings()
        configure_logs(settings.log_format, settings.log_level)
        gc.freeze()  # imported objects live as long as the program, so the collector need not visit them
        run(partial(guard, settings), host=settings.service_host, port=settings.service_port, on_started=started)


if __name__ == "__main__":
    main()
