"""Which answer each refusal becomes: Strava's shape for its API, a page elsewhere, `detail` for the control API."""

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from simulator.responses import Refusal, answer, bad_request, not_found, unknown_path
from simulator.simulation import rate_headers
from simulator.world.edits import ImpossibleChange

CONTROL = "/simulator/"
API = "/api/v3/"
RESOURCES = {"push_subscriptions": "PushSubscription", "athletes": "Athlete"}
NO_PAGE = "<!doctype html><html lang=en><title>Page not found</title><h1>Page not found</h1></html>"


def answer_refusals(app: FastAPI) -> None:
    """Let the application answer what its routes refuse."""
    app.add_exception_handler(Refusal, _refuse)
    app.add_exception_handler(ImpossibleChange, _refuse_change)
    app.add_exception_handler(RequestValidationError, _refuse_unreadable)
    for status in (404, 405):  # no route, or none for the method
        app.add_exception_handler(status, _refuse_address)


async def _refuse(_: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    return answer(refusal.body, status=refusal.status, headers=refusal.headers)


async def _refuse_change(_: Request, impossible: Exception) -> Response:
    return answer({"detail": f"{impossible}"}, status=422)


async def _refuse_unreadable(request: Request, unreadable: Exception) -> Response:
    if not isinstance(unreadable, RequestValidationError):
        raise unreadable
    found = unreadable.errors()
    if request.url.path.startswith(CONTROL):  # what was given is left out: it may be nothing that JSON can hold
        return answer({"detail": [{key: error[key] for key in ("type", "loc", "msg")} for error in found]}, status=422)
    return await _refuse(request, _unreadable(request, *found[0]["loc"][:2]))


def _unreadable(request: Request, place: str, name: str) -> Refusal:
    """Return what Strava says of a parameter: an id that is no number is unknown, anything else is a bad request."""
    resource = RESOURCES.get(request.url.path.removeprefix(API).split("/")[0], "Activity")
    if place == "path":
        return not_found(resource, rate_headers(request))
    return bad_request(resource, name.replace("_", " "), "invalid")


async def _refuse_address(request: Request, missing: Exception) -> Response:
    """Answer for an address that is not there: the API in its own shape, the website around it with a page."""
    if not isinstance(missing, HTTPException):
        raise missing
    if request.url.path.startswith(CONTROL):
        return await http_exception_handler(request, missing)
    if request.url.path.startswith(API):
        return await _refuse(request, unknown_path(rate_headers(request)))
    return HTMLResponse(NO_PAGE, status_code=404)
