"""The rate budget's state in one JSON file, which all programs of the machine read and change."""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import structlog
from filelock import AsyncFileLock, Timeout
from pydantic import ValidationError

from runtime.data_dir import make_private
from strava.budget_state import BudgetState
from strava.errors import ProbeUnderWay

T = TypeVar("T")

OWNER_ONLY = 0o600
_LONGEST = 65_536  # bytes; the state has less than a thousand as a rule
_LOCK_WAIT_S = 5.0
_LOCK_POLL_S = 0.005
PROBE_WAIT_S = 60.0  # longer than a refresh of tokens and a call take
_log = structlog.get_logger(__name__)


class FileBudgetStore:
    """Implements `BudgetStore` on one file.

    The file is locked itself and written by one call of the system, so a kill leaves the old or the new, and it is not
    flushed to the disk: what a power cut takes is learnt again from the next answer. A damaged file is replaced. Where
    the file cannot be used this process counts alone, and the log says so.
    """

    def __init__(self, path: Path, *, probe_wait_s: float = PROBE_WAIT_S) -> None:
        self._path = path
        self._probe_wait_s = probe_wait_s
        self._turn = asyncio.Lock()
        self._probe = asyncio.Lock()
        self._alone = BudgetState()  # where the file cannot be used
        self.is_damaged = False  # the file, at the last look

    async def read(self) -> BudgetState:
        """Return the state; a new one where none is kept."""
        if not self._path.exists():
            return BudgetState()
        return await self._with_state(lambda state: state, is_kept=False)

    async def change(self, edit: Callable[[BudgetState], T]) -> T:
        """Have the state edited, alone among all processes, and keep it."""
        return await self._with_state(edit)

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[None]:
        """Hold the right alone among all processes; a holder that dies gives it up.

        Raises ProbeUnderWay where another holds it for longer than any call takes.
        """
        async with self._probe:
            lock = AsyncFileLock(self._beside(".probe.lock"), timeout=self._probe_wait_s, mode=OWNER_ONLY)
            try:
                self._make_folder()
                await lock.acquire()
            except Timeout as error:
                raise ProbeUnderWay(_LOCK_WAIT_S) from error
            except OSError as error:
                self._warn(error)
            try:
                yield
            finally:
                await lock.release()

    async def _with_state(self, work: Callable[[BudgetState], T], *, is_kept: bool = True) -> T:
        """Work on the locked file: at once where it is free, as a rule, and in a thread where it must be waited for."""
        async with self._turn:
            try:
                return self._in_file(work, is_kept=is_kept, patience_s=0.0)
            except BlockingIOError:
                return await asyncio.to_thread(self._in_file, work, is_kept=is_kept, patience_s=_LOCK_WAIT_S)

    def _in_file(self, work: Callable[[BudgetState], T], *, is_kept: bool, patience_s: float) -> T:
        """Raises BlockingIOError where the file is locked and there is no patience."""
        try:
            self._make_folder()
            with self._opened() as file:
                _lock(file.fileno(), patience_s)
                self._alone = self._state_of(file.read(_LONGEST), is_kept=is_kept)
                result = work(self._alone)
                if is_kept:
                    self._write(file.fileno(), self._alone)
        except OSError as error:
            if isinstance(error, BlockingIOError) and not patience_s:
                raise
            self._warn(error)
            return work(self._alone)
        return result

    def _write(self, descriptor: int, state: BudgetState) -> None:
        try:  # JSON may end in spaces, so no second call has to shorten the file
            os.pwrite(descriptor, state.model_dump_json().encode().ljust(os.fstat(descriptor).st_size), 0)
        except OSError as error:
            self._warn(error)

    def _opened(self) -> BinaryIO:
        return os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, OWNER_ONLY), "rb")

    def _state_of(self, content: bytes, *, is_kept: bool) -> BudgetState:
        self.is_damaged = False
        if not content:  # it was made just now
            return BudgetState()
        try:
            return BudgetState.model_validate_json(content)
        except ValidationError:
            self.is_damaged = True
            if is_kept:
                told = "it is replaced by what the next answer tells"
                _log.warning("budget.damaged", path=str(self._path), remedy=told)
                os.truncate(self._path, 0)
            return BudgetState()

    def _make_folder(self) -> None:
        if not self._path.parent.is_dir():
            make_private(self._path.parent)

    def _warn(self, error: Exception) -> None:
        _log.warning(
            "budget.not_shared", path=str(self._path), reason=str(error), remedy="check the disk and its owner"
        )

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(f"{self._path.name}{suffix}")


def _lock(descriptor: int, patience_s: float) -> None:
    """Lock the file until it is closed, be it by a kill. Raises BlockingIOError where another holds it for longer."""
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(_LOCK_POLL_S)
        else:
            return
