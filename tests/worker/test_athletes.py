"""Deauthorization beside a refresh that is under way: the tokens are gone whichever ends last."""

import asyncio
from datetime import UTC, datetime

from backends.tokens.file import FileTokenStore
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.tokens import TokenSet
from worker.athletes import Deauthorization

ATHLETE = 4605555801
FRESH = TokenSet(access_token="fresh", refresh_token="rotated", expires_at=datetime(2100, 1, 1, tzinfo=UTC))


async def test_a_refresh_under_way_brings_no_tokens_back(store: SqliteRawStore, tokens: FileTokenStore) -> None:
    """The removal waits for a refresh under way, so what it saves goes too."""
    [athlete] = await store.athletes()
    async with tokens.refreshing(ATHLETE):
        revoking = asyncio.create_task(Deauthorization(store, tokens)(athlete))
        while (await store.athletes())[0].status == "connected":  # noqa: ASYNC110 - the port can only be asked
            await asyncio.sleep(0.005)
        ended, _ = await asyncio.wait({revoking}, timeout=0.2)
        await tokens.save(ATHLETE, FRESH)
    await revoking
    assert ended == set()
    assert await tokens.load(ATHLETE) is None
