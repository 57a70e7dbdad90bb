"""The routes of push subscriptions.

https://developers.strava.com/docs/webhooks/
"""

from fastapi import APIRouter, Request, Response

from simulator.dependencies import ApplicationEntered
from simulator.responses import Refusal, answer
from simulator.simulation import rate_headers, simulation_of
from simulator.subscriptions import SubscriptionRefused

router = APIRouter(prefix="/api/v3/push_subscriptions", tags=["Strava webhooks"])


@router.post("")
async def create(request: Request, parameters: ApplicationEntered) -> Response:
    """Subscribe, after the callback answered the challenge."""
    subscriptions = simulation_of(request).subscriptions
    try:
        made = await subscriptions.create(parameters.get("callback_url", ""), parameters.get("verify_token", ""))
    except SubscriptionRefused as refused:
        raise Refusal(400, "PushSubscription", refused.field, refused.code) from refused
    _lose_answer(request)
    return answer(made, status=201, headers=rate_headers(request))


@router.get("")
async def show(request: Request, _: ApplicationEntered) -> Response:
    """The application's subscription, in a list, or an empty list."""
    current = simulation_of(request).subscriptions.current
    return answer([current] if current else [], headers=rate_headers(request))


@router.delete("/{subscription_id}")
async def delete(request: Request, subscription_id: int, _: ApplicationEntered) -> Response:
    """Unsubscribe."""
    if not simulation_of(request).subscriptions.delete(subscription_id):
        raise Refusal(404, "PushSubscription", "id", "invalid", headers=rate_headers(request))
    _lose_answer(request)
    return Response(status_code=204, headers=rate_headers(request))


def _lose_answer(request: Request) -> None:
    """Raises Refusal where the faults say that what was done is not answered."""
    if simulation_of(request).dice.happens("lost_answer"):
        raise Refusal(500)
