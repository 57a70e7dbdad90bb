"""The whole way over Pub/Sub: webhook, service, Google's emulator, a push with a signed token, worker, ledger.

The emulator signs no pushes. What it pushes goes through a relay, which adds the header that Pub/Sub would send.
"""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backends.queue.pubsub.queue import PubsubQueue, publisher_client
from service.app import create_app
from service.webhook_auth import WebhookAuth
from tests.google_tokens import ACCOUNT, AUDIENCE, signing_key
from tests.pubsub_emulator import EmulatedTopic
from tests.serving import listening, started
from tests.signing_relay import SigningRelay
from worker.main import build
from worker.settings import WorkerSettings

pytestmark = pytest.mark.slow
HEARD, GIVEN_UP = 7, 8  # the activities of two events
FORGER = signing_key("forger's", key_id="google's")


def header_of(about: object, tried: int) -> str:
    """Return the worst header first; the right one comes last, and for one event never."""
    headers = [FORGER.header(), signing_key().header(expires_in_s=-60), signing_key().header(email="other@x")]
    if about == str(GIVEN_UP) or (about == str(HEARD) and tried < len(headers)):
        return headers[tried % len(headers)]
    return signing_key().header()


async def test_an_event_goes_the_whole_way(pubsub_emulator: str, tmp_path: Path) -> None:
    """A push is refused until its token is right and then leaves a ledger row; one never is, and is a dead letter.

    The service's probes come to the worker too, and leave none. The log tells of the refusals, and shows no token.
    """
    relay, topic = SigningRelay(header_of), EmulatedTopic(pubsub_emulator)
    await topic.create()
    worker = build(
        WorkerSettings(
            data_dir=tmp_path,
            push_audience=AUDIENCE,
            push_service_account=ACCOUNT,
            push_certificates_url=relay.certificates_url,
        )
    )
    queue = PubsubQueue(publisher_client(pubsub_emulator), topic.name, publish_timeout_s=10)
    service = create_app(queue, WebhookAuth(path_secret="s3cret", verify_token="verify-me"))
    with capture_logs() as logs:
        async with (
            listening(relay.app, relay.port),
            started(worker) as relay.worker,
            started(service) as strava,
            topic.pushing(*relay.pushes_to),
        ):
            for activity in (HEARD, GIVEN_UP):
                answer = await strava.post("/webhook/s3cret", content=event(activity))
                assert answer.status_code == 200
            assert (await strava.get("/health?deep=true")).json() == {"status": "ok"}
            while not relay.answers[f"dead {GIVEN_UP}"]:  # noqa: ASYNC110 - the emulator is who pushes
                await asyncio.sleep(0.05)
    await topic.close()
    assert relay.answers == {
        None: [204, 204],  # the probes of the start and of the health check
        str(HEARD): [401, 401, 403, 204],
        str(GIVEN_UP): [401, 401, 403, 401, 401],
        f"dead {GIVEN_UP}": [204],
    }
    assert ledger(tmp_path) == {(HEARD, 1), (GIVEN_UP, 5)}
    refused = [line for line in logs if line["event"] == "push.refused"]
    assert {line["status"] for line in refused} >= {401}
    assert sum(line["count"] for line in refused) <= 8
    assert "eyJ" not in str(logs)  # how every signed token begins


def event(activity_id: int) -> bytes:
    """What Strava posts."""
    told = {"aspect_type": "create", "event_time": 1_700_000_000, "object_id": activity_id, "object_type": "activity"}
    return json.dumps({**told, "owner_id": 4242, "subscription_id": 1, "updates": {}}).encode()


def ledger(folder: Path) -> set[tuple[int, int]]:
    """Return the activity and the attempts of each row."""
    with closing(sqlite3.connect(folder / "pipeline.sqlite")) as connection:
        return set(connection.execute("select object_id, attempt from strava_events"))
