"""What every API request passes before it is answered: latency, faults, token, scope and rate limits."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from simulator.account import Account
from simulator.forms import as_application
from simulator.responses import Refusal, answer
from simulator.scopes import Scopes, reads_activities
from simulator.simulation import Simulation, simulation_of


@dataclass(frozen=True, slots=True)
class Access:
    """A request that was let in: whose it is, what it may see, and the rate headers of its answer."""

    simulation: Simulation
    account: Account
    scopes: Scopes
    headers: dict[str, str]

    def answer(self, body: Any) -> Response:
        """Answer 200."""
        return answer(body, headers=self.headers)

    def not_found(self, resource: str) -> Refusal:
        """Return the 404 of this request."""
        is_empty = self.simulation.dice.faults.empty_not_found
        return Refusal(404, resource, "id", "invalid", headers=self.headers, is_empty=is_empty)


async def enter(request: Request) -> Access:
    """Let the request in. Raises Refusal."""
    simulation = simulation_of(request)
    await hold_up(simulation)
    refuse_inactive(simulation)
    account, scopes = holder(simulation, bearer(request))
    if scopes is None or simulation.dice.happens("unauthorized"):
        raise Refusal(401, "Athlete", "access_token", "invalid")
    now = simulation.clock()
    is_within = simulation.rates.spend_read(now)
    headers = simulation.rates.headers(now)
    if not is_within or simulation.dice.happens("rate_limited"):
        raise rate_limited(headers)
    return Access(simulation, account, scopes, headers)


async def enter_application(
    request: Request, parameters: Annotated[dict[str, str], Depends(as_application)]
) -> dict[str, str]:
    """Let a request of the application itself in and return its parameters; it costs no limit. Raises Refusal."""
    simulation = simulation_of(request)
    await hold_up(simulation)
    refuse_inactive(simulation)
    if simulation.dice.happens("rate_limited"):
        raise rate_limited(simulation.rates.headers(simulation.clock()))
    return parameters


def refuse_inactive(simulation: Simulation) -> None:
    """Raises Refusal while the application owner's subscription is lapsed."""
    if simulation.dice.faults.inactive:
        raise Refusal(403, "Application", "Status", "Inactive")


def rate_limited(headers: dict[str, str]) -> Refusal:
    """Return the 429."""
    return Refusal(429, "Application", "rate limit", "exceeded", headers=headers)


async def hold_up(simulation: Simulation) -> None:
    """Wait for the latency and fail as the faults say. Raises Refusal."""
    await asyncio.sleep(simulation.dice.latency_s())
    if simulation.dice.happens("server_error"):
        raise Refusal(500)


def enter_activities(access: Annotated[Access, Depends(enter)]) -> Access:
    """Let in what may read activities. Raises Refusal."""
    if not reads_activities(access.scopes):
        raise Refusal(401, "AccessToken", "activity:read_permission", "missing")
    return access


def holder(simulation: Simulation, token: str) -> tuple[Account, Scopes | None]:
    """Return whose access token it is and what it may do; None when nobody's is good."""
    for account in simulation.accounts:
        scopes = account.grants.access(token)
        if scopes is not None:
            return account, scopes
    return simulation.accounts[0], None


def bearer(request: Request) -> str:
    """Return the token: from the header or, as Strava allows until June 2027, from the query."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.query_params.get("access_token", "")


Entered = Annotated[Access, Depends(enter)]
ApplicationEntered = Annotated[dict[str, str], Depends(enter_application)]
ActivitiesEntered = Annotated[Access, Depends(enter_activities)]
