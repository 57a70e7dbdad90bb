"""The embedded queue's deliverer as a program: it alone pushes waiting events to the worker."""

import asyncio
import signal
from collections.abc import Callable

import uvloop

from athlete.settings import DelivererSettings
from backends.database_errors import explain_database_error
from backends.queue.embedded import Deliverer, EmbeddedQueue, RedeliveryPolicy, push_client
from runtime.logs import configure_logs
from runtime.startup import exit_on_startup_error


async def deliver(settings: DelivererSettings, on_started: Callable[[], None]) -> None:
    """Push until asked to end (SIGTERM, SIGINT), then finish what is in flight."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    policy = RedeliveryPolicy(
        concurrency=settings.queue_concurrency,
        max_delivery_attempts=settings.queue_max_delivery_attempts,
        min_backoff_s=settings.queue_min_backoff_s,
        max_backoff_s=settings.queue_max_backoff_s,
        ack_deadline_s=settings.queue_ack_deadline_s,
        dead_letter_url=f"{settings.worker_url}/dead-letter",
    )
    EmbeddedQueue(settings.pipeline_path)  # what is wrong with the file is told before anything is delivered
    on_started()
    async with push_client(settings.push_token.get_secret_value()) as http:
        await Deliverer(settings.pipeline_path, http, f"{settings.worker_url}/push", policy=policy).run(stop)


def main() -> None:
    """Run the deliverer with the settings of the environment."""
    with exit_on_startup_error("deliverer", explain=explain_database_error) as started:
        settings = DelivererSettings()
        configure_logs(settings.log_format, settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(deliver(settings, started))


if __name__ == "__main__":
    main()
