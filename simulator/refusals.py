"""Which answer each refusal becomes: Strava's shape for its API, `detail` for the control API."""

from fastapi import FastAPI, Request, Response

from simulator.answers import Refusal, answer
from simulator.world.edits import ImpossibleChange


def answer_refusals(app: FastAPI) -> None:
    """Let the application answer what its routes refuse."""
    app.add_exception_handler(Refusal, _refuse)
    app.add_exception_handler(ImpossibleChange, _refuse_change)


async def _refuse(_: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    return answer(refusal.body, status=refusal.status, headers=refusal.headers)


async def _refuse_change(_: Request, impossible: Exception) -> Response:
    return answer({"detail": f"{impossible}"}, status=422)
