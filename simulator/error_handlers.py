"""Which answer each refusal becomes: Strava's shape for its API, a page elsewhere, `detail` for the control API."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from simulator.responses import Refusal, answer
from simulator.simulation import rate_headers
from simulator.world.edits import ImpossibleChange

CONTROL = "/simulator/"
API = "/api/v3/"
RESOURCES = {"push_subscriptions": "PushSubscription", "athletes": "Athlete"}
NO_PAGE = "<!doctype html><html lang=en><title>Page not found</title><h1>Page not found</h1></html>"


async def _refuse(_: Request, refusal: Refusal) -> Response:
    return answer(refusal.body, status=refusal.status, headers=refusal.headers)


async def _refuse_change(_: Request, impossible: ImpossibleChange) -> Response:
    return answer({"detail": f"{impossible}"}, status=422)


async def _refuse_unreadable(request: Request, unreadable: RequestValidationError) -> Response:
    """Answer as Strava does: an id that is no number is unknown, any other parameter makes a bad request."""
    found = unreadable.errors()
    if request.url.path.startswith(CONTROL):  # what was given is left out: it may be nothing that JSON can hold
        return answer({"detail": [{key: error[key] for key in ("type", "loc", "msg")} for error in found]}, status=422)
    resource = RESOURCES.get(request.url.path.removeprefix(API).split("/")[0], "Activity")
    place, name = found[0]["loc"][:2]
    if place == "path":
        return await _refuse(request, Refusal(404, resource, "id", "invalid", headers=rate_headers(request)))
    return await _refuse(request, Refusal(400, resource, name.replace("_", " "), "invalid"))


async def _refuse_address(request: Request, missing: HTTPException) -> Response:
    """Answer for an address that is not there: the API in its own shape, the website around it with a page."""
    if request.url.path.startswith(CONTROL):
        return await http_exception_handler(request, missing)
    if request.url.path.startswith(API):
        return await _refuse(request, Refusal(404, "resource", "path", "invalid", headers=rate_headers(request)))
    return HTMLResponse(NO_PAGE, status_code=404)


EXCEPTION_HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    Refusal: _refuse,
    ImpossibleChange: _refuse_change,
    RequestValidationError: _refuse_unreadable,
    404: _refuse_address,  # no route
    405: _refuse_address,  # none for the method
}
