"""How a demo begins: the simulated athlete connects by OAuth, Strava's webhook is subscribed."""

from functools import partial

import httpx

from athlete.backends import open_budget
from athlete.demo.config import CLIENT_ID, CLIENT_SECRET, DemoConfig
from athlete.demo.simulator_client import SimulatorClient
from backends.tokens import TokenStore
from backends.warehouse import RawStore
from backends.warehouse.athletes import Athlete
from runtime.clock import utc_now
from strava.budget_state import Lane
from strava.client import StravaClient
from strava.grants import exchange_code
from strava.oauth import BearerAuth, OAuthApp, StravaAuth
from strava.subscriptions import PushSubscriptions


async def connect(
    config: DemoConfig, http: httpx.AsyncClient, simulator: SimulatorClient, tokens: TokenStore, store: RawStore
) -> tuple[int, StravaClient]:
    """Return the athlete's id and a client that speaks for them, connecting first unless an earlier start did."""
    app = OAuthApp(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, oauth_url=config.oauth_url)
    budget = open_budget(config.files)
    client_of = partial(StravaClient, http, api_url=config.api_url, budget=budget, lane=Lane.DETAIL)
    known = [athlete for athlete in await store.athletes() if await tokens.load(athlete.athlete_id)]
    if known:
        athlete_id = known[0].athlete_id
    else:
        code = await simulator.approve(config.oauth_url, f"{config.ports.service_url}/connect/callback")
        grant = await exchange_code(app, code, lambda fresh: client_of(BearerAuth(fresh)))
        athlete_id = grant.athlete_id
        await tokens.save(athlete_id, grant.tokens)
        await store.put_athlete(
            Athlete(athlete_id=athlete_id, scope=grant.tokens.scope, status="connected", updated_at=utc_now())
        )
    return athlete_id, client_of(StravaAuth(athlete_id, tokens, app))


async def subscribe(config: DemoConfig, http: httpx.AsyncClient) -> int:
    """Subscribe the service's callback, in place of an earlier start's, and return the subscription's id."""
    subscriptions = PushSubscriptions(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, api_url=config.api_url)
    for earlier in await subscriptions.list():
        await subscriptions.delete(earlier.id)
    return (await subscriptions.create(config.callback_url, config.verify_token)).id
