"""Requests of the application itself: parameters from the form, the query or JSON, and its credentials."""

import base64
import binascii

import orjson
from fastapi import Request

from simulator.responses import Refusal
from simulator.simulation import Terms, simulation_of


async def read_parameters(request: Request) -> dict[str, str]:
    """Return all parameters as text; the body's win over the query's. An unreadable body counts as empty."""
    parameters = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = orjson.loads(await request.body())
        except orjson.JSONDecodeError:
            body = None
        return parameters | ({key: str(value) for key, value in body.items()} if isinstance(body, dict) else {})
    async with request.form() as form:
        return parameters | {key: value for key, value in form.items() if isinstance(value, str)}


async def as_application(request: Request) -> dict[str, str]:
    """Return the parameters of a request that carries the application's id and secret. Raises Refusal."""
    parameters = await read_parameters(request)
    check_credentials(simulation_of(request).terms, parameters)
    return parameters


def check_credentials(terms: Terms, parameters: dict[str, str]) -> None:
    """Raises Refusal when the id or the secret is wrong."""
    if parameters.get("client_id") != terms.client_id:
        raise Refusal(400, "Application", "client_id", "invalid")
    if parameters.get("client_secret") != terms.client_secret:
        raise Refusal(401, "Application", "client_secret", "invalid")


def basic_credentials(request: Request) -> dict[str, str]:
    """Return client id and secret from HTTP Basic, or nothing."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": client_id, "client_secret": secret}
