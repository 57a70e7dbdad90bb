"""The pretend Strava as a web application, made from finished collaborators."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from simulator import api, control, oauth_routes, push
from simulator.clock import Clock, utc_now
from simulator.courier import Courier, RetrySpacing
from simulator.faults import Dice
from simulator.journal import Journal
from simulator.life import Life
from simulator.live import LiveLife
from simulator.oauth import Grants
from simulator.rates import Limits, RateMeter
from simulator.refusals import answer_refusals
from simulator.saves import SaveLog
from simulator.simulation import Application, Simulation
from simulator.subscriptions import Subscriptions
from simulator.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What Strava agreed with the application: its credentials, its limits, and how it is told."""

    application: Application
    read_limit: Limits
    overall_limit: Limits
    retry_spacing: RetrySpacing


def create_app(
    world: World, journal: Journal, http: httpx.AsyncClient, *, terms: Terms, clock: Clock = utc_now
) -> FastAPI:
    """Return the application. `http` reaches the callbacks; the caller closes it and the journal."""
    # no /docs: its page loads scripts from elsewhere
    app = FastAPI(title="Pretend Strava", lifespan=_living, openapi_url=None)
    app.state.simulation = _simulate(world, journal, http, clock, terms)
    for routes in (push, api, oauth_routes, control):
        app.include_router(routes.router)
    answer_refusals(app)
    return app


def _simulate(world: World, journal: Journal, http: httpx.AsyncClient, clock: Clock, terms: Terms) -> Simulation:
    dice = Dice()
    saves = SaveLog(journal)
    grants = Grants(journal, clock, dice, seed=world.origin.seed)
    application_id = int(terms.application.client_id)
    subscriptions = Subscriptions(journal, http, clock, application_id=application_id)
    courier = Courier(http, subscriptions, saves, dice, clock, terms.retry_spacing)
    life = Life(world, clock, saves, courier, grants)
    return Simulation(
        application=terms.application,
        world=world,
        clock=clock,
        journal=journal,
        dice=dice,
        rates=RateMeter(journal, overall=terms.overall_limit, read=terms.read_limit),
        grants=grants,
        saves=saves,
        subscriptions=subscriptions,
        courier=courier,
        life=life,
        live=LiveLife(life, world, saves),
    )


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    simulation: Simulation = app.state.simulation
    simulation.courier.resume()
    yield
    await simulation.live.close()
    await simulation.courier.close()
