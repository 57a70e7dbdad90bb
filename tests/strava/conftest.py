"""Shared by the tests of `strava/`: the recorded answers of Strava, and a client without a network."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from strava.oauth import OAuthApp
from strava.transport import RetryPolicy


@pytest.fixture(scope="session")
def exchanges(project_root: Path) -> Callable[[str], list[dict[str, Any]]]:
    """Reads a recording: its exchanges, each with `status`, `headers` and `body`."""

    def read(name: str) -> list[dict[str, Any]]:
        recorded = json.loads((project_root / "tests" / "fixtures" / "strava" / f"{name}.json").read_text())
        if name == "athlete_activities_page":
            return [{"status": {"code": 200}, "headers": {}, "body": recorded}]
        return recorded if isinstance(recorded, list) else [recorded]

    return read


@pytest.fixture(scope="session")
def recorded(exchanges: Callable[[str], list[dict[str, Any]]]) -> Callable[[str], httpx.Response]:
    """Makes a fresh answer of a recording, as httpx gives it; of `gear` the first."""

    def answer(name: str) -> httpx.Response:
        exchange = exchanges(name)[0]
        body = b"" if exchange["body"] == "" else json.dumps(exchange["body"]).encode()
        return httpx.Response(exchange["status"]["code"], headers=exchange["headers"], content=body)

    return answer


@pytest.fixture
def quick_retries() -> RetryPolicy:
    """Three attempts without a pause."""
    return RetryPolicy(attempts=3, first_wait_s=0.0, longest_wait_s=0.0)


@pytest.fixture
def noon() -> datetime:
    """A moment 100 s before a quarter hour and half a day and 100 s before midnight UTC."""
    return datetime(2026, 3, 1, 11, 58, 20, tzinfo=UTC)


@pytest.fixture
def make_app(quick_retries: RetryPolicy, noon: datetime) -> Callable[[httpx.AsyncClient], OAuthApp]:
    """Makes the app on any client; its clock stands at noon."""
    return lambda http: OAuthApp(
        http,
        client_id=10_001,
        client_secret="fake-secret",
        oauth_url="https://strava.test/oauth",
        retry_policy=quick_retries,
        clock=lambda: noon,
    )
