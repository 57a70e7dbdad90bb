"""Runs the worker: the one place that reads its settings and picks the warehouse and the token store."""

from datetime import timedelta
from functools import partial

import httpx
import structlog
from fastapi import FastAPI

from backends.budget.file import FileBudgetStore
from backends.database_errors import explain_database_error
from backends.queue import PushAuth
from backends.queue.embedded import EmbeddedQueue
from backends.tokens.file import FileTokenStore
from backends.warehouse import WarehouseBusy
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.http_client import client_for
from runtime.http_guard import HttpGuard, split_hosts
from runtime.logs import configure_logs
from runtime.serving import run
from runtime.startup import PartMissing, exit_on_startup_error
from strava.budget import RateBudget
from strava.budget_state import Lane
from worker.activities import ActivityEvents
from worker.app import create_app
from worker.athletes import AccessWatch, AthleteCache, note_rejected
from worker.deferred_events import DeferredEvents
from worker.event_router import EventRouter
from worker.history import Histories
from worker.pipeline_reading import ReadingKeeper
from worker.purge import Purge
from worker.push_auth import SWITCHED_OFF, SharedToken
from worker.second_look import SecondLooks
from worker.settings import WorkerSettings
from worker.strava_clients import StravaClients
from worker.streams import StreamSweep
from worker.subscription_check import SubscriptionCheck

STRAVA_TIMEOUT_S = 10.0

log = structlog.get_logger(__name__)


def build(settings: WorkerSettings) -> FastAPI:
    """Put the worker together as the settings say."""
    store = SqliteRawStore(settings.pipeline_path)
    queue = EmbeddedQueue(settings.pipeline_path)
    tokens = FileTokenStore(settings.tokens_path)
    certificates = [settings.push_certificates_url] if settings.push_audience else []
    http = client_for(settings.strava_api_url, settings.strava_oauth_url, *certificates, timeout=STRAVA_TIMEOUT_S)
    budget = RateBudget(FileBudgetStore(settings.budget_path), shares=settings.budget_shares)
    client_of = StravaClients(settings, http, tokens, budget, on_rejected=partial(note_rejected, store))

    async def release() -> None:
        await client_of.end_refreshes()
        await http.aclose()
        await queue.close()
        await store.close()

    grace = timedelta(seconds=settings.not_found_grace_s)
    activities = ActivityEvents(
        store, client_of, looking_source_of=partial(client_of, lane=Lane.RECONCILE), not_found_grace=grace
    )
    router = EventRouter(AthleteCache(store), activities, Purge(store, tokens, client_of.oauth), client_of)
    checked = SubscriptionCheck(router, store, settings.strava_subscription_id)
    looks = SecondLooks(activities, store, due_after=timedelta(seconds=settings.second_look_s))
    settling = SecondLooks(activities, store, due_after=timedelta(seconds=settings.settle_after_s), poll_s=60.0)
    sweep = StreamSweep(store, partial(client_of, lane=Lane.STREAMS), settings.stream_rules)
    deferred = DeferredEvents(store, queue, budget.room)
    histories = Histories(store, client_of, budget)
    access = AccessWatch(store, budget, client_of)
    # A queue that publishes writes when it is looked at, so this one only looks.
    readings = ReadingKeeper(store, EmbeddedQueue(settings.pipeline_path), budget)
    return create_app(
        checked,
        store,
        queue,
        push_auth=_push_auth(settings, http),
        background=(looks.run, settling.run, deferred.run, histories.run, sweep.run, access.run, readings.run),
        on_stop=release,
        api_docs=settings.api_docs,
    )


def _push_auth(settings: WorkerSettings, http: httpx.AsyncClient) -> PushAuth:
    if settings.push_audience:
        try:
            from backends.queue.pubsub import push_auth  # noqa: PLC0415 - Google's packages
        except ModuleNotFoundError as error:
            raise PartMissing(f"PUSH_AUDIENCE needs the package google-auth: {error}.") from error
        certificates = push_auth.Certificates(http, settings.push_certificates_url)
        account = settings.push_service_account
        return push_auth.GooglePushAuth(certificates, audience=settings.push_audience, service_account=account)
    push_token = settings.push_token.get_secret_value()
    if not push_token:
        log.warning("push.switched_off", reason=SWITCHED_OFF)
    return SharedToken(push_token)


def guard(settings: WorkerSettings) -> HttpGuard:
    """Put it behind the guard, which keeps web pages out."""
    hosts = split_hosts(settings.worker_allowed_hosts)
    return HttpGuard(build(settings), host=settings.worker_host, allowed_hosts=hosts)


def main() -> None:
    """Start the program."""
    with exit_on_startup_error("worker", WarehouseBusy, explain=explain_database_error) as started:
        settings = WorkerSettings()
        configure_logs(settings.log_format, settings.log_level, project=settings.google_cloud_project)
        run(partial(guard, settings), host=settings.worker_host, port=settings.worker_port, on_started=started)


if __name__ == "__main__":
    main()
