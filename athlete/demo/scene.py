"""A running demo: all programs up, the athlete connected, the webhook subscribed."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from athlete.backends import open_queue, open_store, open_tokens
from athlete.demo.opening import connect, subscribe
from athlete.demo.pretend import PretendStrava
from athlete.demo.stage import Stage
from athlete.supervisor import ProcessTree
from backends.queue import EventQueue
from backends.warehouse import RawStore
from runtime.http_client import loopback_client
from strava.client import StravaClient


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a running demo speaks through."""

    stage: Stage
    tree: ProcessTree
    pretend: PretendStrava
    store: RawStore
    queue: EventQueue
    client: StravaClient
    athlete_id: int
    subscription_id: int


@asynccontextmanager
async def playing(stage: Stage, programs: Collection[str] | None = None) -> AsyncIterator[Scene]:
    """Start the simulator and the named programs (None: all), connect and subscribe; stop all at the end.

    Raises ProgramFailed, StravaError.
    """
    chosen = [program for program in stage.pipeline() if programs is None or program.name in programs]
    async with ProcessTree(stage.data_dir / "logs") as tree, loopback_client(timeout=30) as http:
        await tree.start([stage.simulator(), *chosen])
        store = open_store(stage.files)
        queue = open_queue(stage.files)
        pretend = PretendStrava(http, stage.simulator_url)
        try:
            tokens = open_tokens(stage.files)
            athlete_id, client = await connect(stage, http, pretend, tokens, store)
            yield Scene(
                stage=stage,
                tree=tree,
                pretend=pretend,
                store=store,
                queue=queue,
                client=client,
                athlete_id=athlete_id,
                subscription_id=await subscribe(stage, http),
            )
        finally:
            await queue.close()
            await store.close()
