"""`athlete backfill`: ask for the history, which the worker loads, and watch it."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.live import Live

from athlete.backends import open_budget, open_store, open_tokens
from athlete.backfill_notes import notes
from athlete.data_dir import require_pipeline
from athlete.errors import CommandError, exit_on_error
from athlete.events import read_since, within_reach
from backends.warehouse import RawStore
from backends.warehouse.athletes import connected_ids
from backends.warehouse.backfills import Backfill
from dashboard.formatting import Teller
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now, utc_text
from runtime.http_client import client_for
from runtime.logs import configure_logs
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.payload import DETAILED
from worker.backfill import NEVER
from worker.settings import WorkerSettings
from worker.strava_clients import StravaClients

LOOK_S = 1.0
SAID_EVERY = timedelta(seconds=30)  # where no terminal shows a line that changes
NOT_TAKEN_UP = timedelta(seconds=15)
INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A backfill, how many activities of its time are stored, in detail, and with their streams asked for."""

    backfill: Backfill
    activity_count: int
    detailed_count: int
    streamed_count: int = 0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person asks for."""

    since: datetime | None
    has_details: bool
    has_streams: bool


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a backfill would find and cost. `done_by` is None while the limits are unknown."""

    athlete_id: int
    strava_count: int
    missing_count: int
    detail_calls: int
    stream_calls: int
    done_by: datetime | None


@exit_on_error
def backfill(  # noqa: PLR0913 - one argument an option
    *,
    athlete: Annotated[int | None, typer.Option(help="Only the athlete with this id, and not all.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what started since: a date (2025-01-01) or an age (90d).")
    ] = None,
    details: Annotated[bool, typer.Option(help="Load laps, splits and best efforts too, one call an activity.")] = True,
    streams: Annotated[
        bool, typer.Option("--streams", help="Load the recorded curves after the details, one more call an activity.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only ask for the list, and say what is missing.")] = False,
    wait: Annotated[bool, typer.Option(help="Watch until it is done; Ctrl-C ends the watching alone.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object an athlete.")] = False,
) -> None:
    """Load the history: every activity in a line first, so that charts fill at once, then each in detail.

    The worker of `athlete up` does it, newest first, within Strava's rate limits, and goes on after a restart where it
    stopped. What is stored already is not asked for again.
    """
    settings, zone = WorkerSettings(), DashboardSettings().display_timezone
    require_pipeline(settings)
    configure_logs(settings.log_format, "CRITICAL")  # what failed is told below
    within_reach("--athlete", athlete)
    if streams and not details:
        raise CommandError("Streams are loaded after the details: leave out --no-details, or --streams.")
    began = None if since is None else read_since(since, utc_now(), zone)
    wanted = Wanted(since=began, has_details=details, has_streams=streams)
    if dry_run:
        forecasts = asyncio.run(_foretell(settings, athlete, wanted))
        _print(forecasts, (foretold(each, utc_now(), zone) for each in forecasts), as_json=as_json)
        return
    standings = asyncio.run(_ask(settings, athlete, wanted))
    if wait:
        try:
            standings = asyncio.run(_watch(settings, [each.backfill.athlete_id for each in standings], zone))
        except KeyboardInterrupt:
            Console(stderr=True).print("The worker goes on; the same command shows it again.", highlight=False)
            raise typer.Exit(INTERRUPTED) from None
    _print(standings, (sentence(each, utc_now(), zone) for each in standings), as_json=as_json)


async def _ask(settings: WorkerSettings, athlete_id: int | None, wanted: Wanted) -> list[Standing]:
    """Ask for a backfill of each athlete; one that is under way and loads no less goes on, and none loses its rest.

    Of one that loads no less and left some out, ended or not, those are tried at once and no other is asked for. What
    takes the place of one that left some out keeps its wish for streams, for they may be among those.
    """
    async with open_store(settings) as store:
        known = {each.athlete_id: each for each in await store.backfills()}
        connected = await _connected(store, athlete_id)
        for note in (
            await notes(store, connected, wanted.since, spares_archived=settings.spares_archived)
            if wanted.has_details
            else ()
        ):
            Console(stderr=True).print(note, highlight=False, soft_wrap=True, markup=False)
        requests = {each: _request(each, known.get(each), wanted) for each in connected}
        for each, request in requests.items():
            _refuse_to_cut_short(known.get(each), request)
        for each, request in requests.items():
            row = known.get(each)
            if row is None or _has_ended(row) or not _is_covered(row, request):
                await store.request_backfill(request)
            elif row.retry_at is not None:
                await store.note_backfill(row.tried_at_once(utc_now()))
        return await standings_of(store, connected)


def _request(athlete_id: int, known: Backfill | None, wanted: Wanted) -> Backfill:
    asked = Backfill.requested(athlete_id, utc_now(), **asdict(wanted))
    keeps_streams = known is not None and known.retry_at is not None and known.has_streams and wanted.has_details
    return replace(asked, has_streams=True) if keeps_streams else asked


def _has_ended(row: Backfill) -> bool:
    """Whether it tries nothing again either."""
    return row.finished_at is not None and row.retry_at is None


def _refuse_to_cut_short(known: Backfill | None, wanted: Backfill) -> None:
    """Raise CommandError where one that has not ended loads older activities and less of each, or the reverse."""
    if known is None or _has_ended(known) or _is_covered(known, wanted) or _is_covered(wanted, known):
        return
    both = replace(
        known,
        since=None if known.since is None or wanted.since is None else min(known.since, wanted.since),
        has_details=True,
        has_streams=known.has_streams or wanted.has_streams,
    )
    who, command = f"A backfill of athlete {known.athlete_id}", command_for(both)
    if known.finished_at is None:
        raise CommandError(
            f"{who} is under way and loads what this one does not. Wait until it is done, or ask for all of both: "
            f"`{command}`."
        )
    raise CommandError(
        f"{who} left some activities out, goes on trying them, and loads what this one does not. Ask for all of both: "
        f"`{command}`."
    )


def _is_covered(known: Backfill, wanted: Backfill) -> bool:
    """Tell whether `known` loads all that is wanted, or more."""
    is_long_enough = known.since is None or (wanted.since is not None and known.since <= wanted.since)
    has_details, has_streams = (
        known.has_details or not wanted.has_details,
        known.has_streams or not wanted.has_streams,
    )
    return is_long_enough and has_details and has_streams


def command_for(row: Backfill) -> str:
    """Return the command that asks for the same again."""
    since = "" if row.since is None else f" --since {utc_text(row.since)}"
    details, streams = "" if row.has_details else " --no-details", " --streams" if row.has_streams else ""
    return f"athlete backfill --athlete {row.athlete_id}{since}{details}{streams}"


async def _connected(store: RawStore, athlete_id: int | None) -> list[int]:
    ids = await connected_ids(store)
    wanted = ids if athlete_id is None else [each for each in ids if each == athlete_id]
    if not wanted:
        who = "No athlete is connected" if athlete_id is None else f"Athlete {athlete_id} is not connected"
        raise CommandError(f"{who}: run `athlete connect` first.")
    return wanted


async def standings_of(store: RawStore, athlete_ids: Sequence[int]) -> list[Standing]:
    """Return how far the athletes' backfills are. Raises WarehouseBusy."""
    return [
        Standing(
            backfill=each,
            activity_count=len(await store.activity_ids(each.athlete_id, since=each.since)),
            detailed_count=len(await store.activity_ids(each.athlete_id, resource_state=DETAILED, since=each.since)),
            streamed_count=await store.stream_count(each.athlete_id, since=each.since),
        )
        for each in await store.backfills()
        if each.athlete_id in athlete_ids
    ]


async def _watch(settings: WorkerSettings, athlete_ids: Sequence[int], zone: ZoneInfo) -> list[Standing]:
    """Show how far they are until all are done."""
    console = Console(stderr=True)
    said, said_at = "", utc_now() - SAID_EVERY
    async with open_store(settings, read_only=True) as store:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            while True:
                standings = await standings_of(store, athlete_ids)
                if all(each.backfill.finished_at for each in standings):
                    return standings
                text = "\n".join(sentence(each, utc_now(), zone) for each in standings)
                if console.is_terminal:
                    live.update(text, refresh=True)
                elif text != said and utc_now() - said_at >= SAID_EVERY:
                    console.print(text, highlight=False, soft_wrap=True, markup=False)
                    said, said_at = text, utc_now()
                await asyncio.sleep(LOOK_S)


def sentence(standing: Standing, now: datetime, zone: ZoneInfo) -> str:
    """Say how far a backfill is, and when it will be done."""
    row = standing.backfill
    who = f"Athlete {row.athlete_id}: "
    details = f"{standing.detailed_count:,} of {standing.activity_count:,} details"
    loaded = f"loaded {standing.activity_count:,} activities, {standing.detailed_count:,} in detail"
    if row.has_streams:
        details += f" and {standing.streamed_count:,} streams"
        loaded += f", streams of {standing.streamed_count:,}"
    done = f", done {Teller(now=now, zone=zone).about(row.expected_at)}" if row.expected_at else ""
    if row.finished_at is not None:
        return f"{who}{loaded}.{_failed(row, now, zone)}"
    if row.started_at is None:
        is_late = now - row.requested_at > NOT_TAKEN_UP
        return who + (
            "nobody has taken it up yet: start `athlete up` (on Google Cloud the sweep does within minutes)."
            if is_late
            else "asked for."
        )
    how_far = f"{details}{done}." if row.listed_at else f"{row.listed_count:,} activities listed so far."
    if row.waits_until is not None and row.waits_until > now:
        how_far += f" Waits until {Teller(now=now, zone=zone).about(row.waits_until)}: {row.waits_because}"
    return f"{who}{how_far}{_failed(row, now, zone)}"


def _failed(row: Backfill, now: datetime, zone: ZoneInfo) -> str:
    """Say how many could not be fetched, and when they are tried again."""
    failed = Teller(now=now, zone=zone).failed(row.failed_count, row.retry_at)
    return f" {failed}" if failed else ""


async def _foretell(settings: WorkerSettings, athlete_id: int | None, wanted: Wanted) -> list[Forecast]:
    """List at Strava, store nothing, and say what is missing here and by when it could be here."""
    budget = open_budget(settings, settings.budget_shares)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings, read_only=True))
        http = await stack.enter_async_context(
            client_for(settings.strava_api_url, settings.strava_oauth_url, timeout=30)
        )
        tokens = await stack.enter_async_context(open_tokens(settings))
        client_of = StravaClients(settings, http, tokens, budget)
        forecasts: list[Forecast] = []
        for each in await _connected(store, athlete_id):
            pages = client_of(each, Lane.RECONCILE).activities(after=wanted.since, before=wanted.since and NEVER)
            listed = {activity.activity_id async for page in pages for activity in page.activities}
            detailed = set(await store.activity_ids(each, resource_state=DETAILED))
            streamed = await store.stream_count(each, since=wanted.since)
            spared = await store.archived_ids(each) if settings.spares_archived else set[int]()
            calls = len(listed - detailed - spared) if wanted.has_details else 0
            stream_calls = max(0, len(listed) - streamed) if wanted.has_streams else 0
            all_calls = {
                Lane.DETAIL: sum(told.detail_calls for told in forecasts) + calls,
                Lane.STREAMS: sum(told.stream_calls for told in forecasts) + stream_calls,
            }
            forecasts.append(
                Forecast(
                    athlete_id=each,
                    strava_count=len(listed),
                    missing_count=len(listed - set(await store.activity_ids(each))),
                    detail_calls=calls,
                    stream_calls=stream_calls,
                    done_by=await _done_by(budget, all_calls),
                )
            )
        return forecasts


async def _done_by(budget: RateBudget, calls: Mapping[Lane, int]) -> datetime | None:
    details = calls[Lane.DETAIL]
    if not calls[Lane.STREAMS]:
        return await budget.allows_by(Lane.DETAIL, details)
    return await budget.allows_by(Lane.STREAMS, calls[Lane.STREAMS], first=[(Lane.DETAIL, details)])


def foretold(forecast: Forecast, now: datetime, zone: ZoneInfo) -> str:
    """Say what a backfill would do."""
    calls = forecast.detail_calls
    is_told = bool(calls or forecast.stream_calls)
    when = f", done {Teller(now=now, zone=zone).about(forecast.done_by)}" if forecast.done_by and is_told else ""
    streams = f" and of streams {forecast.stream_calls:,}" if forecast.stream_calls else ""
    return (
        f"Athlete {forecast.athlete_id}: Strava lists {forecast.strava_count:,} activities, of which "
        f"{forecast.missing_count:,} are not stored. Details to load: {calls:,}{streams}, one call each{when}. "
        "Nothing was stored."
    )


def _print(facts: Sequence[Standing | Forecast], sentences: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        for each in facts:
            print(json.dumps(_plain(each)))  # noqa: T201 - for machines
    else:
        for told in sentences:
            Console().print(told, highlight=False, soft_wrap=True, markup=False)


def _plain(told: Standing | Forecast) -> dict[str, Any]:
    fields = asdict(told)
    fields |= fields.pop("backfill", {})
    return {name: utc_text(value) if isinstance(value, datetime) else value for name, value in fields.items()}
