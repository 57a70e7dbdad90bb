"""All collaborators of one simulator, and how a request finds them."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from fastapi import Request

from simulator.account import Account
from simulator.activity_log import ActivityLog
from simulator.clock import Clock
from simulator.faults import Dice
from simulator.journal import Journal
from simulator.rates import Limits, RateMeter
from simulator.subscriptions import Subscriptions
from simulator.webhook_delivery import RetrySpacing, WebhookDelivery
from simulator.world.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What Strava agreed with the application: its credentials, its limits, and how it is told."""

    client_id: str
    client_secret: str
    read_limit: Limits
    overall_limit: Limits
    retry_spacing: RetrySpacing


class Simulation:
    """Everything that the routes speak to."""

    def __init__(
        self, worlds: Sequence[World], journal: Journal, http: httpx.AsyncClient, terms: Terms, clock: Clock
    ) -> None:
        self.clock, self.terms = clock, terms
        self.dice = Dice()
        self.rates = RateMeter(journal, overall=terms.overall_limit, read=terms.read_limit)
        self.saves = ActivityLog(journal)
        self.subscriptions = Subscriptions(journal, http, clock, application_id=int(terms.client_id))
        self.webhook_delivery = WebhookDelivery(
            http, self.subscriptions, self.saves, self.dice, clock, terms.retry_spacing
        )
        self.accounts = [
            Account(world, self.saves, self.webhook_delivery, dice=self.dice, clock=clock) for world in worlds
        ]

        first = self.accounts[0]
        self.world, self.grants, self.actions, self.autoplay = first.world, first.grants, first.actions, first.autoplay

    def account_of(self, athlete_id: str) -> Account | None:
        """Return the account of an athlete, of the first one where none is named; None for an unknown one."""
        found = [each for each in self.accounts if athlete_id in {"", str(each.world.athlete_id)}]
        return found[0] if found else None


def simulation_of(request: Request) -> Simulation:
    """Return the simulation that the application was made with."""
    simulation: Simulation = request.app.state.simulation
    return simulation


def rate_headers(request: Request) -> dict[str, str]:
    """Return the rate headers of an answer that costs nothing itself."""
    simulation = simulation_of(request)
    return simulation.rates.headers(simulation.clock())
