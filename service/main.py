"""Runs the service: the one place that reads its settings and picks the queue."""

import gc
import sys
from functools import partial

from backends.data_folder import make_private
from backends.logs import configure_logs
from backends.queue.embedded import EmbeddedQueue
from backends.serving import run
from service.app import Service, create_app
from service.gate import Gate
from service.settings import ServiceSettings

# The writer's thread waits this long for the interpreter before it is let in; with the usual 5 ms the event loop reads
# a whole round of requests first, and then the two take turns instead of working side by side.
SWITCH_INTERVAL_S = 0.0006


def build(settings: ServiceSettings) -> Service:
    """Put the service together as the settings say."""
    gate = Gate(
        path_secret=settings.webhook_path_secret.get_secret_value(),
        verify_token=settings.strava_verify_token.get_secret_value(),
        subscription_id=settings.strava_subscription_id,
    )
    make_private(settings.data_dir)
    return create_app(
        EmbeddedQueue(settings.pipeline_path),
        gate,
        max_body_bytes=settings.webhook_max_body_bytes,
        publish_timeout_s=settings.publish_timeout_s,
    )


def main() -> None:
    """Start the program."""
    settings = ServiceSettings()
    configure_logs(settings.log_format, settings.log_level)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()  # what was imported lives as long as the program: no need to look for garbage in it
    run(partial(build, settings), host=settings.service_host, port=settings.service_port)


if __name__ == "__main__":
    main()
