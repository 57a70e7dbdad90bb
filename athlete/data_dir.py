"""The data folder as a command meets it: whether it can be one, what is in it, and one pipeline at a time on it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from athlete.backends import open_store, open_tokens
from athlete.errors import CommandError
from backends.engine import is_on_gcp
from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from runtime.data_dir import make_private
from runtime.settings import SharedSettings

LOCK = "pipeline.lock"


def demo_folder(data_dir: Path, *, once: bool = False) -> Path:
    """Return where a demo keeps its data: beside a person's own, and apart from it."""
    return data_dir / ("demo-once" if once else "demo")


def require_usable(data_dir: Path) -> None:
    """Refuse what is no folder and can never be one. Raises CommandError, OSError."""
    nearest = next(each for each in (data_dir, *data_dir.parents) if each.exists())
    if not nearest.is_dir():
        raise CommandError(f"DATA_DIR cannot be used, for {nearest} is a file; set it to a folder.")


def require_data(settings: SharedSettings) -> None:
    """Refuse a folder that is missing or holds only a demo's data: a command that only reads makes none.

    On Google Cloud no folder holds data. Raises CommandError, OSError.
    """
    if is_on_gcp(settings):
        return
    require_usable(settings.data_dir)
    has_data = settings.pipeline_path.exists() or settings.mart_path.exists()
    if not has_data and (demo_folder(settings.data_dir).exists() or not settings.data_dir.exists()):
        raise CommandError(_nothing_in(settings.data_dir))
    _refuse_emptied(settings.pipeline_path)


def require_pipeline(settings: SharedSettings) -> None:
    """Refuse a folder in which no pipeline has run yet. Raises CommandError, OSError."""
    if is_on_gcp(settings):
        return
    require_usable(settings.data_dir)
    if not settings.pipeline_path.exists():
        raise CommandError(_nothing_in(settings.data_dir))
    _refuse_emptied(settings.pipeline_path)


def _refuse_emptied(path: Path) -> None:
    if path.exists() and not path.stat().st_size:
        raise CommandError(
            f"{path} is empty, so what was stored in it is lost: restore it from a backup; without one, run "
            "`athlete up`, which makes it again, and `athlete connect` for each athlete."
        )


async def lost_athletes(settings: SharedSettings) -> str:
    """Return what to say where tokens are kept of athletes of whom the database knows none; otherwise nothing."""
    if is_on_gcp(settings):  # there no file can be lost
        return ""
    try:
        async with open_tokens(settings) as tokens, open_store(settings, read_only=True) as store:
            connected = await tokens.athlete_ids()
            known = await store.athletes()
    except (TokensUnavailable, WarehouseBusy):
        return ""  # told by those who need them
    if known or not connected:
        return ""
    return (
        f"{settings.pipeline_path} knows no athlete, but tokens are kept of {', '.join(map(str, connected))}: the "
        "database was emptied or replaced. Stop the pipeline and restore it from a backup; without one, run `athlete "
        "connect` for each athlete again: until then their events are not taken."
    )


def _nothing_in(data_dir: Path) -> str:
    demo = demo_folder(data_dir)
    instead = f"set DATA_DIR={demo} for the demo's data" if demo.is_dir() else "set DATA_DIR to where your data is"
    return f"Nothing is stored in {data_dir} yet: start with `athlete demo` or `athlete up`, or {instead}."


@contextmanager
def claimed(data_dir: Path) -> Iterator[None]:
    """Hold the folder, created if missing, against every other pipeline. Raises CommandError, OSError.

    The kernel releases the lock when this process ends, even by kill -9. The programs that it starts do not inherit
    the lock, so one that outlives it for a moment does not keep the folder.
    """
    require_usable(data_dir)
    make_private(data_dir)
    path = data_dir / LOCK
    try:
        lock = FileLock(path, fallback_to_soft=False).acquire(timeout=0)
    except Timeout as error:
        holder = path.read_text(encoding="utf-8").strip() or "unknown"
        raise CommandError(
            f"A pipeline is already running on {data_dir} (process {holder}); stop it, or set another DATA_DIR."
        ) from error
    with lock:  # it leaves the file's content alone
        path.write_text(f"{os.getpid()}\n", encoding="utf-8")
        yield


def running_process(data_dir: Path) -> str | None:
    """Return the process that holds the folder, as a text, or None where no pipeline runs on it; nothing is changed."""
    path = data_dir / LOCK
    try:
        with path.open("rb") as file:
            holder = file.read().decode(errors="replace").strip()
            if not _is_alive(holder):  # looking at the lock takes it for a moment, in which none could start
                return None
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return holder
    except FileNotFoundError:
        return None
    return None


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def empty(data_dir: Path) -> None:
    """Remove everything in a claimed folder, except its lock."""
    for each in data_dir.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name != LOCK:
            each.unlink()
