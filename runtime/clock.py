"""The time of day, and how it is written."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time of day, aware of its zone."""
    return datetime.now(UTC)


def utc_text(moment: datetime) -> str:
    """Return UTC text of one fixed width, YYYY-MM-DDTHH:MM:SS.ffffffZ, so that it sorts as time passes."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
