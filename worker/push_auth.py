"""Who may push to the worker: the queue alone.

Any page in a browser on this machine can post to a loopback port, and a forged push could erase an activity or an
athlete's tokens. So the embedded deliverer proves itself as Pub/Sub does: by a bearer token that nobody else knows.
https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from fastapi import HTTPException, Request

from backends.queue import PushAuth, PushRefusal
from runtime.log_sampling import SampledWarnings

SWITCHED_OFF = (
    "PUSH_TOKEN is not set, so every push is refused: set it to one long random word for the worker and the deliverer "
    "(`openssl rand -hex 24` makes one)"
)
_UNSET = PushRefusal(HTTPStatus.FORBIDDEN, "The worker takes no pushes until PUSH_TOKEN is set.")
_UNKNOWN = PushRefusal(
    HTTPStatus.UNAUTHORIZED, "Only the queue's deliverer may push: PUSH_TOKEN of both programs must be the same."
)


@dataclass(frozen=True, slots=True)
class SharedToken:
    """Lets in who knows the token, compared in constant time. While it is unset nobody is let in."""

    token: str = field(repr=False)

    async def __call__(self, authorization: str) -> PushRefusal | None:
        """Judge one push by its header."""
        if not self.token:
            return _UNSET
        expected = f"Bearer {self.token}"
        is_known = hmac.compare_digest(authorization.encode(errors="replace"), expected.encode())
        return None if is_known else _UNKNOWN


def only_pushes(auth: PushAuth) -> Callable[[Request], Awaitable[None]]:
    """Return a dependency that refuses what is not a push of JSON by the deliverer, before the body is read."""
    refusals = SampledWarnings("push.refused")

    async def check(request: Request) -> None:
        refusal = await auth(request.headers.get("authorization", ""))
        if refusal is not None:
            refusals.warning(status=int(refusal.status), reason=refusal.reason)
            raise HTTPException(refusal.status, refusal.reason, {"www-authenticate": "Bearer"})
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            refusals.warning(status=415, reason="the content type is not application/json")
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A push is application/json.")

    return check
