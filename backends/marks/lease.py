"""The right to do something alone among all machines: a mark that names its holder and its end, and is renewed.

A holder that dies keeps it until its end, and no longer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import structlog

from backends.marks import SharedMarks
from backends.warehouse import WarehouseBusy
from runtime.clock import utc_now, utc_text

log = structlog.get_logger(__name__)


class LeaseHeld(WarehouseBusy):
    """Another program holds the right."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeasePolicy:
    """How long a lease lasts, is waited for and pauses between two tries, in seconds.

    `skew_s` is what two machines' clocks may differ by.
    """

    lease_s: float = 90.0
    skew_s: float = 10.0
    wait_s: float = 0.0
    poll_s: float = 2.0


@asynccontextmanager
async def leased(
    marks: SharedMarks, name: str, policy: LeasePolicy, *, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[None]:
    """Hold the right. Raises LeaseHeld where another holds it for longer than is waited, WarehouseBusy.

    Where another has taken it over meanwhile, the block is cancelled, and LeaseHeld is raised too.
    """
    lease = _Lease(marks, f"lease:{name}", policy, clock)
    until = clock() + timedelta(seconds=policy.wait_s)
    while not await lease.take():
        if clock() >= until:
            raise LeaseHeld(f"Another program does this already ({name}); try again later.")
        await asyncio.sleep(policy.poll_s)
    ended = asyncio.Event()
    limit = asyncio.timeout(None)
    renewing = asyncio.create_task(lease.keep(ended, lambda: limit.reschedule(0)))
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise LeaseHeld(f"Another program has taken this over ({name}); this one ends.") from error
        raise
    finally:
        ended.set()
        await asyncio.gather(renewing, return_exceptions=True)  # not cancelled: its thread would go on writing
        await lease.give_back()


async def is_held(
    marks: SharedMarks, name: str, policy: LeasePolicy, *, clock: Callable[[], datetime] = utc_now
) -> bool:
    """Whether somebody holds the right now. Raises WarehouseBusy."""
    return await _Lease(marks, f"lease:{name}", policy, clock).is_held()


class _Lease:
    def __init__(self, marks: SharedMarks, mark: str, policy: LeasePolicy, clock: Callable[[], datetime]) -> None:
        self._marks = marks
        self._mark = mark
        self._policy = policy
        self._clock = clock
        self._holder = uuid4().hex
        self._said = ""

    async def take(self) -> bool:
        """Take it where nobody holds it, or its time is over."""
        found = await asyncio.to_thread(self._marks.read, self._mark)
        return not self._is_running(found) and await self._replace(found, self._note())

    async def is_held(self) -> bool:
        """Whether it is somebody's, and its time is not over."""
        return self._is_running(await asyncio.to_thread(self._marks.read, self._mark))

    async def keep(self, ended: asyncio.Event, on_lost: Callable[[], None]) -> None:
        """Renew it until the end, or until it is another's.

        A call that fails is made again: the lease lasts for three of them.
        """
        while not await _is_set_within(ended, self._policy.lease_s / 3):
            try:
                if not await self._replace(self._said, self._note()):
                    log.error("lease.lost", mark=self._mark)
                    if not ended.is_set():
                        on_lost()
                    return
            except WarehouseBusy as error:
                log.warning("lease.not_renewed", mark=self._mark, reason=str(error))

    async def give_back(self) -> None:
        """Let others take it; where that cannot be told it ends by itself."""
        try:
            await self._replace(self._said, "")
        except WarehouseBusy as error:
            log.warning("lease.not_returned", mark=self._mark, reason=str(error))

    async def _replace(self, before: str, text: str) -> bool:
        if not await asyncio.to_thread(self._marks.replace, self._mark, before, text):
            found = await asyncio.to_thread(self._marks.read, self._mark)
            is_ours = found.startswith(self._holder)  # by a change whose answer was lost
            if not is_ours or not await asyncio.to_thread(self._marks.replace, self._mark, found, text):
                return False
        self._said = text
        return True

    def _note(self) -> str:
        return f"{self._holder} {utc_text(self._clock() + timedelta(seconds=self._policy.lease_s))}"

    def _is_running(self, found: str) -> bool:
        ends_at = found.partition(" ")[2]
        skew = timedelta(seconds=self._policy.skew_s)
        return bool(ends_at) and self._clock() < datetime.fromisoformat(ends_at) + skew


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False
