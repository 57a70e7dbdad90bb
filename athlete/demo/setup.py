"""How a demo begins: the simulated athlete connects by OAuth, Strava's webhook is subscribed."""

from functools import partial

import httpx

from athlete.backends import open_budget
from athlete.demo.config import CLIENT_ID, CLIENT_SECRET, DemoConfig
from athlete.demo.simulator_client import SimulatorClient
from backends.connect.connections import AthleteConnections
from backends.tokens import AthleteTokens
from strava.client import StravaClient
from strava.grants import Grant, exchange_code
from strava.oauth import BearerAuth, OAuthApp
from strava.subscriptions import PushSubscriptions


async def connect(
    config: DemoConfig,
    http: httpx.AsyncClient,
    simulator: SimulatorClient,
    tokens: AthleteTokens,
    connections: AthleteConnections,
) -> int:
    """Return the athlete's id, connecting first unless an earlier start did."""
    app = OAuthApp(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, oauth_url=config.oauth_url)
    client_of = partial(StravaClient, http, api_url=config.api_url, budget=open_budget(config.files))

    async def grant() -> Grant:
        code = await simulator.approve(config.oauth_url, f"{config.ports.service_url}/connect/callback")
        return await exchange_code(app, code, lambda fresh: client_of(BearerAuth(fresh)))

    known = await tokens.athlete_ids()
    return known[0] if known else (await connections.connect(grant)).athlete_id


async def subscribe(config: DemoConfig, http: httpx.AsyncClient) -> int:
    """Subscribe the service's callback, in place of an earlier start's, and return the subscription's id."""
    subscriptions = PushSubscriptions(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, api_url=config.api_url)
    for earlier in await subscriptions.list():
        await subscriptions.delete(earlier.id)
    return (await subscriptions.create(config.callback_url, config.verify_token)).id
