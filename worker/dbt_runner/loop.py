"""Watches raw and the clock, and runs the transforms when either has moved on. See docs/decisions/0004."""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from backends.warehouse import WarehouseBusy
from worker.dbt_runner.transformer import Transformer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class PollPolicy:
    """How often to look, how long a change waits for company, and how long a failure rests before the next try.

    Looking asks the database. In between, a glance tells whether anything was written to it, so that a change is seen
    sooner than the clock and the athlete's own file. Where nothing was for `quiet_after_s`, glances are rarer: a save's
    event is written before its activity is fetched, and makes them frequent again.

    After a run, `erase_after_s` pass before the files are rewritten without what was removed, for several removals at
    once: with 100,000 activities that takes 8 s.
    """

    poll_s: float = 1.0
    glance_s: float = 0.05
    quiet_after_s: float = 10.0
    quiet_glance_s: float = 0.25
    debounce_s: float = 0.1
    erase_after_s: float = 15.0
    first_rest_s: float = 1.0
    longest_rest_s: float = 60.0

    def pause_s(self, quiet_s: float) -> float:
        """Return the pause between two glances, that long after the last write."""
        glance_s = self.glance_s if quiet_s < self.quiet_after_s else self.quiet_glance_s
        return min(self.poll_s, glance_s)

    def rest_s(self, failures: int) -> float:
        """Return the pause after that many failures in a row: it doubles."""
        return min(self.longest_rest_s, self.first_rest_s * 2.0 ** min(failures - 1, 30))


def _unseen() -> None:
    """Tell nothing of what was written."""


async def keep_fresh(
    transformer: Transformer, stop: asyncio.Event, policy: PollPolicy, written: Callable[[], object] = _unseen
) -> None:
    """Keep the marts level with raw and the hour until `stop` is set; a run that has begun is finished.

    `written` takes no time, and tells something else after each write to raw's database, or nothing.

    However many rows changed meanwhile, they cost one run. What changed during a run has had company, so the next run
    begins at once. A failed run is tried again after a growing pause.
    """
    failures, has_just_run = 0, False
    erase_at = time.monotonic() + policy.erase_after_s  # also what a program before us left undone
    seen, wrote_at = None, time.monotonic()
    while not stop.is_set():
        before, seen = seen, written()
        wrote_at = wrote_at if seen == before else time.monotonic()
        try:
            was_stale = await transformer.is_stale()
            debounce_s = 0.0 if has_just_run else policy.debounce_s
            succeeded = not was_stale or await _run_after_debounce(transformer, stop, debounce_s)
            if was_stale:
                erase_at = min(erase_at, time.monotonic() + policy.erase_after_s)
            if succeeded and not stop.is_set() and time.monotonic() >= erase_at:
                erase_at = math.inf if await _erase(transformer) else time.monotonic() + policy.erase_after_s
        except (WarehouseBusy, OSError) as error:
            log.warning("transform.waiting", reason=str(error))
            was_stale = succeeded = False
        failures = 0 if succeeded else failures + 1
        has_just_run = was_stale and succeeded
        if failures:
            await _wait(stop, policy.rest_s(failures))
        elif not has_just_run:
            pause_s = policy.pause_s(time.monotonic() - wrote_at)
            await _wait_for_a_write(stop, policy, pause_s, written, seen)


async def _run_after_debounce(transformer: Transformer, stop: asyncio.Event, debounce_s: float) -> bool:
    """Run after the debounce, unless a stop comes before; return whether all is well."""
    await _wait(stop, debounce_s)
    if stop.is_set():
        return True
    done = await transformer.run_if_stale()
    return done is None or done.is_published


async def _erase(transformer: Transformer) -> bool:
    """Rewrite the files; a failure, such as too little disk for the copy, is tried again and delays no refresh."""
    try:
        return await transformer.erase()
    except (WarehouseBusy, OSError) as error:
        log.warning("transform.erasing_failed", reason=str(error))
        return False


async def _wait_for_a_write(
    stop: asyncio.Event, policy: PollPolicy, pause_s: float, written: Callable[[], object], seen: object
) -> None:
    """Wait until one came after what was seen, or it is time to look."""
    until = time.monotonic() + policy.poll_s
    while not stop.is_set():
        await _wait(stop, pause_s)  # also after a write: others may write all the time
        if written() != seen or time.monotonic() >= until:
            return


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
