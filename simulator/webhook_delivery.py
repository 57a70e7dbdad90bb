"""Delivers events as Strava does: 2 seconds to answer exactly 200, three attempts, then gone for ever.

https://developers.strava.com/docs/webhooks/
"""

import asyncio
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass

import httpx
import orjson
import structlog

from runtime.clock import utc_text
from simulator.activity_log import ActivityLog, Save
from simulator.clock import Clock
from simulator.faults import Dice
from simulator.subscriptions import ANSWER_WITHIN_S, Subscriptions

ATTEMPTS = 3
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RetrySpacing:
    """Least and most seconds between two attempts."""

    least_s: float
    most_s: float

    @classmethod
    def from_text(cls, text: str) -> "RetrySpacing":
        """Read `"60,120"`. Raises ValueError."""
        least, most = (float(part) for part in text.split(","))
        return cls(least, most)


class WebhookDelivery:
    """Sends each event in a task of its own; first attempts of one object keep their order unless a fault says not."""

    def __init__(  # noqa: PLR0913, PLR0917 - its collaborators
        self,
        http: httpx.AsyncClient,
        subscriptions: Subscriptions,
        saves: ActivityLog,
        dice: Dice,
        clock: Clock,
        spacing: RetrySpacing,
    ) -> None:
        self._http, self._subscriptions, self._saves = http, subscriptions, saves
        self._dice, self._clock, self._spacing = dice, clock, spacing
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def resume(self) -> None:
        """Send what was on its way when the program ended."""
        for save in self._saves.after():
            if save.fate == "pending":
                self.send(save)

    def send(self, save: Save) -> None:
        """Send the save's event, as the faults decide: at once, late, twice or never."""
        if self._subscriptions.current is None:
            self._settle(save, "unsubscribed")
        elif self._dice.happens("lose"):
            self._settle(save, "lost")
        else:
            faults, wait_s = self._dice.faults, 0.0
            if self._dice.happens("reorder"):
                wait_s += self._dice.between("reorder_within", 0, faults.reorder_within_s)
            if self._dice.happens("delay"):
                wait_s += faults.delay_s
            self._start(save, 0, wait_s)
            if self._dice.happens("duplicate"):
                self._start(save, 1, self._dice.between("duplicate_within", 0, faults.duplicate_within_s))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way: no event, no duplicate, no further attempt."""
        return not self._tasks

    async def idle(self) -> None:
        """Wait until nothing is on its way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Stop sending; what was pending is sent at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, save: Save, copy: int, wait_s: float) -> None:
        task = asyncio.create_task(self._deliver(save, copy, wait_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, save: Save, copy: int, wait_s: float) -> None:
        overtakes = wait_s > 0 or copy > 0  # all others wait for earlier events of the same object
        async with nullcontext() if overtakes else self._turns[save.id]:
            await asyncio.sleep(wait_s)
            is_done = await self._attempt(save, 1, copy)
        for attempt in range(2, ATTEMPTS + 1):
            if is_done:
                return
            await asyncio.sleep(self._dice.between("spacing", self._spacing.least_s, self._spacing.most_s))
            is_done = await self._attempt(save, attempt, copy)
        if not is_done and copy == 0:
            self._settle(save, "given_up")

    async def _attempt(self, save: Save, attempt: int, copy: int) -> bool:
        """Send once and log it; return whether that settles the event."""
        subscription = self._subscriptions.current
        if subscription is None:
            self._settle(save, "unsubscribed")
            return True
        event = {**(save.event or {}), "subscription_id": subscription["id"]}
        at = utc_text(self._clock())
        status, error = await self._post(subscription["callback_url"], orjson.dumps(event))
        save.deliveries.append({"attempt": attempt, "at": at, "status": status, "error": error, "copy": copy})
        is_done = status == httpx.codes.OK
        if is_done and copy == 0:
            save.fate = "delivered"
        self._saves.keep(save)
        return is_done

    async def _post(self, url: str, body: bytes) -> tuple[int | None, str | None]:
        headers = {"Content-Type": "application/json"}
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await self._http.post(url, content=body, headers=headers, timeout=ANSWER_WITHIN_S)
        except (httpx.RequestError, TimeoutError) as error:
            return None, type(error).__name__
        return answer.status_code, None

    def _settle(self, save: Save, fate: str) -> None:
        save.fate = fate
        self._saves.keep(save)
        log.info("event.settled", save_id=save.save_id, activity_id=save.id, fate=fate)
