"""Which answer each refusal becomes: Strava's shape for its API, `detail` for the control API."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError

from simulator.answers import Refusal, answer, bad_request, not_found
from simulator.world.edits import ImpossibleChange

CONTROL = "/simulator/"
SUBSCRIPTIONS = "/api/v3/push_subscriptions/"


def answer_refusals(app: FastAPI) -> None:
    """Let the application answer what its routes refuse."""
    app.add_exception_handler(Refusal, _refuse)
    app.add_exception_handler(ImpossibleChange, _refuse_change)
    app.add_exception_handler(RequestValidationError, _refuse_unreadable)


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
    return await _refuse(request, _unreadable(request.url.path, *found[0]["loc"][:2]))


def _unreadable(path: str, place: str, name: str) -> Refusal:
    """Return what Strava says of a parameter: an id that is no number is unknown, anything else is a bad request."""
    resource = "PushSubscription" if path.startswith(SUBSCRIPTIONS) else "Activity"
    return not_found(resource) if place == "path" else bad_request(resource, name.replace("_", " "), "invalid")
