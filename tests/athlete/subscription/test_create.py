"""`athlete subscription create` against a simulator and the real service, which answers its challenge."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from typer.testing import Result

from backends.queue.envelope import PushEnvelope
from backends.warehouse.ledger import LedgerFilter, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from backends.warehouse.subscriptions import KnownSubscription
from strava.events import ReceivedEvent, StravaEvent
from worker.main import build as build_worker
from worker.settings import WorkerSettings

SECRET = "0123456789abcdef-the-path"  # of conftest.py's service
FIRST_ID = 310_001  # the simulator's first subscription
Run = Callable[..., Result]
Current = Callable[[], int | None]


@pytest.mark.slow
def test_create_asks_the_callback_subscribes_and_remembers(
    run: Run, strava: Any, service: Callable[..., str], current: Current
) -> None:
    """The real service answers both challenges; the id is kept; a second create changes nothing and says so."""
    public = service()
    first = run("create", PUBLIC_URL=public)
    assert (first.exit_code, first.stderr) == (0, "")
    assert f"Strava sends events to {public}/webhook/… as subscription {FIRST_ID}." in first.stdout
    assert "answered a challenge in" in first.stdout
    assert [each["callback_url"] for each in strava.subscriptions()] == [f"{public}/webhook/{SECRET}"]
    assert current() == FIRST_ID
    second = run("create", "--public-url", f"{public}/")
    assert (second.exit_code, second.stderr) == (0, "")
    assert second.stdout.startswith(f"Subscription {FIRST_ID} to {public}/webhook/… stands already")
    assert [each["id"] for each in strava.subscriptions()] == [FIRST_ID]


def test_create_tells_a_program_in_json(
    run: Run, service: Callable[..., str], told: Callable[[Result], dict[str, Any]]
) -> None:
    """One object with the result, the id, the masked callback and its answer time."""
    public = service()
    fields = told(run("create", "--json", PUBLIC_URL=public))
    assert fields.pop("answer_seconds") >= 0
    assert fields == {
        "result": "created",
        "subscription_id": FIRST_ID,
        "callback_url": f"{public}/webhook/…",
        "fault": None,
        "override_id": None,
    }
    assert told(run("create", "--json", PUBLIC_URL=public))["result"] == "unchanged"


def test_a_subscription_that_leads_here_already_is_adopted(
    run: Run, strava: Any, service: Callable[..., str], current: Current
) -> None:
    """One that was made by hand, with a slash at its end, is remembered instead of refused."""
    public = service()
    by_hand = strava.subscribe(f"{public}/webhook/{SECRET}/")
    result = run("create", PUBLIC_URL=public)
    assert result.exit_code == 0
    assert f"Strava had subscription {by_hand}" in result.stdout
    assert "adopted" in result.stdout
    assert current() == by_hand
    assert [each["id"] for each in strava.subscriptions()] == [by_hand]


@pytest.mark.slow
@pytest.mark.parametrize("is_own_address", [False, True])
def test_a_subscription_that_leads_elsewhere_is_replaced_only_when_asked(
    run: Run,
    strava: Any,
    service: Callable[..., str],
    serve: Callable[..., str],
    reply: Callable[..., Any],
    current: Current,
    is_own_address: bool,
) -> None:
    """It stays and the sentence says what to do; --replace deletes it and subscribes; its id is kept as ended."""
    old_secret = "the-secret-before-this-one"
    other = serve(reply())
    public = other if is_own_address else service()
    strava.subscribe(f"{other}/webhook/{old_secret}")
    refused = run("create", PUBLIC_URL=public)
    assert refused.exit_code == 1
    words = f"{other}/webhook/…" + (" with another WEBHOOK_PATH_SECRET" if is_own_address else "")
    assert f"The app has subscription {FIRST_ID}, which leads to {words}, and Strava allows one" in refused.stderr
    assert "athlete subscription delete" in refused.stderr
    assert "--replace" in refused.stderr
    assert old_secret not in refused.output
    assert [each["id"] for each in strava.subscriptions()] == [FIRST_ID]
    replaced = run("create", "--replace", PUBLIC_URL=public)
    assert replaced.exit_code == 0, replaced.output
    assert [each["callback_url"] for each in strava.subscriptions()] == [f"{public}/webhook/{SECRET}"]
    assert current() == FIRST_ID + 1


@pytest.mark.slow
def test_an_answer_that_is_lost_is_no_failure(
    run: Run, strava: Any, service: Callable[..., str], current: Current
) -> None:
    """Strava subscribed and answered 500: the list shows it, and nothing is asked twice. So with a delete."""
    public = service()
    strava.switch_faults(lost_answer=1)
    assert run("create", PUBLIC_URL=public).exit_code == 0
    assert [each["id"] for each in strava.subscriptions()] == [FIRST_ID]
    assert current() == FIRST_ID
    assert run("delete", "--yes").exit_code == 0
    assert strava.subscriptions() == []
    assert current() is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "settings", "sentences"),
    [
        ({"inactive": True}, {}, ("inactive", "Renew it")),
        ({"rate_limited": 1}, {}, ("rate limit is used up",)),
        ({}, {"STRAVA_CLIENT_ID": "1"}, ("STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET",)),
        ({}, {"STRAVA_CLIENT_SECRET": "wrong-secret"}, ("STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET",)),
        ({}, {"STRAVA_API_URL": "http://127.0.0.1:1/api/v3"}, ("cannot be reached", "STRAVA_API_URL")),
    ],
    ids=["lapse", "limit", "client id", "client secret", "unreachable"],
)
def test_what_strava_refuses_is_explained(
    run: Run,
    strava: Any,
    service: Callable[..., str],
    faults: dict[str, Any],
    settings: dict[str, str],
    sentences: tuple[str, ...],
) -> None:
    """One sentence with what to do, for each of its three commands."""
    public = service()
    strava.switch_faults(**faults)
    for command in (("create",), ("show",), ("delete", "--yes")):
        result = run(*command, PUBLIC_URL=public, **settings)
        assert result.exit_code == 1
        assert all(sentence in result.stderr for sentence in sentences), result.stderr
        assert len(result.stderr.splitlines()) == 1
    strava.switch_faults()
    assert strava.subscriptions() == []


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        ({"status": 404}, ("GET to callback URL does not return 200", "without a login or a redirect")),
        ({"body": "nothing"}, ("not verifiable", "challenge")),
    ],
)
def test_what_only_strava_meets_on_the_way_is_explained(
    run: Run,
    strava: Any,
    serve: Callable[..., str],
    reply: Callable[..., Any],
    current: Current,
    fields: dict[str, str],
    sentences: tuple[str, ...],
) -> None:
    """Without a question from here Strava's own reason is told with what to do, and nothing is remembered."""
    result = run("create", "--no-check", PUBLIC_URL=serve(reply(**fields)))
    assert result.exit_code == 1
    assert all(sentence in result.stderr for sentence in sentences), result.stderr
    assert strava.subscriptions() == []
    assert current() is None


@pytest.mark.slow
def test_a_replacement_that_fails_half_way_is_told(
    run: Run,
    strava: Any,
    serve: Callable[..., str],
    reply: Callable[..., Any],
    remembered: Callable[[], list[KnownSubscription]],
) -> None:
    """The callback answers us and not Strava: what was deleted is said, and events of every subscription are taken."""
    elsewhere = serve(reply())
    assert run("create", PUBLIC_URL=elsewhere).exit_code == 0
    replies = iter([reply(), reply(status=403)])

    async def fickle(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await next(replies)(scope, receive, send)

    result = run("create", "--replace", PUBLIC_URL=serve(fickle))
    assert result.exit_code == 1
    assert f"Subscription {FIRST_ID} was deleted, but no other was made." in result.stderr
    assert "does not return 200" in result.stderr
    assert "It answered this machine in" in result.stderr
    assert strava.subscriptions() == []
    assert [each.subscription_id for each in remembered() if each.ended_at is not None] == [FIRST_ID]


@pytest.mark.slow
def test_a_replacement_whose_answer_and_list_are_lost_is_not_called_failed(
    run: Run, service: Callable[..., str], serve: Callable[..., str], reply: Callable[..., Any]
) -> None:
    """Strava may have made it: the sentence says that this is not known, and what to run."""
    listed = [f'[{{"id": {FIRST_ID}, "callback_url": "https://elsewhere.example.org/webhook/0123456789abcdef"}}]']

    async def flaky(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "DELETE":
            await reply(status=204, body="")(scope, receive, send)
        elif scope["method"] == "GET" and listed:
            await reply(body=listed.pop())(scope, receive, send)
        else:
            await reply(status=503, body="")(scope, receive, send)

    result = run("create", "--replace", PUBLIC_URL=service(), STRAVA_API_URL=serve(flaky))
    assert result.exit_code == 1
    assert f"Subscription {FIRST_ID} was deleted, but whether another was made is not known." in result.stderr
    assert "it looks first whether Strava has subscribed" in result.stderr


@pytest.mark.slow
def test_a_create_that_strava_does_not_answer_may_be_run_again(
    run: Run, service: Callable[..., str], serve: Callable[..., str], reply: Callable[..., Any]
) -> None:
    """It failed before anything was done: the sentence says that running it again is safe."""
    calls: list[str] = []

    async def flaky(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            calls.append(scope["method"])
            await reply(status=200 if scope["method"] == "GET" else 503, body="[]")(scope, receive, send)

    result = run("create", PUBLIC_URL=service(), STRAVA_API_URL=serve(flaky))
    assert result.exit_code == 1
    assert "it looks first whether Strava has subscribed" in result.stderr
    assert calls == ["GET", "POST", "GET"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "Set PUBLIC_URL"),
        ({"PUBLIC_URL": "http://my.example.org"}, "PUBLIC_URL: it must begin with https://"),
        ({"PUBLIC_URL": f"https://my.example.org/{'x' * 220}"}, "and Strava takes 255: shorten PUBLIC_URL"),
        ({"PUBLIC_URL": "https://192.168.1.7", "STRAVA_API_URL": "https://strava.invalid"}, "Strava cannot reach it"),
        ({"PUBLIC_URL": "https://nas", "STRAVA_API_URL": "https://strava.invalid"}, "Strava cannot reach it"),
        ({"PUBLIC_URL": "https://a.local", "STRAVA_API_URL": "https://strava.invalid"}, "Strava cannot reach it"),
        ({"WEBHOOK_PATH_SECRET": "", "STRAVA_VERIFY_TOKEN": ""}, "Set WEBHOOK_PATH_SECRET, STRAVA_VERIFY_TOKEN"),
        ({"STRAVA_CLIENT_SECRET": ""}, "Set STRAVA_CLIENT_SECRET"),
    ],
)
def test_settings_that_cannot_work_are_named_before_anything_is_asked(
    run: Run, settings: dict[str, str], sentence: str
) -> None:
    """One sentence with what to write instead."""
    result = run("create", **settings)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_option_that_cannot_work_is_named(run: Run) -> None:
    """The sentence names the option, not the setting."""
    assert "--public-url: it is no web address" in run("create", "--public-url", "my.example.org").stderr


@pytest.mark.slow
def test_an_override_is_told_as_long_as_it_keeps_the_events_out(run: Run, service: Callable[..., str]) -> None:
    """STRAVA_SUBSCRIPTION_ID with another id is named by create and by show; with this id it is in order."""
    public = service()
    created = run("create", PUBLIC_URL=public, STRAVA_SUBSCRIPTION_ID="119")
    assert created.exit_code == 0
    words = f"STRAVA_SUBSCRIPTION_ID is 119, so the events of {FIRST_ID} are ignored: remove that setting"
    assert words in created.stderr
    assert words in run("show", PUBLIC_URL=public, STRAVA_SUBSCRIPTION_ID="119").stdout
    assert "Its events are taken." in run("show", PUBLIC_URL=public, STRAVA_SUBSCRIPTION_ID=str(FIRST_ID)).stdout


async def test_the_worker_takes_the_events_of_a_subscription_that_is_adopted_while_it_runs(
    run: Run, strava: Any, service: Callable[..., str], tmp_path: Path
) -> None:
    """Foreign before, and after the command, without a restart, ours."""
    settings = WorkerSettings(data_dir=tmp_path / "data", push_token=SecretStr("word"))
    store = SqliteRawStore(settings.pipeline_path)
    await store.set_subscription(119)
    public = service()
    subscription_id = await asyncio.to_thread(strava.subscribe, f"{public}/webhook/{SECRET}")
    fields = {
        "object_type": "activity",
        "aspect_type": "create",
        "object_id": 7,
        "owner_id": 1,
        "event_time": 1_777_888_999,
    }
    now = datetime.now(UTC)
    received = ReceivedEvent.of(StravaEvent.from_json({**fields, "subscription_id": subscription_id}), now)
    worker = build_worker(settings)
    headers = {"authorization": "Bearer word", "content-type": "application/json"}
    async with (
        worker.router.lifespan_context(worker),
        httpx.AsyncClient(transport=httpx.ASGITransport(worker), base_url="http://worker.test") as client,
    ):
        for message_id in ("before", "after"):
            body = PushEnvelope(
                data=received.to_message(),
                attributes=received.attributes(),
                message_id=message_id,
                publish_time=now,
                subscription="events",
                delivery_attempt=1,
            ).to_json()
            assert (await client.post("/push", content=body, headers=headers)).status_code == 204
            if message_id == "before":
                assert (await asyncio.to_thread(run, "create", PUBLIC_URL=public)).exit_code == 0
    outcomes = [entry.outcome for entry in await store.recent(LedgerFilter(), limit=9)]
    await store.close()
    assert outcomes == [Outcome.PARKED, Outcome.IGNORED]  # parked: nobody is connected
