"""Push subscriptions, on recorded answers."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from strava.errors import AppRejected, BadRequest, NotFound, RateLimited, Retryable, UnreadableAnswer
from strava.subscriptions import PushSubscriptions, Subscription
from strava.transport import RetryPolicy

Recorded = Callable[[str], httpx.Response]
Answer = Callable[[httpx.Request], httpx.Response]
Subscriptions = Callable[[Answer], PushSubscriptions]

CREDENTIALS = {"client_id": "10001", "client_secret": "fake-secret"}
RECORDED = Subscription(id=1_807_680_603, callback_url="https://example.org/webhook")


@pytest.fixture
async def subscriptions(quick_retries: RetryPolicy) -> AsyncIterator[Subscriptions]:
    """Makes the app's subscriptions, of which one function is the other end."""
    opened: list[httpx.AsyncClient] = []

    def make(answer: Answer) -> PushSubscriptions:
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        opened.append(http)
        return PushSubscriptions(
            http,
            client_id=10_001,
            client_secret="fake-secret",
            api_url="https://strava.test/api/v3",
            retry_policy=quick_retries,
        )

    yield make
    for http in opened:
        await http.aclose()


class Forgetful:
    """Strava with one subscription at most: the answer to a create is lost, after or before it was done."""

    def __init__(self, lost: Exception | httpx.Response, *, is_done: bool) -> None:
        self._lost = lost
        self._is_done = is_done
        self.made: list[dict[str, Any]] = []
        self.creates = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=self.made)
        self.creates += 1
        if self._is_done:
            self.made.append({"id": 9, "callback_url": "https://example.org/webhook"})
        if isinstance(self._lost, Exception):
            raise self._lost
        return self._lost


def refused(code: str) -> httpx.Response:
    """Answer as Strava refuses a subscription."""
    errors = [{"resource": "PushSubscription", "field": "callback url", "code": code}]
    return httpx.Response(400, json={"message": "Bad Request", "errors": errors})


LOST = pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("slow"),
        httpx.Response(503),
        httpx.Response(408, text="<html>"),
        httpx.Response(201, text='{"id'),
        refused("already exists"),
    ],
    ids=["no answer", "503", "a proxy's 408", "half an answer", "made meanwhile"],
)


@LOST
async def test_a_create_whose_answer_was_lost_is_found_in_the_list(
    subscriptions: Subscriptions, lost: Exception | httpx.Response
) -> None:
    """Strava did subscribe: that subscription is returned, and no second one is asked for."""
    strava = Forgetful(lost, is_done=True)

    made = await subscriptions(strava).create("https://example.org/webhook", "fake-verify-token")

    assert (made, strava.creates) == (Subscription(id=9, callback_url="https://example.org/webhook"), 1)


@LOST
async def test_a_create_that_was_not_done_is_not_repeated(
    subscriptions: Subscriptions, lost: Exception | httpx.Response
) -> None:
    """Nothing is in the list: the fault is told, and the caller decides."""
    strava = Forgetful(lost, is_done=False)

    with pytest.raises((Retryable, UnreadableAnswer, BadRequest)):
        await subscriptions(strava).create("https://example.org/webhook", "fake-verify-token")
    assert strava.creates == 1


async def test_a_spent_limit_is_no_lost_answer(subscriptions: Subscriptions) -> None:
    """Strava has done nothing, so nothing is looked up."""
    strava = Forgetful(httpx.Response(429), is_done=True)
    with pytest.raises(RateLimited):
        await subscriptions(strava).create("https://example.org/webhook", "fake-verify-token")


@pytest.mark.parametrize(("left", "is_told"), [([], False), ([{"id": 3}], True)], ids=["gone", "still there"])
async def test_a_delete_whose_answer_was_lost_is_decided_by_the_list(
    subscriptions: Subscriptions, left: list[dict[str, Any]], is_told: bool
) -> None:
    """It is done where the subscription is gone; where it stands, the fault is told."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=left) if request.method == "GET" else httpx.Response(503)

    with pytest.raises(Retryable) if is_told else nullcontext():
        await subscriptions(answer).delete(3)


async def test_creates_as_recorded(subscriptions: Subscriptions, recorded: Recorded) -> None:
    """A create posts a form with the app's credentials and gives the recorded subscription."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return recorded("subscription_create")

    created = await subscriptions(answer).create("https://example.org/webhook", "fake-verify-token")

    assert created == RECORDED
    assert (asked[0].method, str(asked[0].url)) == ("POST", "https://strava.test/api/v3/push_subscriptions")
    assert dict(parse_qsl(asked[0].content.decode())) == {
        **CREDENTIALS,
        "callback_url": "https://example.org/webhook",
        "verify_token": "fake-verify-token",
    }


async def test_an_answer_of_an_id_alone_is_enough(subscriptions: Subscriptions) -> None:
    """Strava documents only the id of a new subscription."""
    created = await subscriptions(lambda _: httpx.Response(201, json={"id": 3})).create("https://example.org/w", "v")

    assert created == Subscription(id=3, callback_url="https://example.org/w")


async def test_lists_as_recorded(subscriptions: Subscriptions, recorded: Recorded) -> None:
    """The app's one subscription is found."""
    assert await subscriptions(lambda _: recorded("subscription_list")).list() == [RECORDED]


async def test_no_subscription_is_an_empty_list(subscriptions: Subscriptions) -> None:
    """An app without a subscription has none, which is no error."""
    assert await subscriptions(lambda _: httpx.Response(200, json=[])).list() == []


async def test_deletes_by_id(subscriptions: Subscriptions) -> None:
    """A delete names the subscription and proves the app."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204)

    await subscriptions(answer).delete(3)

    assert (asked[0].method, asked[0].url.path) == ("DELETE", "/api/v3/push_subscriptions/3")
    assert dict(asked[0].url.params) == CREDENTIALS


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("already exists", "athlete subscription show"),
        ("GET to callback URL does not return 200", "without a login or a redirect"),
        ("is too long (maximum is 255 characters)", "shorten PUBLIC_URL"),
        ("not verifiable", "challenge"),
    ],
)
async def test_a_refused_create_says_what_to_do(code: str, advice: str, subscriptions: Subscriptions) -> None:
    """Strava's reason is kept, and explained."""
    with pytest.raises(BadRequest, match=advice) as caught:
        await subscriptions(lambda _: refused(code)).create("https://example.org/w", "v")
    assert caught.value.reasons == (f"PushSubscription/callback url/{code}",)


async def test_wrong_credentials_are_the_apps(subscriptions: Subscriptions, recorded: Recorded) -> None:
    """A recorded 401 here is about client id and secret."""
    with pytest.raises(AppRejected, match="STRAVA_CLIENT_SECRET"):
        await subscriptions(lambda _: recorded("error_401")).list()


async def test_deleting_what_is_gone_is_not_found(subscriptions: Subscriptions, recorded: Recorded) -> None:
    """A 404 is told as such; the caller decides whether that is success."""
    with pytest.raises(NotFound, match="push_subscriptions/3"):
        await subscriptions(lambda _: recorded("error_404")).delete(3)


@pytest.mark.parametrize("body", [{}, [{}], [{"id": "3"}], "x", [None]])
async def test_an_odd_list_is_unreadable(body: Any, subscriptions: Subscriptions) -> None:
    """A subscription without an id is not guessed."""
    with pytest.raises(UnreadableAnswer):
        await subscriptions(lambda _: httpx.Response(200, json=body)).list()


async def test_no_secret_is_ever_logged(
    subscriptions: Subscriptions, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    """Strava wants the secret in the URL, httpx logs URLs, and still it reaches no log, nor does the webhook's path."""
    caplog.set_level(logging.DEBUG, logger="httpx")
    found = await subscriptions(lambda _: recorded("subscription_list")).list()
    await subscriptions(lambda _: httpx.Response(204)).delete(3)

    assert "fake-secret" not in caplog.text
    assert "webhook" not in repr(found)
