"""Removes what Strava's API sent longer ago than it may be kept, and has what is still at Strava loaded again."""

from datetime import datetime, timedelta
from typing import Protocol

import structlog

from backends.warehouse.activities import Retention
from backends.warehouse.athletes import AthleteStore, connected_ids
from backends.warehouse.backfills import Backfill, Backfills

_AT_ONCE = 500  # activities in one transaction, so that events are not held up

log = structlog.get_logger(__name__)


class RetentionStore(Retention, AthleteStore, Backfills, Protocol):
    """The part of `raw` that a retention needs."""


async def expire(store: RetentionStore, days: int, now: datetime) -> int:
    """Remove payloads that are older than so many days; return of how many activities. Raises WarehouseBusy.

    Only those who are connected are asked for again, within the rate budget: the rest stays removed.
    """
    removed, others, whose = 0, 0, set[int]()
    while True:
        done = await store.expire(observed_before=now - timedelta(days=days), how_many=_AT_ONCE)
        removed, others, whose = removed + done.activities, others + done.others, whose | done.athlete_ids
        if done.activities < _AT_ONCE:
            break
    for athlete_id in whose & set(await connected_ids(store)):
        await store.request_backfill(Backfill.requested(athlete_id, now))
    if removed or others:
        log.info("retention.expired", activities=removed, others=others, days=days)
    return removed
