"""One transform at a time among all processes of a machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import AsyncFileLock

from runtime.data_dir import make_private


@asynccontextmanager
async def single_flight(lock_path: Path) -> AsyncIterator[None]:
    """Wait for the lock, and hold it. The lock is the kernel's: it ends with its process. Raises OSError."""
    make_private(lock_path.parent)
    async with AsyncFileLock(lock_path, poll_interval=0.05):
        yield
