"""What every token store must do. A new adapter adds one constructor to STORES."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.tokens import AthleteTokens, TokenSet, TokenStore
from backends.tokens.file import FileTokenStore

OpenStore = Callable[[], AthleteTokens]
Stores = Callable[[Path], AbstractAsyncContextManager[OpenStore]]
ANNA, BEN = 101, 202


@asynccontextmanager
async def file_stores(folder: Path) -> AsyncIterator[OpenStore]:
    """Each call opens the same store once more, as another process would."""
    yield lambda: FileTokenStore(folder / "tokens.json")


@asynccontextmanager
async def secret_manager_stores(_: Path) -> AsyncIterator[OpenStore]:
    """Each call opens a connection of its own to the same project."""
    from tests.secret_manager_server import running_server  # noqa: PLC0415 - Google's SDK
    from tests.secret_manager_stores import open_stores  # noqa: PLC0415 - Google's SDK

    with running_server() as server:
        async with open_stores(server, "contract") as open_one:
            yield open_one


STORES = [pytest.param(file_stores, id="file"), pytest.param(secret_manager_stores, id="secret_manager")]


@pytest.fixture(params=STORES)
async def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenStore]:
    """A way to open one store several times."""
    stores: Stores = request.param
    async with stores(tmp_path) as open_one:
        yield open_one


@pytest.fixture
def store(open_store: OpenStore) -> AthleteTokens:
    """The store, opened once."""
    return open_store()


def tokens(number: int) -> TokenSet:
    """Tokens that tell their number."""
    return TokenSet(
        access_token=f"access-{number}",
        refresh_token=f"refresh-{number}",
        expires_at=datetime(2026, 5, 4, 3, 2, number % 60, tzinfo=UTC),
        scope=frozenset({"read", "activity:read_all"}),
    )


async def test_unknown_athlete_has_no_tokens(store: TokenStore) -> None:
    """Loading before any save answers None."""
    assert await store.load(ANNA) is None


async def test_saved_tokens_come_back_whole(open_store: OpenStore) -> None:
    """Every field survives the round trip and is seen through another handle."""
    await open_store().save(ANNA, tokens(1))
    assert await open_store().load(ANNA) == tokens(1)


async def test_last_save_wins(store: TokenStore) -> None:
    """A rotated refresh token replaces the dead one."""
    await store.save(ANNA, tokens(1))
    await store.save(ANNA, tokens(2))
    assert await store.load(ANNA) == tokens(2)


async def test_athletes_do_not_touch_one_another(open_store: OpenStore) -> None:
    """Saves of many athletes at once, through many handles, all survive."""
    await asyncio.gather(*(open_store().save(athlete, tokens(athlete)) for athlete in range(12)))
    assert [await open_store().load(athlete) for athlete in range(12)] == [tokens(n) for n in range(12)]


async def test_delete_removes_one_athlete(store: TokenStore) -> None:
    """The deleted athlete's tokens are gone, the other's stay, and deleting again is success."""
    await store.save(ANNA, tokens(1))
    await store.save(BEN, tokens(2))
    await store.delete(ANNA)
    await store.delete(ANNA)
    assert (await store.load(ANNA), await store.load(BEN)) == (None, tokens(2))


async def test_the_athletes_who_have_tokens_come_in_order(store: AthleteTokens) -> None:
    """By their numbers, however they came; nobody without tokens, though deleted or held."""
    for athlete_id in (BEN, 9, ANNA, 7):
        await store.save(athlete_id, tokens(1))
    await store.delete(7)
    async with store.refreshing(8):
        assert await store.athlete_ids() == [9, ANNA, BEN]


async def test_one_refresher_at_a_time(open_store: OpenStore) -> None:
    """A caller that waits for the right to refresh sees what the one before saved: no update is lost."""

    async def refresh() -> None:
        store = open_store()
        async with store.refreshing(ANNA):
            before = await store.load(ANNA)
            await asyncio.sleep(0)
            await store.save(ANNA, tokens(int(before.access_token.removeprefix("access-")) + 1 if before else 1))

    await asyncio.gather(*(refresh() for _ in range(5)))
    assert await open_store().load(ANNA) == tokens(5)


async def test_right_to_refresh_ends_with_an_error(open_store: OpenStore) -> None:
    """A refresher that fails does not lock the others out."""
    with pytest.raises(ZeroDivisionError):
        async with open_store().refreshing(ANNA):
            raise ZeroDivisionError
    async with open_store().refreshing(ANNA):
        await open_store().save(ANNA, tokens(1))


async def test_two_athletes_may_refresh_at_once(open_store: OpenStore) -> None:
    """One athlete's slow refresh does not hold up another's."""
    async with open_store().refreshing(ANNA), open_store().refreshing(BEN):
        await open_store().save(BEN, tokens(2))
    assert await open_store().load(BEN) == tokens(2)
