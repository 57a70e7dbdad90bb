"""Push subscriptions: one per application, and only for a callback that answers the challenge."""

import asyncio
from typing import Any

import pytest

CREDENTIALS = {"client_id": "4242", "client_secret": "simulated-client-secret"}


async def test_creating_asks_the_challenge_and_answers_201(bare_lab: Any) -> None:
    """The GET carries mode, challenge and verify token."""
    answer = await bare_lab.subscribe()
    (challenge,) = bare_lab.callback.challenges
    assert answer.status_code == 201
    assert answer.json()["callback_url"] == "http://callback.test/webhook/secret"
    assert (challenge["hub.mode"], challenge["hub.verify_token"]) == ("subscribe", "v-1")


async def test_second_subscription_already_exists(lab: Any) -> None:
    """One per application."""
    answer = await lab.subscribe("http://callback.test/other")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "already exists")


async def test_only_one_of_two_subscriptions_at_once_is_made(bare_lab: Any) -> None:
    """Both callbacks may answer the challenge; the second to do so already finds one."""
    both_are_asked = asyncio.Barrier(2)
    bare_lab.callback.before_answer = both_are_asked.wait
    answers = await asyncio.gather(bare_lab.subscribe(), bare_lab.subscribe("http://callback.test/other"))
    made, refused = sorted(answers, key=lambda one: int(one.status_code))
    assert (made.status_code, refused.status_code) == (201, 400)
    assert refused.json()["errors"][0]["code"] == "already exists"
    (listed,) = (await bare_lab.client.get("/api/v3/push_subscriptions", params=CREDENTIALS)).json()
    assert listed == made.json()


async def test_callback_that_does_not_answer_200_is_refused(bare_lab: Any) -> None:
    """In Strava's own words."""
    bare_lab.callback.challenge_status = 201
    answer = await bare_lab.subscribe()
    assert answer.json() == {
        "message": "Bad Request",
        "errors": [
            {
                "resource": "PushSubscription",
                "field": "callback url",
                "code": "GET to callback URL does not return 200",
            }
        ],
    }


async def test_callback_that_echoes_something_else_is_refused(bare_lab: Any) -> None:
    """The challenge must come back as it went."""
    bare_lab.callback.echo = "something else"
    answer = await bare_lab.subscribe()
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "not verifiable")


async def test_callback_whose_answer_cannot_be_decoded_is_refused(bare_lab: Any) -> None:
    """It says gzip and is not."""
    bare_lab.callback.encoding = "gzip"
    answer = await bare_lab.subscribe()
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "not verifiable")


@pytest.mark.slow
async def test_callback_that_hangs_is_refused_after_two_seconds(bare_lab: Any) -> None:
    """Strava does not wait longer, and nothing is subscribed."""
    bare_lab.callback.before_answer = asyncio.Event().wait
    answer = await bare_lab.subscribe()
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "not verifiable")
    listed = await bare_lab.client.get("/api/v3/push_subscriptions", params=CREDENTIALS)
    assert listed.json() == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://callback.test/",
        "http://callback.test/" + "x" * 256,
        "http://[::1",
        "http://callback.test:999999/",
        "http://callback.test:port/",
        "http://callback.test/\x01",
        "http:///path",
    ],
)
async def test_callback_must_be_short_and_a_web_address(bare_lab: Any, url: str) -> None:
    """At most 255 characters; refused before anything is called."""
    answer = await bare_lab.subscribe(url)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "callback url")
    assert bare_lab.callback.challenges == []


async def test_list_and_delete(lab: Any) -> None:
    """A list of one, then 204, then an empty list and 404."""
    (listed,) = (await lab.client.get("/api/v3/push_subscriptions", params=CREDENTIALS)).json()
    address = f"/api/v3/push_subscriptions/{listed['id']}"
    assert (await lab.client.delete(address, params=CREDENTIALS)).status_code == 204
    assert (await lab.client.get("/api/v3/push_subscriptions", params=CREDENTIALS)).json() == []
    assert (await lab.client.delete(address, params=CREDENTIALS)).status_code == 404


async def test_wrong_credentials_are_refused(lab: Any) -> None:
    """Subscriptions belong to the application."""
    answer = await lab.client.get("/api/v3/push_subscriptions", params=CREDENTIALS | {"client_secret": "x"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [({"inactive": True}, 403, "Inactive"), ({"rate_limited": 1}, 429, "exceeded"), ({"server_error": 1}, 500, None)],
)
async def test_subscriptions_fail_as_the_rest_of_the_api(
    bare_lab: Any, fault: dict[str, Any], status: int, code: str | None
) -> None:
    """A lapsed application, a spent limit and a failing server refuse before the callback is asked."""
    await bare_lab.faults(**fault)
    answer = await bare_lab.subscribe()
    assert answer.status_code == status
    assert [error["code"] for error in answer.json()["errors"]] == ([] if code is None else [code])
    assert bare_lab.callback.challenges == []


async def test_an_answer_can_be_lost_after_the_work_is_done(bare_lab: Any) -> None:
    """500 is answered, and the subscription is made; and so is it deleted."""
    await bare_lab.faults(lost_answer=1)
    assert (await bare_lab.subscribe()).status_code == 500
    (listed,) = (await bare_lab.client.get("/api/v3/push_subscriptions", params=CREDENTIALS)).json()
    address = f"/api/v3/push_subscriptions/{listed['id']}"
    assert (await bare_lab.client.delete(address, params=CREDENTIALS)).status_code == 500
    assert (await bare_lab.client.get("/api/v3/push_subscriptions", params=CREDENTIALS)).json() == []
