"""Runs the worker: the one place that reads its settings and picks the warehouse and the token store."""

import asyncio
import signal
import sys
from datetime import timedelta
from functools import cache
from types import FrameType

import httpx
import uvicorn
import uvloop
from fastapi import FastAPI

from backends.logs import configure_logs
from backends.tokens.file import FileTokenStore
from backends.warehouse.sqlite import SqliteRawStore
from strava.client import StravaClient
from strava.oauth import OAuthApp, StravaAuth
from worker.activities import ActivityEvents
from worker.app import create_app
from worker.athletes import Revocation, Roster
from worker.ingest import Ingest
from worker.settings import WorkerSettings

GRACE_S = 8  # Cloud Run and most process managers kill after ten seconds
STRAVA_TIMEOUT_S = 10.0


def build(settings: WorkerSettings) -> FastAPI:
    """Put the worker together as the settings say."""
    store = SqliteRawStore(settings.pipeline_path)
    tokens = FileTokenStore(settings.tokens_path)
    http = httpx.AsyncClient(timeout=STRAVA_TIMEOUT_S)
    oauth = OAuthApp(
        http,
        client_id=settings.strava_client_id,
        client_secret=settings.strava_client_secret.get_secret_value(),
        oauth_url=settings.strava_oauth_url,
    )

    @cache
    def client_of(athlete_id: int) -> StravaClient:
        return StravaClient(http, StravaAuth(athlete_id, tokens, oauth), api_url=settings.strava_api_url)

    async def release() -> None:
        await http.aclose()
        await store.close()

    grace = timedelta(seconds=settings.not_found_grace_s)
    activities = ActivityEvents(store, client_of, not_found_grace=grace)
    ingest = Ingest(Roster(store), activities, Revocation(store, tokens))
    return create_app(ingest, store, on_stop=release)


async def serve(settings: WorkerSettings) -> None:
    """Serve until a signal comes; what is in flight is finished first."""
    config = uvicorn.Config(
        build(settings),
        host=settings.worker_host,
        port=settings.worker_port,
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    await uvicorn.Server(config).serve()


def main() -> None:
    """Start the program."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    settings = WorkerSettings()
    configure_logs(settings.log_format, settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings))


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """Uvicorn repeats the signal once it has finished: that is the end, and a clean one."""
    sys.exit(0)


if __name__ == "__main__":
    main()
