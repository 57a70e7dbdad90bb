"""Links recordings again by what is known now: the API or an export may have caught up with an athlete's own file."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import structlog

from backends.warehouse.own_files import FactSource, Link, MatchFacts, OwnFiles
from worker.importing.matching import NEAR_S, ROW, Activity, Known, Match, Recorded, match

log = structlog.get_logger(__name__)

_AROUND = timedelta(hours=1)  # recordings that are one with a recording begin within minutes of it
_NEAR = timedelta(seconds=NEAR_S)


async def relink_all(store: OwnFiles, athlete_id: int) -> dict[str, Match]:
    """Match all recordings of an athlete, store what differs, and return all by `file_id`. Raises WarehouseBusy."""
    facts = await store.match_facts(athlete_id)
    matches = matched(facts)
    await _store(store, facts, matches)
    return matches


async def relink_open(store: OwnFiles) -> int:
    """Match the recordings that may have to be linked otherwise; return how many were. Raises WarehouseBusy."""
    by_athlete = defaultdict[int, list[MatchFacts]](list)
    for each in await store.unlinked_files():
        by_athlete[each.athlete_id].append(each)
    changed = 0
    for athlete_id, files in by_athlete.items():
        starts = [each.start_at for each in files if each.start_at]
        if not starts:
            continue
        first, last = min(starts) - _AROUND, max(starts) + _AROUND
        longest = timedelta(seconds=max(each.elapsed_time_s or 0 for each in files))
        facts = await store.match_facts(athlete_id, first - _NEAR - longest, last + _NEAR + longest)
        matches = matched(facts)
        whole = {each.file_id for each in facts if each.start_at and first <= each.start_at <= last}
        changed += await _store(store, facts, {key: found for key, found in matches.items() if key in whole})
    if changed:
        log.info("import.relinked", files=changed)
    return changed


def matched(facts: Collection[MatchFacts]) -> dict[str, Match]:
    """Return the match of each recording among the facts of one athlete."""
    told = defaultdict[int, list[MatchFacts]](list)
    for each in facts:
        if each.source is not FactSource.FILE:
            told[each.activity_id].append(each)
    activities = [_activity(activity_id, of_one) for activity_id, of_one in told.items()]
    return match(activities, [found for each in facts if (found := _recorded(each)) is not None])


async def _store(store: OwnFiles, facts: Iterable[MatchFacts], matches: dict[str, Match]) -> int:
    before = {each.file_id: _as_linked(each) for each in facts if each.file_id}
    links = [Link(file_id=key, **found._asdict()) for key, found in matches.items() if before.get(key) != found]
    return await store.relink(links) if links else 0


def _as_linked(facts: MatchFacts) -> Match:
    return Match(facts.activity_id, facts.matched_by, facts.twin, facts.suspect, facts.suspect_twin)


def _activity(activity_id: int, told: Iterable[MatchFacts]) -> Activity:
    """Return an activity as the API tells of it, and what it does not as the export does."""
    api_first = sorted(told, key=lambda each: each.source is not FactSource.API)
    known = [_known(each) for each in api_first]
    return Activity(
        activity_id=activity_id,
        known=next((each for each in known if each), None),
        upload_id=next((each.upload_id for each in api_first if each.upload_id), None),
        external_id=next((each.external_id for each in api_first if each.external_id), None),
    )


def _recorded(facts: MatchFacts) -> Recorded | None:
    known = _known(facts)
    if known is None or facts.file_id is None or facts.own_activity_id is None:
        return None
    return Recorded(
        file_id=facts.file_id,
        own_activity_id=facts.own_activity_id,
        known=known,
        name=facts.name,
        device_key=facts.device_key,
        row_activity_id=facts.activity_id if facts.matched_by == ROW else None,
    )


def _known(facts: MatchFacts) -> Known | None:
    if facts.start_at is None or facts.elapsed_time_s is None:
        return None
    return Known(
        start=_seconds(facts.start_at),
        elapsed_s=facts.elapsed_time_s,
        distance_m=facts.distance_m,
        sport_type=facts.sport_type,
        first_point=facts.first_point,
    )


def _seconds(moment: datetime) -> int:
    return round(moment.timestamp())
