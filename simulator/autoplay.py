"""A life that goes on by itself: creates, edits, deletes and duplicates at a rate, chosen by the seed.

However fast it goes, its days are believable: what does not fit into today is a late upload of an earlier day.
"""

import asyncio
from contextlib import suppress
from random import Random
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from simulator.actions import Actions
from simulator.activity_log import ActivityLog, Save
from simulator.calendar_slots import free_start
from simulator.clock import Clock
from simulator.world.world import World

Weight = Annotated[float, Field(ge=0)]
OTHER_SPORT = {"Run": "TrailRun", "Ride": "GravelRide"}
TITLES = (
    "Long way home",
    "Same but slower",
    "Tempo 🔥",
    "Mit Freunden",
    "Recovery",
    "新しい靴",
    "Wind from everywhere",
)
RECENT = 60  # athletes edit and delete what they saved lately


class Mix(BaseModel):
    """How often each kind of change comes, as weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    create: Weight = 6
    rename: Weight = 2
    retype: Weight = 0.5
    hide: Weight = 0.5
    silent: Weight = 0.5  # a description or a crop: Strava sends no event
    delete: Weight = 0.5
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
        """Do the next thing that the seed says; with nothing to change something is created, on full days renamed."""
        self._steps += 1
        rng = Random(f"{self.settings.seed}:live:{self._steps}")
        weights = self.settings.mix.model_dump()
        kind = rng.choices(list(weights), list(weights.values()))[0] if any(weights.values()) else "create"
        recent = self._world.ids()[-RECENT:]
        if kind == "repeat":
            own = self._saves.after(athlete_id=self._world.athlete_id)
            told = [save for save in own if save.event is not None][-RECENT:]
            return self._actions.repeat(rng.choice(told)) if told else self._create(recent, rng)
        if kind == "create" or not recent:
            return self._create(recent, rng)
        return self._change(kind, rng.choice(recent), rng)

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def _create(self, recent: list[int], rng: Random) -> Save:
        start = free_start(self._world, self._clock(), rng)
        if start is None and recent:
            return self._change("rename", rng.choice(recent), rng)
        return self._actions.create({"start_date_local": start.isoformat()} if start else {})

    def _change(self, kind: str, activity_id: int, rng: Random) -> Save:
        if kind == "delete":
            return self._actions.delete(activity_id)
        before = self._world.summary(activity_id)
        changes: dict[str, Any]
        if kind == "rename":
            changes = {"name": rng.choice([title for title in TITLES if title != before["name"]])}
        elif kind == "retype":
            changes = {"sport_type": OTHER_SPORT.get(before["sport_type"], "Workout")}
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
