"""How often a call is tried."""

from collections.abc import Callable, Iterator
from datetime import UTC

import httpx
import pytest

from runtime.clock import utc_now
from strava.errors import Unreachable, UnreadableAnswer
from strava.transport import RetryPolicy, send

URL = "https://strava.test/api/v3/athlete"
Script = list[int | Exception]


class Strava:
    """Answers by a script of statuses and exceptions, and counts the calls."""

    def __init__(self, script: Script) -> None:
        self._script: Iterator[int | Exception] = iter(script)
        self.calls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        step = next(self._script)
        if isinstance(step, Exception):
            raise step
        return httpx.Response(step)


async def sent(
    strava: Callable[[httpx.Request], httpx.Response], retry_policy: RetryPolicy, *, may_repeat: bool = True
) -> httpx.Response:
    """Send one request to the fake Strava."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(strava)) as http:
        request = http.build_request("GET", URL)
        return await send(http, request, auth=None, retry_policy=retry_policy, may_repeat=may_repeat)


@pytest.mark.parametrize(
    "failure",
    [
        500,
        503,
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("hung up"),
        httpx.ProxyError("503 from the proxy"),
    ],
)
async def test_a_passing_failure_is_tried_again(failure: int | Exception, quick_retries: RetryPolicy) -> None:
    """Broken connections, time-outs and 5xx are got over."""
    strava = Strava([failure, failure, 200])

    assert (await sent(strava, quick_retries)).status_code == 200
    assert strava.calls == 3


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 403, 404, 408, 429])
async def test_an_answer_below_500_is_final(status: int, quick_retries: RetryPolicy) -> None:
    """No refusal is ever asked for twice."""
    strava = Strava([status])

    assert (await sent(strava, quick_retries)).status_code == status
    assert strava.calls == 1


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("slow"), httpx.ReadError("reset"), httpx.WriteError("reset")])
async def test_what_may_have_been_done_is_not_repeated(failure: Exception, quick_retries: RetryPolicy) -> None:
    """A request that may not be repeated is sent once where its answer was lost."""
    strava = Strava([failure, 200])

    with pytest.raises(Unreachable):
        await sent(strava, quick_retries, may_repeat=False)
    assert strava.calls == 1


async def test_a_5xx_to_what_may_not_be_repeated_is_final(quick_retries: RetryPolicy) -> None:
    """Strava may have done the work before it failed."""
    strava = Strava([502, 200])

    assert (await sent(strava, quick_retries, may_repeat=False)).status_code == 502


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")])
async def test_what_never_left_this_machine_is_repeated(failure: Exception, quick_retries: RetryPolicy) -> None:
    """Where no connection came about nothing was sent, so nothing can be done twice."""
    strava = Strava([failure, 200])

    assert (await sent(strava, quick_retries, may_repeat=False)).status_code == 200


async def test_the_last_5xx_is_returned(quick_retries: RetryPolicy) -> None:
    """After the last attempt the answer is the caller's to judge."""
    strava = Strava([500, 502, 503])

    assert (await sent(strava, quick_retries)).status_code == 503
    assert strava.calls == 3


async def test_no_answer_at_all_is_unreachable(quick_retries: RetryPolicy) -> None:
    """After the last attempt a broken connection is Unreachable, naming its kind."""
    strava = Strava([httpx.ConnectError("a"), httpx.ReadTimeout("b"), httpx.ConnectError("c")])

    with pytest.raises(Unreachable, match="ConnectError"):
        await sent(strava, quick_retries)
    assert strava.calls == 3


async def test_attempts_are_a_setting() -> None:
    """One attempt means one call."""
    strava = Strava([500])

    assert (await sent(strava, RetryPolicy(attempts=1))).status_code == 500


async def test_no_attempt_begins_after_the_time() -> None:
    """When the time is over there is no further attempt, however many are allowed."""
    strava = Strava([500])

    assert (await sent(strava, RetryPolicy(attempts=9, within_s=1e-9))).status_code == 500
    assert strava.calls == 1


@pytest.mark.parametrize("error", [httpx.DecodingError("bad gzip"), httpx.LocalProtocolError("bad header: Bearer x")])
async def test_what_no_repetition_mends_is_not_repeated(error: Exception, quick_retries: RetryPolicy) -> None:
    """A body that cannot be unpacked is unreadable at once, and the cause is not shown."""
    strava = Strava([error])

    with pytest.raises(UnreadableAnswer) as caught:
        await sent(strava, quick_retries)
    assert strava.calls == 1
    assert "Bearer" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_default_patience_is_short() -> None:
    """Three attempts within ten seconds: longer waits belong to the queue."""
    assert (RetryPolicy().attempts, RetryPolicy().within_s) == (3, 10.0)


def test_the_clock_is_aware() -> None:
    """Times are UTC and say so."""
    assert utc_now().tzinfo is UTC
