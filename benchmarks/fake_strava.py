"""A Strava that costs as little as possible: one recorded activity, under any id."""

import json
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn

Message = MutableMapping[str, Any]
RECORDED = Path(__file__).parent.parent / "tests/fixtures/strava/activity_ride_indoor.json"
HEADERS = [
    (b"content-type", b"application/json; charset=utf-8"),
    (b"x-ratelimit-limit", b"200,2000"),
    (b"x-ratelimit-usage", b"1,1"),
    (b"x-readratelimit-limit", b"100,1000"),
    (b"x-readratelimit-usage", b"1,1"),
]
ATHLETE_ID = 4242424242


def recorded_activity() -> dict[str, Any]:
    """Return the recorded ride as the benchmark's athlete's own."""
    activity: dict[str, Any] = json.loads(RECORDED.read_text())["body"]
    return {**activity, "athlete": {"id": ATHLETE_ID, "resource_state": 1}}


def _parts() -> tuple[bytes, bytes]:
    marked = json.dumps({**recorded_activity(), "id": "HERE"}).encode()
    before, after = marked.split(b'"HERE"')
    return before, after


BEFORE, AFTER = _parts()


async def app(
    scope: Message, _receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer GET …/activities/ID."""
    if scope["type"] != "http":
        return
    activity_id = scope["path"].rsplit("/", 1)[-1].encode()
    body = BEFORE + (activity_id if activity_id.isdigit() else b"0") + AFTER
    headers = [*HEADERS, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
