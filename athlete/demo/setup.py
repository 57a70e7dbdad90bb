"""How a demo begins: the simulated athlete connects by OAuth, Strava's webhook is subscribed."""

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
from strava.oauth import OAuthApp, StravaAuth
from strava.subscriptions import PushSubscriptions


async def connect(
    config: DemoConfig, http: httpx.AsyncClient, simulator: SimulatorClient, tokens: TokenStore, store: RawStore
) -> tuple[int, StravaClient]:
    """Return the athlete's id and a client that speaks for them, connecting first unless an earlier start did."""
    app = OAuthApp(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, oauth_url=config.oauth_url)
    known = [athlete for athlete in await store.athletes() if await tokens.load(athlete.athlete_id)]
    if known:
        athlete_id = known[0].athlete_id
    else:
        code = await simulator.approve(config.oauth_url, f"{config.ports.service_url}/connect/callback")
        granted, athlete_id = await app.exchange(code)
        await tokens.save(athlete_id, granted)
        await store.put_athlete(
            Athlete(athlete_id=athlete_id, scope=granted.scope, status="connected", updated_at=utc_now())
        )
    auth, budget = StravaAuth(athlete_id, tokens, app), open_budget(config.files)
    return athlete_id, StravaClient(http, auth, api_url=config.api_url, budget=budget, lane=Lane.DETAIL)


async def subscribe(config: DemoConfig, http: httpx.AsyncClient) -> int:
    """Subscribe the service's callback, in place of an earlier start's, and return the subscription's id."""
    subscriptions = PushSubscriptions(http, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, api_url=config.api_url)
    for earlier in await subscriptions.list():
        await subscriptions.delete(earlier.id)
    return (await subscriptions.create(config.callback_url, config.verify_token)).id
