"""The data folder as a command meets it: whether it can be one at all, and that one pipeline at a time runs on it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from athlete.complaints import Complaint
from backends.data_folder import make_private

LOCK = "pipeline.lock"


@contextmanager
def claimed(data_dir: Path) -> Iterator[None]:
    """Hold the folder, made if need be, against every other pipeline. Raises Complaint, OSError.

    The lock is the kernel's: it ends with this process, even by kill -9. The programs that we start do not inherit
    the file, so one that outlives us for a moment does not keep it.
    """
    make_private(data_dir)
    with (data_dir / LOCK).open("a+") as file:
        file.seek(0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = file.read().strip() or "unknown"
            raise Complaint(
                f"A pipeline is already running on {data_dir} (process {holder}); stop it, or set another DATA_DIR."
            ) from error
        file.truncate()
        print(os.getpid(), file=file, flush=True)
        yield


def empty(data_dir: Path) -> None:
    """Remove all that lies in a claimed folder, except what holds it."""
    for each in data_dir.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name != LOCK:
            each.unlink()
