"""Connecting an athlete: what is kept, what a refresh under way does to it, and that ten athletes are the most."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.connect.connections import MOST_ATHLETES, AthleteConnections, Connected, TooManyAthletes
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete, IngestionState
from backends.warehouse.backfills import Backfill
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.events import StravaEvent
from strava.grants import Grant
from strava.tokens import TokenSet

ANNA = 101
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ALL = frozenset({"read", "activity:read_all", "profile:read_all"})


def tokens(number: int) -> TokenSet:
    """Tokens that tell their number."""
    return TokenSet(access_token=f"access-{number}", refresh_token=f"refresh-{number}", expires_at=NOON, scope=ALL)


def granting(athlete_id: int, given: TokenSet) -> Callable[[], Awaitable[Grant]]:
    """What obtains these tokens for the athlete."""

    async def obtain() -> Grant:
        return Grant(athlete_id=athlete_id, tokens=given)

    return obtain


@pytest.fixture
def token_store(tmp_path: Path) -> FileTokenStore:
    """Where the tokens are kept; a refresh is waited for a moment only."""
    return FileTokenStore(tmp_path / "tokens.json", refresh_wait_s=5)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteRawStore]:
    """The warehouse."""
    opened = SqliteRawStore(tmp_path / "pipeline.sqlite")
    yield opened
    await opened.close()


@pytest.fixture
def connections(token_store: FileTokenStore, store: SqliteRawStore) -> AthleteConnections:
    """What connects; the clock stands at noon."""
    return AthleteConnections(token_store, store, clock=lambda: NOON)


async def test_tokens_and_athlete_are_kept_under_the_id(
    connections: AthleteConnections, token_store: FileTokenStore, store: SqliteRawStore
) -> None:
    """Once it says connected, both are there."""
    assert await connections.connect(granting(ANNA, tokens(1))) == Connected(athlete_id=ANNA, scope=ALL, taken_up=0)
    assert await token_store.load(ANNA) == tokens(1)
    assert await store.athletes() == [Athlete(athlete_id=ANNA, scope=ALL, status="connected", updated_at=NOON)]


async def test_what_was_parked_is_taken_up(connections: AthleteConnections, store: SqliteRawStore) -> None:
    """Events that came before the athlete connected wait to be published: none is pushed past those that wait."""
    fields = {"object_type": "activity", "aspect_type": "create", "object_id": 7, "owner_id": ANNA, "event_time": 1}
    event = StravaEvent.from_json({**fields, "subscription_id": 1})
    parked = LedgerEntry(
        delivery_id="d1",
        event_id=event.event_id,
        event=event,
        outcome=Outcome.PARKED,
        reason="Nobody was connected.",
        attempt=1,
        received_at=NOON,
        finished_at=NOON,
    )
    await store.record([parked])
    assert (await connections.connect(granting(ANNA, tokens(1)))).taken_up == 1
    [waiting] = await store.deferred_events(due_by=NOON, how_many=9)
    assert (waiting.event_id, waiting.received_at, waiting.is_replay) == (event.event_id, NOON, False)
    assert (await store.parked_events(ANNA), await connections.connect(granting(ANNA, tokens(1)))) == (
        [],
        Connected(athlete_id=ANNA, scope=ALL, taken_up=0),
    )


async def test_the_whole_history_is_asked_for(connections: AthleteConnections, store: SqliteRawStore) -> None:
    """Each time: of one who comes back, what was saved meanwhile is missing, also where a list had ended."""
    await connections.connect(granting(ANNA, tokens(1)))
    asked = Backfill.requested(ANNA, NOON)
    assert await store.backfills() == [asked]
    cut_short = IngestionState(
        athlete_id=ANNA, complete_as_of=None, listing_began_at=NOON, backfill_cursor=NOON, updated_at=NOON
    )
    await store.put_ingestion_state(cut_short)
    await store.note_backfill(asked.changed(NOON, listed_count=200, listed_at=NOON, waits_until=NOON))
    await connections.connect(granting(ANNA, tokens(2)))
    assert await store.backfills() == [asked]
    assert await store.ingestion_state(ANNA) == replace(cut_short, listing_began_at=None, backfill_cursor=None)


async def test_streams_that_were_asked_for_are_not_forgotten(
    connections: AthleteConnections, store: SqliteRawStore
) -> None:
    """Connecting again while a history with streams is under way keeps that wish, and nobody else gets it."""
    await connections.connect(granting(ANNA, tokens(1)))
    await store.request_backfill(Backfill.requested(ANNA, NOON, has_streams=True))
    await connections.connect(granting(ANNA, tokens(2)))
    await connections.connect(granting(ANNA + 1, tokens(3)))
    assert {each.athlete_id: each.has_streams for each in await store.backfills()} == {ANNA: True, ANNA + 1: False}


async def test_connecting_again_replaces_broken_tokens(
    connections: AthleteConnections, token_store: FileTokenStore, store: SqliteRawStore
) -> None:
    """The new tokens and scopes take the place of the old ones, and a revoked athlete is connected again."""
    await token_store.save(ANNA, tokens(1))
    await store.put_athlete(Athlete(athlete_id=ANNA, scope=frozenset(), status="revoked", updated_at=NOON))
    await connections.connect(granting(ANNA, tokens(2)))
    assert await token_store.load(ANNA) == tokens(2)
    assert [(each.status, each.scope) for each in await store.athletes()] == [("connected", ALL)]


async def test_tokens_wait_for_a_refresh_that_is_under_way(
    connections: AthleteConnections, token_store: FileTokenStore
) -> None:
    """What the refresh saves comes first: it does not overwrite what connecting brings."""
    await token_store.save(ANNA, tokens(1))
    async with token_store.refreshing(ANNA):
        connecting = asyncio.create_task(connections.connect(granting(ANNA, tokens(3))))
        await token_store.save(ANNA, tokens(2))
        await asyncio.sleep(0.05)
        assert not connecting.done()
    await connecting
    assert await token_store.load(ANNA) == tokens(3)


async def test_a_refresh_in_between_that_rotated_the_granted_token_wins(
    connections: AthleteConnections, token_store: FileTokenStore, store: SqliteRawStore
) -> None:
    """Strava granted the tokens in use once more, and a refresh has killed them since: its own ones stay alive."""
    await token_store.save(ANNA, replace(tokens(1), scope=frozenset({"read"})))

    async def obtain() -> Grant:
        async with token_store.refreshing(ANNA):
            await token_store.save(ANNA, replace(tokens(2), scope=frozenset({"read"})))
        return Grant(athlete_id=ANNA, tokens=tokens(1))

    await connections.connect(obtain)
    assert await token_store.load(ANNA) == tokens(2)
    assert (await store.athletes())[0].scope == ALL


async def test_the_eleventh_athlete_is_refused_before_anything_is_stored(
    connections: AthleteConnections, token_store: FileTokenStore, store: SqliteRawStore
) -> None:
    """Of more than ten who connect at once ten get in; each of them may come again, and one who left makes room."""
    coming = range(1, MOST_ATHLETES + 3)
    ended = await asyncio.gather(
        *(connections.connect(granting(each, tokens(each))) for each in coming), return_exceptions=True
    )
    refused = [each for each, end in zip(coming, ended, strict=True) if isinstance(end, TooManyAthletes)]
    assert len(refused) == 2
    assert len(await token_store.athlete_ids()) == len(await store.athletes()) == MOST_ATHLETES
    inside = next(each for each in coming if each not in refused)
    await connections.connect(granting(inside, tokens(99)))
    await store.put_athlete(Athlete(athlete_id=inside, scope=ALL, status="revoked", updated_at=NOON))
    await connections.connect(granting(refused[0], tokens(0)))
    assert await token_store.load(refused[0]) == tokens(0)
    await store.put_athlete(Athlete(athlete_id=refused[1], scope=frozenset(), status="archive_only", updated_at=NOON))
    with pytest.raises(TooManyAthletes):  # known by own files alone
        await connections.connect(granting(refused[1], tokens(1)))


async def test_nothing_is_obtained_while_the_tokens_cannot_be_read(
    connections: AthleteConnections, tmp_path: Path
) -> None:
    """A damaged token file is found before Strava is asked, so no grant is spent on it."""
    (tmp_path / "tokens.json").write_text("{")
    asked = False

    async def obtain() -> Grant:
        nonlocal asked
        asked = True
        return Grant(athlete_id=ANNA, tokens=tokens(1))

    with pytest.raises(Exception, match=r"tokens\.json is damaged"):
        await connections.connect(obtain)
    assert not asked
