"""The time of day, how it is written, and the clock that is never set."""

import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

_PROCESS = secrets.token_hex(8)


def utc_now() -> datetime:
    """Return the time of day, aware of its zone."""
    return datetime.now(UTC)


def utc_text(moment: datetime) -> str:
    """Return UTC text of one fixed width, YYYY-MM-DDTHH:MM:SS.ffffffZ, so that it sorts as time passes."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def steady_s() -> float:
    """Return seconds that never step back and, where the system can tell, also count while it sleeps.

    All programs of one machine read the same count until it starts again: see `boot_id`.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def boot_id() -> str:
    """Return a text that changes when the count of `steady_s` begins again; where none is kept, one of this process."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _PROCESS
