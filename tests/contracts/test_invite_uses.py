"""What every store of used invitations must do."""

import asyncio
from datetime import timedelta

from backends.warehouse.athletes import InviteUse
from tests.contracts.conftest import NOON, HandClock, OpenStore

ANNA, BEN = 9_100_001, 9_100_002


async def test_of_many_who_claim_at_once_one_wins(open_store: OpenStore) -> None:
    """Whether they share a store or each has its own: an invitation is used once."""
    stores = [open_store() for _ in range(4)]
    claims = [store.claim_invite("a", NOON) for store in stores for _ in range(5)]
    assert sorted(await asyncio.gather(*claims)) == [False] * 19 + [True]


async def test_a_use_is_seen_by_others_and_outlives_the_process(open_store: OpenStore) -> None:
    """First it is free, then under way, then it is told whom it connected."""
    store = open_store()
    assert await store.invite_use("a") is None
    await store.claim_invite("a", NOON)
    assert await open_store().invite_use("a") == InviteUse(athlete_id=None)
    await store.settle_invite("a", ANNA)
    await store.close()
    later = open_store()
    assert await later.invite_use("a") == InviteUse(athlete_id=ANNA)
    assert not await later.claim_invite("a", NOON)
    assert await later.claim_invite("b", NOON)


async def test_what_connected_nobody_can_be_used_again(open_store: OpenStore) -> None:
    """A claim that came to nothing is released; one that connected somebody never is."""
    store = open_store()
    await store.claim_invite("a", NOON)
    await store.release_invite("a")
    assert await store.claim_invite("a", NOON)
    await store.settle_invite("a", ANNA)
    await store.release_invite("a")
    assert not await store.claim_invite("a", NOON)


async def test_a_use_is_kept_until_the_invitation_has_expired(open_store: OpenStore, clock: HandClock) -> None:
    """A clock that is set back by hours brings no used invitation back; long after, the row is gone."""
    store = open_store()
    await store.claim_invite("a", NOON)
    clock.now = NOON + timedelta(hours=23)
    await store.claim_invite("b", clock.now)
    assert await store.invite_use("a") is not None
    clock.now = NOON + timedelta(hours=25)
    await store.claim_invite("c", clock.now)
    assert await store.invite_use("a") is None
    assert await store.invite_use("b") is not None


async def test_a_purge_forgets_whom_an_invitation_connected(open_store: OpenStore) -> None:
    """The link stays used, also after its athlete was removed; another athlete's is not touched."""
    store = open_store()
    for invite, athlete in (("a", ANNA), ("b", BEN)):
        await store.claim_invite(invite, NOON)
        await store.settle_invite(invite, athlete)
    await store.purge(ANNA)
    assert await store.invite_use("a") == InviteUse(athlete_id=None)
    assert await store.invite_use("b") == InviteUse(athlete_id=BEN)
    assert not await store.claim_invite("a", NOON)
