"""Recorded Strava answers, read from a folder: activities and gear to serve as if they were the simulated athlete's."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

DETAILED = 3  # of Strava's `resource_state`
EMPTY_DETAIL: dict[str, Any] = {"description": None, "calories": 0.0, "segment_efforts": [], "laps": []}


class UnreadableRecording(ValueError):
    """A recorded file holds no JSON; the sentence names it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Detailed activities and gear by id."""

    activities: dict[int, dict[str, Any]] = field(default_factory=dict)
    gear: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_recorded(folder: Path, athlete_id: int) -> Recorded:
    """Read every `*.json` of the folder: an answer (request, status, headers, body), a list of those, or bare bodies.

    Ids are kept; the athlete's own becomes `athlete_id` wherever it stands. Raises UnreadableRecording, OSError.
    """
    recorded = Recorded()
    for path in sorted(folder.glob("*.json")):
        try:
            content = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError as error:
            raise UnreadableRecording(f"SIMULATOR_RECORDED_DIR: {path.name} holds no JSON: {error}") from error
        for body in _bodies(_as_athlete(content, athlete_id)):
            if "sport_type" in body and "start_date" in body:
                if body.get("resource_state") == DETAILED or body["id"] not in recorded.activities:
                    recorded.activities[body["id"]] = _detailed(body)
            elif isinstance(body.get("id"), str) and "brand_name" in body:
                recorded.gear[body["id"]] = body
    return recorded


def _bodies(content: Any) -> Iterator[dict[str, Any]]:
    for item in content if isinstance(content, list) else [content]:
        if isinstance(item, dict) and "body" in item and "request" in item:
            yield from _bodies(item["body"])
        elif isinstance(item, dict):
            yield item


def _detailed(body: dict[str, Any]) -> dict[str, Any]:
    """Where only the summary was recorded, its map and empty lists stand for the detail."""
    if body["resource_state"] == DETAILED:
        return body
    shown = body.get("map") or {}
    full_map = shown | {"polyline": shown.get("summary_polyline"), "resource_state": DETAILED}
    return body | EMPTY_DETAIL | {"resource_state": DETAILED, "map": full_map}


def _as_athlete(value: Any, athlete_id: int) -> Any:
    if isinstance(value, list):
        return [_as_athlete(item, athlete_id) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item | {"id": athlete_id} if key == "athlete" and isinstance(item, dict) else _as_athlete(item, athlete_id)
        for key, item in value.items()
    }
