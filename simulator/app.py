"""The simulator as a web application, made from finished collaborators."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from runtime.clock import utc_now
from simulator import api, control, oauth_routes, subscription_routes
from simulator.clock import Clock
from simulator.error_handlers import EXCEPTION_HANDLERS
from simulator.journal import Journal
from simulator.simulation import Simulation, Terms
from simulator.world.world import World


def create_app(  # noqa: PLR0913 - its collaborators
    world: World,
    journal: Journal,
    http: httpx.AsyncClient,
    *,
    terms: Terms,
    clock: Clock = utc_now,
    others: Sequence[World] = (),
) -> FastAPI:
    """Return the application. `http` reaches the callbacks; the caller closes it and the journal.

    `others` are the worlds of further athletes.
    """
    app = FastAPI(
        title="Strava simulator",
        lifespan=_lifespan,
        openapi_url=None,  # no /docs: its page loads scripts from elsewhere
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.state.simulation = Simulation([world, *others], journal, http, terms, clock)
    for routes in (subscription_routes, api, oauth_routes, control):
        app.include_router(routes.router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    simulation: Simulation = app.state.simulation
    simulation.webhook_delivery.resume()
    yield
    for account in simulation.accounts:
        await account.autoplay.close()
    await simulation.webhook_delivery.close()
