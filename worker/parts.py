"""The parts that the worker and its jobs share, opened as the settings say, and what the worker does beside pushes."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypedDict

import httpx

from backends.engine import is_on_gcp
from backends.engine.pipeline import open_budget, open_store, open_tokens
from backends.marks import Marks
from backends.queue import EventQueue, QueueMonitor
from backends.tokens import AthleteTokens
from backends.warehouse import RawStore
from runtime.clock import steady_s, utc_now
from runtime.http_client import client_for
from strava.budget import RateBudget
from strava.budget_state import Lane
from worker.activities import ActivityEvents
from worker.athletes import AccessWatch, note_rejected
from worker.deferred_events import DeferredEvents, room_as_read
from worker.history import Histories
from worker.kept import Kept
from worker.pipeline_reading import ReadingKeeper
from worker.second_look import SecondLooks
from worker.settings import WorkerSettings
from worker.strava_clients import StravaClients
from worker.streams import StreamSweep

STRAVA_TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What asks Strava, and where its answers are kept."""

    settings: WorkerSettings
    store: RawStore
    tokens: AthleteTokens
    http: httpx.AsyncClient
    budget: RateBudget
    client_of: StravaClients
    activities: ActivityEvents

    async def close(self) -> None:
        """Let refreshes under way end, and release everything."""
        await self.client_of.end_refreshes()
        await self.http.aclose()
        await self.tokens.close()
        await self.store.close()


def open_parts(settings: WorkerSettings, *urls: str) -> Parts:
    """Open them; `urls` are asked too, beside Strava. Raises what the openers of `backends.engine.pipeline` raise."""
    store, tokens = open_store(settings), open_tokens(settings)
    http = client_for(settings.strava_api_url, settings.strava_oauth_url, *urls, timeout=STRAVA_TIMEOUT_S)
    budget = open_budget(settings, settings.budget_shares)
    client_of = StravaClients(settings, http, tokens, budget, on_rejected=partial(note_rejected, store))
    activities = ActivityEvents(
        store,
        client_of,
        looking_source_of=partial(client_of, lane=Lane.RECONCILE),
        not_found_grace=timedelta(seconds=settings.not_found_grace_s),
    )
    return Parts(
        settings=settings,
        store=store,
        tokens=tokens,
        http=http,
        budget=budget,
        client_of=client_of,
        activities=activities,
    )


class Background:
    """What is done beside the pushes: by the worker's loops on one machine, by the turns of a job on Google Cloud."""

    def __init__(
        self, parts: Parts, queue: EventQueue, monitor: QueueMonitor | None, *, marks: Marks | None = None
    ) -> None:
        """With `marks` the next program goes on from them."""
        settings, store, budget, client_of = parts.settings, parts.store, parts.budget, parts.client_of
        second_s, settled_s = settings.second_look_s, settings.settle_after_s
        room = room_as_read(store) if is_on_gcp(settings) else budget.room
        self.deferred = DeferredEvents(store, queue, room)
        keeping = partial(_keeping, marks)
        self.looks = SecondLooks(
            parts.activities, store, due_after=timedelta(seconds=second_s), **keeping("second_look_rests")
        )
        self.settling = SecondLooks(
            parts.activities,
            store,
            due_after=timedelta(seconds=settled_s),
            poll_s=60.0,
            **keeping("settling_look_rests"),
        )
        stream_source_of = partial(client_of, lane=Lane.STREAMS)
        rules, days = settings.stream_rules, settings.streams_days
        self.streams = StreamSweep(store, stream_source_of, rules, days=days, **keeping("streams"))
        self.access = AccessWatch(store, budget, client_of)
        self.readings = ReadingKeeper(store, monitor, budget, is_brief=is_on_gcp(settings))
        self.histories = Histories(store, client_of, budget, spares_archived=settings.spares_archived)

    @property
    def loops(self) -> tuple[Callable[[asyncio.Event], Coroutine[Any, Any, None]], ...]:
        """Return each as a loop that goes on until its event is set."""
        each = (self.looks, self.settling, self.deferred, self.histories, self.streams, self.access, self.readings)
        return tuple(work.run for work in each)


class _Keeping(TypedDict):
    steady: Callable[[], float]
    kept: Kept | None


def _keeping(marks: Marks | None, name: str) -> _Keeping:
    """Return a clock, and where what rests is kept: one that all programs have where the next one goes on."""
    if marks is None:
        return {"steady": steady_s, "kept": None}
    return {"steady": lambda: utc_now().timestamp(), "kept": Kept(marks, name)}
