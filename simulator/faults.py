"""What can go wrong with Strava, each switchable, and the dice that decide when: the same seed, the same mishaps."""

from collections import Counter
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Chance = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]


class Faults(BaseModel):
    """Everything is off by default; chances are per request or per event."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(0, description="Decides every throw of the dice.")
    latency_s: Seconds = Field(0, description="Every answer of the API and of the token address waits this long.")
    latency_jitter_s: Seconds = Field(0, description="…and up to this much longer.")
    server_error: Chance = Field(0, description="500 instead of an answer, of the API or of the token address.")
    rate_limited: Chance = Field(0, description="429 although the windows are not spent.")
    unauthorized: Chance = Field(0, description="401 although the token is good.")
    inactive: bool = Field(False, description="403: the application owner's subscription lapsed.")
    not_found: Chance = Field(0, description="404 for an activity that is there.")
    empty_not_found: bool = Field(False, description="404 answers have an empty body.")
    visible_after_s: Seconds = Field(0, description="A new activity is 404, and not listed, for this long.")
    token_lifetime_s: Seconds = Field(
        21_600, description="Access tokens end after this long, also before the time they were given."
    )
    duplicate: Chance = Field(0, description="An event is delivered twice.")
    duplicate_within_s: Seconds = Field(1, description="…the copy up to this much later.")
    reorder: Chance = Field(0, description="An event waits, so that later ones overtake it.")
    reorder_within_s: Seconds = Field(2, description="…up to this long.")
    delay: Chance = Field(0, description="An event is late.")
    delay_s: Seconds = Field(30, description="…by this much.")
    lost_answer: Chance = Field(0, description="A subscription is made or deleted, but 500 is answered.")
    lose: Chance = Field(0, description="An event is never sent.")


class Dice:
    """Throws for the faults that are switched on. Switching them starts the throws again."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._throws = Counter[str]()

    def switch(self, faults: Faults) -> None:
        """Replace all faults."""
        self.faults = faults
        self._throws.clear()

    def happens(self, fault: str) -> bool:
        """Throw for a fault with a chance."""
        chance: float = getattr(self.faults, fault)
        return chance > 0 and self._throw(fault) < chance

    def between(self, name: str, least: float, most: float) -> float:
        """Throw for a length of time."""
        return least + (most - least) * self._throw(name)

    def latency_s(self) -> float:
        """Return how long the next API answer waits."""
        if self.faults.latency_jitter_s == 0:
            return self.faults.latency_s
        return self.faults.latency_s + self.between("latency", 0, self.faults.latency_jitter_s)

    def _throw(self, name: str) -> float:
        self._throws[name] += 1
        return Random(f"{self.faults.seed}:{name}:{self._throws[name]}").random()
