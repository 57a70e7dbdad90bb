"""Links recordings again by what is known now: the API or an export may have caught up with an athlete's own file."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from backends.warehouse.own_files import FactSource, FileRow, Link, MatchFacts, OwnFiles
from worker.importing.matching import NEAR_S, ROW, Activity, Known, Match, Recorded, match

log = structlog.get_logger(__name__)

_AROUND = timedelta(hours=1)  # recordings that are one with a recording begin within minutes of it
_NEAR = timedelta(seconds=NEAR_S)


async def relink_all(store: OwnFiles, facts: Collection[MatchFacts]) -> dict[str, Match]:
    """Match all recordings of an athlete, of whom these are all facts, and store what differs.

    Return the matches by `file_id`. Raises WarehouseBusy.
    """
    matches = matched(facts)
    await _store(store, facts, matches)
    return matches


async def relink_open(store: OwnFiles) -> int:
    """Match the recordings that may have to be linked otherwise; return how many were. Raises WarehouseBusy.

    One that stays as it is is stored so once more: from then on it is not asked for again because of what came before.
    """
    by_athlete = defaultdict[int, list[MatchFacts]](list)
    for each in await store.unlinked_files():
        by_athlete[each.athlete_id].append(each)
    changed = 0
    for athlete_id, files in by_athlete.items():
        facts, within = await _facts_around(store, athlete_id, files)
        matches = {key: found for key, found in matched(facts).items() if key in within}
        changed += await _store(store, facts, matches)
        asked = {each.file_id: _as_linked(each) for each in files}
        same = [Link(file_id=key, **found._asdict()) for key, found in matches.items() if asked.get(key) == found]
        if same:
            await store.relink(same)
    if changed:
        log.info("import.relinked", files=changed)
    return changed


async def match_new(store: OwnFiles, rows: Sequence[FileRow]) -> dict[str, dict[str, Any]]:
    """Return the match of each recording that is about to be stored and that no row of an export names, by fields.

    Raises WarehouseBusy.
    """
    own = [_facts_of(row) for row in rows if row.matched_by is None]
    if not own:
        return {}
    facts, _ = await _facts_around(store, own[0].athlete_id, own)
    new = {row.file_id for row in rows}
    matches = matched([*(each for each in facts if each.file_id not in new), *map(_facts_of, rows)])
    return {each.file_id: matches[each.file_id]._asdict() for each in own if each.file_id in matches}


async def _facts_around(
    store: OwnFiles, athlete_id: int, files: Iterable[MatchFacts]
) -> tuple[list[MatchFacts], set[str | None]]:
    """Return what began near these recordings, and the recordings among it of which all that is near is there."""
    known = [(each.start_at, timedelta(seconds=each.elapsed_time_s or 0)) for each in files if each.start_at]
    if not known:
        return [], set()
    first, last = min(start for start, _ in known) - _AROUND, max(start for start, _ in known) + _AROUND
    reach = _NEAR + max(elapsed for _, elapsed in known)
    facts = await store.match_facts(athlete_id, first - reach, last + reach)
    return facts, {each.file_id for each in facts if each.start_at and first <= each.start_at <= last}


def _facts_of(row: FileRow) -> MatchFacts:
    """Return what a recording that is about to be stored is compared by."""
    told = orjson.loads(row.activity)
    first = told.get("start_latlng") or None
    return MatchFacts(
        source=FactSource.FILE,
        athlete_id=row.athlete_id,
        activity_id=row.activity_id,
        start_at=row.start_at,
        elapsed_time_s=row.elapsed_time_s,
        distance_m=told.get("distance"),
        sport_type=told.get("sport_type"),
        first_point=(first[0], first[1]) if first else None,
        file_id=row.file_id,
        own_activity_id=row.own_activity_id,
        name=row.name,
        device_key=row.device_key,
        matched_by=row.matched_by,
    )


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
