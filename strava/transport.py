"""The one network call, and how often it is tried. Longer waits belong to the queue."""

from dataclasses import dataclass

import httpx
import stamina

from strava.errors import Unreachable, UnreadableAnswer

_PASSING = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError, httpx.ProxyError)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)  # the request has not left this machine
# A request's extension: what is told whether an unanswered request was sent, for an `Auth` does not see the exception.
ON_UNANSWERED = "on_unanswered"


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How often and how long one call is tried; times in seconds. No new try begins after `within_s`."""

    attempts: int = 3
    within_s: float = 10.0
    first_wait_s: float = 0.2
    longest_wait_s: float = 2.0


class _ServerError(Exception):
    """Carries a 5xx answer to the retrying."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


async def send(
    http: httpx.AsyncClient,
    request: httpx.Request,
    *,
    auth: httpx.Auth | None,
    retry_policy: RetryPolicy,
    may_repeat: bool = True,
) -> httpx.Response:
    """Send and return the answer, a refusal and the last of several 5xx included.

    Tries again on broken connections, time-outs and 5xx, never on 4xx. Without `may_repeat` it tries again only where
    no connection came about: a request whose answer was lost may have done its work. Raises Unreachable and
    UnreadableAnswer, and lets through what `auth` raises.
    """
    passing = (*_PASSING, _ServerError) if may_repeat else _NOT_SENT
    try:
        return await _send_with_retries(http, request, auth, retry_policy, passing)
    except _ServerError as failed:
        return failed.answer
    except _PASSING as error:
        raise Unreachable(type(error).__name__) from error
    except httpx.RequestError as error:  # `from None`, for httpx may repeat a header's value
        raise UnreadableAnswer(request.url.path, type(error).__name__) from None


async def _send_with_retries(
    http: httpx.AsyncClient,
    request: httpx.Request,
    auth: httpx.Auth | None,
    retry_policy: RetryPolicy,
    passing: tuple[type[Exception], ...],
) -> httpx.Response:
    # As a block: the decorator would hand the call's arguments, secrets in a URL included, to stamina's log.
    attempts = stamina.retry_context(
        on=passing,
        attempts=retry_policy.attempts,
        timeout=retry_policy.within_s,
        wait_initial=retry_policy.first_wait_s,
        wait_max=retry_policy.longest_wait_s,
        wait_jitter=retry_policy.first_wait_s,
    )
    async for attempt in attempts:
        with attempt:
            answer = await _send_once(http, request, auth)
            if answer.is_server_error:
                raise _ServerError(answer)
    return answer


async def _send_once(http: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
    try:
        return await http.send(request, auth=auth)
    except BaseException as error:
        if (on_unanswered := request.extensions.pop(ON_UNANSWERED, None)) is not None:
            await on_unanswered(was_sent=not isinstance(error, _NOT_SENT))
        raise
