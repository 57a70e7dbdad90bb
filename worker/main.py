"""Runs the worker: the one place that reads its settings and opens its parts."""

import asyncio
from datetime import datetime
from functools import partial

import httpx
import structlog
from fastapi import FastAPI

from backends.database_errors import explain_database_error
from backends.engine import google_packages, is_on_gcp
from backends.engine.pipeline import open_queue, open_queue_monitor, prepare_store
from backends.queue import PushAuth
from backends.tokens import TokensUnavailable
from backends.warehouse import StatementRejected, WarehouseBusy
from backends.warehouse.ledger import Outcome
from runtime.http_guard import HttpGuard, split_hosts
from runtime.logs import configure_logs
from runtime.serving import run
from runtime.settings import PartMissing
from runtime.startup import exit_on_startup_error
from strava.errors import AppInactive
from worker.app import create_app
from worker.athletes import AccessWatch
from worker.event_router import EventRouter
from worker.parts import Background, Parts, open_parts
from worker.purge import Purge
from worker.push_auth import SWITCHED_OFF, SharedToken
from worker.settings import WorkerSettings
from worker.subscription_check import SubscriptionCheck
from worker.transform_start import TransformStart, open_transform_start

_FRESH = frozenset({Outcome.STORED, Outcome.DELETED, Outcome.PURGED})

log = structlog.get_logger(__name__)


def build(settings: WorkerSettings) -> FastAPI:
    """Put the worker together as the settings say.

    On Google Cloud it has processor time only while it answers: the sweep does what is due in between, and fresh data
    starts the job that builds the marts.
    """
    urls = [settings.push_certificates_url] if settings.push_audience else []
    parts = open_parts(settings, *urls)
    purge = Purge(parts.store, parts.tokens, parts.client_of.oauth)
    router = EventRouter(parts.store, parts.activities, purge, parts.client_of)
    checked = SubscriptionCheck(router, parts.store, settings.strava_subscription_id)
    auth, api_docs = _push_auth(settings, parts.http), settings.api_docs
    if is_on_gcp(settings):
        after_push = AfterPush(open_transform_start(settings, parts.http), parts)
        return create_app(
            checked,
            parts.store,
            None,
            push_auth=auth,
            after_push=after_push,
            on_stop=parts.close,
            api_docs=api_docs,
        )
    queue, monitor = open_queue(settings), open_queue_monitor(settings)
    beside = Background(parts, queue, monitor)

    async def release() -> None:
        await queue.close()
        await parts.close()

    return create_app(
        checked, parts.store, monitor, push_auth=auth, background=beside.loops, on_stop=release, api_docs=api_docs
    )


class AfterPush:
    """What is to be done on Google Cloud while there still is processor time: fresh data, and a lapse, are told on."""

    def __init__(self, start: TransformStart, parts: Parts) -> None:
        self._start = start
        self._budget = parts.budget
        self._access = AccessWatch(parts.store, parts.budget, parts.client_of)
        self._noted_until: datetime | None = None  # the end of the wait that was noted last

    async def __call__(self, outcome: Outcome) -> None:
        """Act on how a push ended; what fails is found again by the sweep."""
        if outcome in _FRESH:
            await self._start.if_due()
        elif outcome is Outcome.DEFERRED:
            await self._note_lapse()

    async def _note_lapse(self) -> None:
        """Note a lapse once for each time that Strava tells it: what this program only remembers may be over by now.

        The sweep, which has another memory, is who notes the end.
        """
        budget = await self._budget.status()
        if not isinstance(budget.closed_because, AppInactive) or budget.closed_until == self._noted_until:
            return
        try:
            await self._access.look()
        except WarehouseBusy as error:
            log.warning("access_watch.waiting", reason=str(error))
        else:
            self._noted_until = budget.closed_until


def _push_auth(settings: WorkerSettings, http: httpx.AsyncClient) -> PushAuth:
    if settings.push_audience:
        with google_packages():
            from backends.queue.pubsub import push_auth  # noqa: PLC0415 - Google's packages
        certificates = push_auth.Certificates(http, settings.push_certificates_url)
        account = settings.push_service_account
        return push_auth.GooglePushAuth(certificates, audience=settings.push_audience, service_account=account)
    if is_on_gcp(settings):
        raise PartMissing("BACKEND=gcp needs PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT, or anybody could push.")
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
    expected = (TokensUnavailable, StatementRejected, WarehouseBusy)
    with exit_on_startup_error("worker", *expected, explain=explain_database_error) as started:
        settings = WorkerSettings()
        configure_logs(settings.log_format, settings.log_level, project=settings.google_cloud_project)
        asyncio.run(prepare_store(settings))
        run(partial(guard, settings), host=settings.worker_host, port=settings.worker_port, on_started=started)


if __name__ == "__main__":
    main()
