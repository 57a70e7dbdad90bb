"""Removes what Strava's API sent longer ago than it may be kept; the worker loads again what is still at Strava."""

from datetime import datetime, timedelta

import structlog

from backends.warehouse.activities import Retention

_AT_ONCE = 50  # rows in one transaction, so that events are not held up: the streams of one activity may be a megabyte
_BETWEEN_CHECKS = timedelta(days=1)

log = structlog.get_logger(__name__)


async def expire(store: Retention, days: int, now: datetime) -> int:
    """Remove payloads that are older than so many days; return of how many activities. Raises WarehouseBusy.

    It goes in steps, between which others write; one that is cut short goes on with the next run.
    """
    removed, others = 0, 0
    while True:
        done = await store.expire(observed_before=now - timedelta(days=days), how_many=_AT_ONCE)
        removed, others = removed + done.activities, others + done.others
        if done.activities + done.others < _AT_ONCE:
            break
    if removed or others:
        log.info("retention.expired", activities=removed, others=others, days=days)
    return removed


def age_before_expiry(days: int | None, longest: timedelta) -> timedelta:
    """Return the age at which a daily check asks for a thing again, so that it does not expire before the next one."""
    return longest if days is None else min(longest, timedelta(days=days) - _BETWEEN_CHECKS)
