"""The routes of OAuth: the page where an athlete agrees, tokens and their end.

https://developers.strava.com/docs/authentication/
"""

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from simulator.account import Account
from simulator.dependencies import bearer, hold_up, holder
from simulator.forms import as_application, basic_credentials, check_credentials, read_parameters
from simulator.oauth import Grants, Tokens
from simulator.responses import Refusal, answer
from simulator.scopes import KNOWN, READ
from simulator.simulation import Simulation, simulation_of
from simulator.subscriptions import is_web_address

router = APIRouter(tags=["Strava OAuth"])

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Authorise: Strava simulator</title>
<style>body{{font:16px/1.5 system-ui;margin:10vh auto;max-width:26rem;padding:0 1rem}}label{{display:block}}
button{{margin:1rem .5rem 0 0;padding:.5rem 1rem}}</style>
<h1>Let this application see {whose} activities?</h1>
<p>This is a Strava simulator; nothing real is shared. Untick what should stay hidden.</p>
<form method="post" action="/oauth/authorize">{hidden}{choice}{boxes}
<button name="decision" value="allow">Authorise</button>
<button name="decision" value="deny">Cancel</button></form></html>
"""


@router.get("/oauth/authorize")
async def authorize_page(request: Request) -> Response:
    """Ask the athlete; with `approval_prompt=auto` and everything granted already, go straight back.

    Of several athletes it asks who it is, unless the address names an `athlete_id`.
    """
    simulation, parameters = simulation_of(request), dict(request.query_params)
    wanted, account = _check_request(simulation, parameters), _chosen(simulation, parameters)
    is_known = len(simulation.accounts) == 1 or "athlete_id" in parameters
    is_auto = is_known and parameters.get("approval_prompt", "auto") == "auto"
    if is_auto and set(wanted) <= account.grants.scopes:
        return _back(parameters, {"code": account.grants.approve(frozenset(wanted)), "scope": ",".join(wanted)})
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(parameters.get(name, ""))}">'
        for name in ("client_id", "redirect_uri", "response_type", "state")
    )
    boxes = "".join(
        f'<label><input type="checkbox" name="scope" value="{name}" checked> {name}</label>' for name in wanted
    )
    whose = "your" if len(simulation.accounts) > 1 else f"{account.world.person.firstname}'s"
    choice = _choice(simulation, account)
    return HTMLResponse(PAGE.format(whose=whose, hidden=hidden, choice=choice, boxes=boxes))


@router.post("/oauth/authorize")
async def authorize(request: Request) -> Response:
    """What the athlete decided: back to the application with a code and the ticked scopes, or with an error.

    It is the first athlete where no `athlete_id` is given.
    """
    simulation = simulation_of(request)
    async with request.form() as form:
        parameters = {key: value for key, value in form.items() if isinstance(value, str)}
        ticked = [value for value in form.getlist("scope") if isinstance(value, str)]
    scopes = _check_request(simulation, parameters | {"scope": ",".join([READ, *ticked])})
    account = _chosen(simulation, parameters)
    if parameters.get("decision") == "deny":
        return _back(parameters, {"error": "access_denied"})
    return _back(parameters, {"code": account.grants.approve(frozenset(scopes)), "scope": ",".join(scopes)})


@router.post("/oauth/token")
@router.post("/api/v3/oauth/token")
async def token(request: Request) -> Response:
    """Trade a code or a refresh token for tokens."""
    simulation = simulation_of(request)
    await hold_up(simulation)
    parameters = await as_application(request)
    if parameters.get("grant_type") == "authorization_code":
        account, issued = _issued(simulation, lambda grants: grants.exchange(parameters.get("code", "")))
        if issued is None:
            raise Refusal(400, "RequestToken", "code", "invalid")
        return answer(_told(simulation, issued) | {"athlete": account.world.athlete(is_detailed=False)})
    if parameters.get("grant_type") != "refresh_token":
        raise Refusal(400, "RequestToken", "grant_type", "invalid")
    _, issued = _issued(simulation, lambda grants: grants.refresh(parameters.get("refresh_token", "")))
    if issued is None:
        raise Refusal(400, "RefreshToken", "refresh_token", "invalid")
    return answer(_told(simulation, issued))


@router.post("/oauth/revoke")
async def revoke(request: Request) -> Response:
    """End the grant that a token belongs to; an unknown token is success (RFC 7009)."""
    parameters = await read_parameters(request)
    simulation = simulation_of(request)
    check_credentials(simulation.terms, parameters | basic_credentials(request))
    for account in simulation.accounts:
        if account.grants.knows(parameters.get("token", "")):
            account.actions.deauthorize()
    return answer({})


@router.post("/oauth/deauthorize")
@router.post("/api/v3/oauth/deauthorize")
async def deauthorize(request: Request) -> Response:
    """End the grant, the older way: by its own access token."""
    simulation = simulation_of(request)
    held = bearer(request) or (await read_parameters(request)).get("access_token", "")
    account, scopes = holder(simulation, held)
    if scopes is None:
        raise Refusal(401, "Athlete", "access_token", "invalid")
    account.actions.deauthorize()
    return answer({"access_token": held})


def _check_request(simulation: Simulation, parameters: dict[str, str]) -> list[str]:
    """Return the wanted scopes, in Strava's order. Raises Refusal."""
    if parameters.get("client_id") != simulation.terms.client_id:
        raise Refusal(400, "Application", "client_id", "invalid")
    if parameters.get("response_type", "code") != "code":
        raise Refusal(400, "Authorize", "response_type", "invalid")
    if not is_web_address(parameters.get("redirect_uri", "")):
        raise Refusal(400, "Application", "redirect_uri", "invalid")
    wanted = {part for part in parameters.get("scope", "").replace(" ", ",").split(",") if part}
    if not wanted or not wanted <= set(KNOWN):
        raise Refusal(400, "Authorize", "scope", "invalid")
    return [name for name in KNOWN if name in wanted]


def _chosen(simulation: Simulation, parameters: dict[str, str]) -> Account:
    """Return the account of the athlete who decides. Raises Refusal."""
    account = simulation.account_of(parameters.get("athlete_id", ""))
    if account is None:
        raise Refusal(400, "Authorize", "athlete_id", "invalid")
    return account


def _choice(simulation: Simulation, chosen: Account) -> str:
    """Return the field that asks who is connecting; nothing where there is one athlete."""
    if len(simulation.accounts) == 1:
        return ""
    options = "".join(
        f'<option value="{account.world.athlete_id}"{" selected" if account is chosen else ""}>'
        f"{account.world.person.firstname} ({account.world.athlete_id})</option>"
        for account in simulation.accounts
    )
    return f'<label>Who is connecting? <select name="athlete_id">{options}</select></label>'


def _issued(simulation: Simulation, ask: Callable[[Grants], Tokens | None]) -> tuple[Account, Tokens | None]:
    """Ask each athlete's grant for tokens; only one of them knows the code or the refresh token."""
    for account in simulation.accounts:
        issued = ask(account.grants)
        if issued is not None:
            return account, issued
    return simulation.accounts[0], None


def _back(parameters: dict[str, str], outcome: dict[str, str]) -> Response:
    target = parameters["redirect_uri"]
    joint = "&" if httpx.URL(target).query else "?"
    query = urlencode({"state": parameters.get("state", "")} | outcome)
    return RedirectResponse(target + joint + query, status_code=302)


def _told(simulation: Simulation, issued: Tokens) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "access_token": issued.access_token,
        "expires_at": issued.expires_at,
        "expires_in": max(0, issued.expires_at - int(simulation.clock().timestamp())),
        "refresh_token": issued.refresh_token,
        "scope": ",".join(name for name in KNOWN if name in issued.scopes),
    }
