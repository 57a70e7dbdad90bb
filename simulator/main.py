"""The simulator as a program: `python -m simulator.main`, settings from `SIMULATOR_*`."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import httpx
import structlog
from fastapi import FastAPI

from runtime.clock import utc_now
from runtime.http_guard import HttpGuard, split_hosts
from runtime.logs import configure_logs
from runtime.serving import serve as serve_http
from runtime.startup import exit_on_startup_error
from simulator.app import create_app
from simulator.journal import Journal, StateUnusable
from simulator.rates import Limits
from simulator.recorded import Recorded, UnreadableRecording, read_recorded
from simulator.settings import PREFIX, SimulatorSettings
from simulator.simulation import Terms
from simulator.webhook_delivery import RetrySpacing
from simulator.world.world import Origin, World, other_worlds

log = structlog.get_logger(__name__)


def build(settings: SimulatorSettings, journal: Journal, http: httpx.AsyncClient) -> FastAPI:
    """Make the application that the settings describe."""
    fresh = Origin(
        seed=settings.seed,
        athlete_id=settings.athlete_id,
        years=settings.years,
        until=utc_now().date(),
        density=settings.density,
    )
    folder = settings.recorded_dir
    recorded = read_recorded(folder, settings.athlete_id) if folder else Recorded()
    origin = Origin.kept(journal, fresh)
    world = World(origin, journal, recorded)
    others = other_worlds(origin, journal, settings.athletes)
    log.info("world.made", activities=len(world), recorded=len(recorded.activities), until=str(world.origin.until))
    terms = Terms(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        read_limit=Limits.from_text(settings.read_limit),
        overall_limit=Limits.from_text(settings.overall_limit),
        retry_spacing=RetrySpacing.from_text(settings.retry_spacing),
    )
    return create_app(world, journal, http, terms=terms, others=others)


async def serve(settings: SimulatorSettings, on_started: Callable[[], None]) -> None:
    """Serve until told to stop."""
    journal = Journal(settings.state)
    try:
        async with httpx.AsyncClient(trust_env=False) as http:  # callbacks are local: no proxy
            hosts = split_hosts(settings.allowed_hosts)
            app = HttpGuard(build(settings, journal, http), host=settings.host, allowed_hosts=hosts)
            await serve_http(app, host=settings.host, port=settings.port, on_started=on_started)
    finally:
        journal.close()


def main() -> None:
    """Run the program."""
    refusal = exit_on_startup_error("simulator", StateUnusable, UnreadableRecording, settings_prefix=PREFIX)
    with suppress(KeyboardInterrupt), refusal as started:
        settings = SimulatorSettings()
        configure_logs(settings.log_format, settings.log_level)
        asyncio.run(serve(settings, started))


if __name__ == "__main__":
    main()
