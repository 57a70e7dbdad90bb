"""The simulator as a web application, made from finished collaborators."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from runtime.clock import utc_now
from simulator import api, control, oauth_routes, subscription_routes
from simulator.actions import Actions
from simulator.activity_log import ActivityLog
from simulator.autoplay import Autoplay
from simulator.clock import Clock
from simulator.error_handlers import answer_refusals
from simulator.faults import Dice
from simulator.journal import Journal
from simulator.oauth import Grants
from simulator.rates import Limits, RateMeter
from simulator.simulation import Application, Simulation
from simulator.subscriptions import Subscriptions
from simulator.webhook_delivery import RetrySpacing, WebhookDelivery
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
    app = FastAPI(title="Strava simulator", lifespan=_living, openapi_url=None)
    app.state.simulation = _simulate(world, journal, http, clock, terms)
    for routes in (subscription_routes, api, oauth_routes, control):
        app.include_router(routes.router)
    answer_refusals(app)
    return app


def _simulate(world: World, journal: Journal, http: httpx.AsyncClient, clock: Clock, terms: Terms) -> Simulation:
    dice = Dice()
    saves = ActivityLog(journal)
    grants = Grants(journal, clock, dice, seed=world.origin.seed)
    application_id = int(terms.application.client_id)
    subscriptions = Subscriptions(journal, http, clock, application_id=application_id)
    webhook_delivery = WebhookDelivery(http, subscriptions, saves, dice, clock, terms.retry_spacing)
    actions = Actions(world, clock, saves, webhook_delivery, grants)
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
        webhook_delivery=webhook_delivery,
        actions=actions,
        autoplay=Autoplay(actions, world, saves),
    )


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    simulation: Simulation = app.state.simulation
    simulation.webhook_delivery.resume()
    yield
    await simulation.autoplay.close()
    await simulation.webhook_delivery.close()
