"""Deleted means gone from the disk: no file of the data folder holds a byte of what was removed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backends.warehouse.activities import Observation, Source
from backends.warehouse.athletes import Athlete
from backends.warehouse.profile import SeenGear
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.payload import ActivityPayload
from tests.parsed_project import give_built
from worker.dbt_runner.main import open_transformer
from worker.dbt_runner.settings import TransformSettings
from worker.dbt_runner.transformer import Transformer

ATHLETE = 4605555801
DELETED, KEPT, GEAR = b"Sunrise over Zurich", b"Rain in Oslo", b"Shoes from Bergamo"


def observation(activity_id: int, words: bytes | None) -> Observation:
    """An activity with the words in its name and its description, or None: it was not there."""
    fields: dict[str, Any] = {"sport_type": "Run", "distance": 5000.0, "moving_time": 1500, "elapsed_time": 1500}
    text = "" if words is None else words.decode()
    activity = ActivityPayload.from_json(
        {"id": activity_id, "athlete": {"id": ATHLETE}, "resource_state": 3, "name": text, "description": text}
        | fields
        | {"start_date": "2026-05-01T06:00:00Z", "start_date_local": "2026-05-01T08:00:00Z"}
    )
    return Observation(
        activity_id=activity_id,
        athlete_id=ATHLETE,
        observed_at=datetime.now(UTC),
        source=Source.WEBHOOK,
        activity=activity if words else None,
    )


def holding(folder: Path, words: bytes) -> set[str]:
    """Name the files under the folder that hold the words."""
    return {file.name for file in folder.rglob("*") if file.is_file() and words in file.read_bytes()}


async def erased(transformer: Transformer, folder: Path, words: bytes = DELETED) -> set[str]:
    """Return which files hold what was removed, once the marts have caught up and the log was emptied."""
    await transformer.run_if_stale()
    assert await transformer.erase()
    async with asyncio.timeout(30):
        while holding(folder, words) & {"pipeline.sqlite", "pipeline.sqlite-wal"}:  # noqa: ASYNC110 - the disk is asked
            await asyncio.sleep(0.05)
    return holding(folder, words)


@pytest.mark.slow
async def test_what_was_deleted_is_in_no_file(tmp_path: Path, built_project: Path) -> None:
    """Texts of a deleted activity leave every database of the folder; so do activities and gear that got too old."""
    settings = TransformSettings(data_dir=tmp_path)
    give_built(built_project, tmp_path)
    store = SqliteRawStore(settings.pipeline_path)
    async with open_transformer(settings) as transformer:
        long_ago = datetime.now(UTC) - timedelta(days=30)
        old = replace(observation(3, DELETED), observed_at=long_ago)
        await store.apply([observation(1, DELETED), observation(2, KEPT), old])
        await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=long_ago))
        shoes = {"id": "g1", "name": GEAR.decode()}
        await store.put_gear(SeenGear(gear_id="g1", athlete_id=ATHLETE, observed_at=long_ago, payload=shoes))
        assert (await transformer.run()).run.error is None
        assert holding(tmp_path, DELETED) >= {"transform.duckdb", "mart.duckdb"}
        assert "transform.duckdb" in holding(tmp_path, GEAR)
        await store.apply([observation(1, None)])
        await store.expire(observed_before=long_ago + timedelta(days=1), how_many=1)
        assert await erased(transformer, tmp_path) == set()
        await store.expire(observed_before=long_ago + timedelta(days=1), how_many=9)
        assert await erased(transformer, tmp_path, GEAR) == set()
        assert holding(tmp_path, KEPT) >= {"pipeline.sqlite", "transform.duckdb", "mart.duckdb"}
    await store.close()
