"""Runs the service: the one place that reads its settings and picks the queue."""

import asyncio
import gc
import signal
import sys
from types import FrameType

import uvicorn
import uvloop

from backends.logs import configure_logs
from backends.queue.embedded import EmbeddedQueue
from service.app import Service, create_app
from service.gate import Gate
from service.settings import ServiceSettings

GRACE_S = 8  # Cloud Run and most process managers kill after ten seconds
# The writer's thread waits this long for the interpreter before it is let in; with the usual 5 ms the event loop reads
# a whole round of requests first, and then the two take turns instead of working side by side.
SWITCH_INTERVAL_S = 0.0003


def build(settings: ServiceSettings) -> Service:
    """Put the service together as the settings say."""
    gate = Gate(
        path_secret=settings.webhook_path_secret.get_secret_value(),
        verify_token=settings.strava_verify_token.get_secret_value(),
        subscription_id=settings.strava_subscription_id,
    )
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return create_app(
        EmbeddedQueue(settings.pipeline_path),
        gate,
        max_body_bytes=settings.webhook_max_body_bytes,
        publish_timeout_s=settings.publish_timeout_s,
    )


async def serve(settings: ServiceSettings) -> None:
    """Serve until a signal comes; what is in flight is finished first."""
    config = uvicorn.Config(
        build(settings),
        host=settings.service_host,
        port=settings.service_port,
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # nobody asks who the caller is
        timeout_graceful_shutdown=GRACE_S,
    )
    await uvicorn.Server(config).serve()


def main() -> None:
    """Start the program."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    settings = ServiceSettings()
    configure_logs(settings.log_format, settings.log_level)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()  # what was imported lives as long as the program: no need to look for garbage in it
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings))


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """Uvicorn repeats the signal once it has finished: that is the end, and a clean one."""
    sys.exit(0)


if __name__ == "__main__":
    main()
