"""A running demo: all programs up, the athlete connected, the webhook subscribed."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from athlete.backends import open_queue, open_store, open_tokens
from athlete.demo.config import DemoConfig
from athlete.demo.setup import connect, subscribe
from athlete.demo.simulator_client import SimulatorClient
from athlete.supervisor import ProcessTree
from backends.connect.connections import AthleteConnections
from backends.queue import MonitoredQueue
from backends.warehouse import RawStore
from runtime.http_client import loopback_client


@dataclass(frozen=True, kw_only=True)
class DemoSession:
    """The collaborators of a running demo."""

    config: DemoConfig
    tree: ProcessTree
    simulator: SimulatorClient
    store: RawStore
    queue: MonitoredQueue
    athlete_id: int
    subscription_id: int


@asynccontextmanager
async def open_session(config: DemoConfig, programs: Collection[str] | None = None) -> AsyncIterator[DemoSession]:
    """Start the simulator and the named programs (None: all), connect and subscribe; stop all at the end.

    Raises ProgramFailed, StravaError.
    """
    chosen = [program for program in config.pipeline() if programs is None or program.name in programs]
    async with ProcessTree(config.data_dir / "logs") as tree, loopback_client(timeout=30) as http:
        await tree.start([config.simulator(), *chosen])
        async with (
            open_store(config.files) as store,
            open_queue(config.files) as queue,
            open_tokens(config.files) as tokens,
        ):
            simulator = SimulatorClient(http, config.simulator_url)
            connections = AthleteConnections(tokens, store)
            athlete_id = await connect(config, http, simulator, tokens, connections)
            yield DemoSession(
                config=config,
                tree=tree,
                simulator=simulator,
                store=store,
                queue=queue,
                athlete_id=athlete_id,
                subscription_id=await subscribe(config, http),
            )
