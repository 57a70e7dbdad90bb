"""A life that goes on by itself: creates, edits, deletes and duplicates at a rate, chosen by the seed.

However fast it goes, its weeks are believable: what is saved is what the athlete's plan has, again after it was
deleted, and an edit makes of an activity what it may have been.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from simulator.actions import Actions
from simulator.activity_log import ActivityLog, Save
from simulator.clock import Clock
from simulator.habit import unsaved_session
from simulator.world.names import own_title
from simulator.world.sports import ALIKE
from simulator.world.world import World

Weight = Annotated[float, Field(ge=0)]
RECENT = 60  # athletes edit and delete what they saved lately


class Mix(BaseModel):
    """How often each kind of change comes, as weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    create: Weight = 6
    rename: Weight = 2
    retype: Weight = 0.5
    hide: Weight = 0.5
    silent: Weight = 0.5  # a description or a crop: Strava sends no event
    delete: Weight = 1.5  # and what was deleted is saved once more
    repeat: Weight = 1


class AutoplaySettings(BaseModel):
    """Whether the life goes on by itself, how fast and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    running: bool = True
    per_minute: float = Field(12, gt=0, le=60_000)
    mix: Mix = Mix()
    seed: int = 0


class Autoplay:
    """Runs the life in a task; `step` does one thing at once."""

    def __init__(self, actions: Actions, world: World, saves: ActivityLog, clock: Clock) -> None:
        self._actions, self._world, self._saves, self._clock = actions, world, saves, clock
        self._task: asyncio.Task[None] | None = None
        self.settings = AutoplaySettings(running=False)
        self._steps = 0

    async def switch(self, settings: AutoplaySettings) -> None:
        """Start, stop or change it."""
        await self.close()
        if settings.seed != self.settings.seed:
            self._steps = 0
        self.settings = settings
        if settings.running:
            self._task = asyncio.create_task(self._run(60 / settings.per_minute))

    def step(self) -> Save:
        """Do the next thing that the seed says; where nothing is to be saved or changed, another one."""
        self._steps += 1
        rng = Random(f"{self.settings.seed}:live:{self._steps}")
        weights = self.settings.mix.model_dump()
        recent = self._world.ids()[-RECENT:]
        kind = _chosen(rng, weights) or "create"
        session = unsaved_session(self._world, self._clock()) if kind == "create" or not recent else None
        if session is not None:
            return self._actions.upload(replace(session, activity_id=self._world.next_id(self._clock())), {})
        if not recent:
            return self._actions.create({})
        if kind == "create":
            kind = _chosen(rng, {**weights, "create": 0}) or "rename"
        if kind == "repeat":
            own = self._saves.after(athlete_id=self._world.athlete_id)
            if told := [save for save in own if save.event is not None][-RECENT:]:
                return self._actions.repeat(rng.choice(told))
            kind = "rename"
        return self._change(kind, rng.choice(recent), rng)

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def _change(self, kind: str, activity_id: int, rng: Random) -> Save:
        if kind == "delete":
            return self._actions.delete(activity_id)
        before = self._world.summary(activity_id)
        changes: dict[str, Any]
        if kind == "rename" or (kind == "retype" and before["sport_type"] not in ALIKE):
            changes = {"name": own_title(rng, before["sport_type"], before["distance"])}
        elif kind == "retype":
            changes = {"sport_type": ALIKE[before["sport_type"]]}
        elif kind == "hide":
            changes = {"private": not before["private"]}
        elif before["distance"] > 0 and rng.random() < 0.5:  # noqa: PLR2004 - a coin
            changes = {"distance": round(before["distance"] * 0.9, 1)}
        else:
            changes = {"description": f"Note {self._steps}"}
        return self._actions.edit(activity_id, changes)

    async def _run(self, every_s: float) -> None:
        while True:
            self.step()
            await asyncio.sleep(every_s)


def _chosen(rng: Random, weights: dict[str, float]) -> str | None:
    return rng.choices(list(weights), list(weights.values()))[0] if any(weights.values()) else None
