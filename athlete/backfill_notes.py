"""What a backfill costs where the history was imported: said before it starts."""

from collections.abc import Sequence
from datetime import datetime

from backends.warehouse import RawStore
from backends.warehouse.own_files import FactSource

COST = (
    "Their details cost a call each and add segments and what Strava computes; Strava's list, 200 a call, tells the "
    "exact sport and privacy, and --no-details loads that alone."
)
SPARED = (
    "Their details are not loaded, as RETENTION_DAYS would have them removed again; Strava's list, 200 a call, tells "
    "the exact sport and privacy."
)


async def notes(
    store: RawStore, athlete_ids: Sequence[int], since: datetime | None, *, spares_archived: bool
) -> list[str]:
    """Say of each athlete how many activities an export alone tells of, and what their details cost.

    Raises WarehouseBusy.
    """
    told = []
    for athlete_id in athlete_ids:
        ids: dict[FactSource, set[int]] = {source: set() for source in FactSource}
        for each in await store.match_facts(athlete_id):
            if since is None or each.start_at is None or each.start_at >= since:
                ids[each.source].add(each.activity_id)
        if count := len(ids[FactSource.ARCHIVE] - ids[FactSource.API]):
            who = f"Athlete {athlete_id}: an export alone tells of {count:,} activities."
            told.append(f"{who} {SPARED if spares_archived else COST}")
    return told
