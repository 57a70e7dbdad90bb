"""All collaborators of one simulator, and how a request finds them."""

from dataclasses import dataclass

from fastapi import Request

from simulator.actions import Actions
from simulator.activity_log import ActivityLog
from simulator.autoplay import Autoplay
from simulator.clock import Clock
from simulator.faults import Dice
from simulator.journal import Journal
from simulator.oauth import Grants
from simulator.rates import RateMeter
from simulator.subscriptions import Subscriptions
from simulator.webhook_delivery import WebhookDelivery
from simulator.world.world import World


@dataclass(frozen=True, slots=True)
class Application:
    """The one application that is registered at this Strava."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Everything that the routes speak to."""

    application: Application
    world: World
    clock: Clock
    journal: Journal
    dice: Dice
    rates: RateMeter
    grants: Grants
    saves: ActivityLog
    subscriptions: Subscriptions
    webhook_delivery: WebhookDelivery
    actions: Actions
    autoplay: Autoplay


def simulation_of(request: Request) -> Simulation:
    """Return the simulation that the application was made with."""
    simulation: Simulation = request.app.state.simulation
    return simulation


def rate_headers(request: Request) -> dict[str, str]:
    """Return the rate headers of an answer that costs nothing itself."""
    simulation = simulation_of(request)
    return simulation.rates.headers(simulation.clock())
