"""Time as an argument, so that quarter hours, midnights and expiries can be tested without waiting."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def iso(moment: datetime) -> str:
    """Write a moment as Strava does, to the second: `2026-05-01T06:30:00Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_iso(text: str) -> datetime:
    """Read a moment; a text without a zone is taken as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
