"""The marts as they were at the end of a day, built into a folder that goes before anything is asked."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from athlete.backends import open_console
from athlete.data_dir import require_pipeline
from athlete.errors import CommandError, warn
from athlete.transform import one_line
from backends.engine import is_on_gcp
from backends.warehouse.marts import SqlConsole
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now
from worker.dbt_runner.settings import TransformSettings


@contextmanager
def console_as_of(day: date, sql: str) -> Iterator[SqlConsole]:
    """Build what the statement names as of the end of a day, and open it.

    Its folder goes as soon as it is open, which the open file outlives: a process that is ended during a long question
    leaves no copy of anybody's data behind, of which a purge would not know.

    Raises CommandError where it cannot be built, WarehouseBusy, QueryFailed, OSError.
    """
    settings = TransformSettings()
    if is_on_gcp(settings):
        raise CommandError("--as-of builds tables on this machine; with BACKEND=gcp there is no such folder.")
    require_pipeline(settings)
    moment = end_of(day, DashboardSettings().display_timezone)
    if moment - timedelta(days=1) > utc_now():
        raise CommandError(f"{day} has not begun; --as-of takes a day up to today.")
    with TemporaryDirectory(prefix=".as-of-", dir=settings.data_dir) as folder:
        seconds = _build(settings, sql, moment, Path(folder))
        known = "edits since are undone, deletions are not"
        warn(f"built as of {day} in {seconds:.0f} s: {known}; your marts are as before.")
        console = open_console(settings, Path(folder) / "transform.duckdb")
    with closing(console):
        yield console


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the last second of the day by the clocks of the zone, in UTC."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return midnight.astimezone(UTC) - timedelta(seconds=1)


def _build(settings: TransformSettings, sql: str, moment: datetime, folder: Path) -> float:
    from worker.dbt_runner.main import dbt_in  # noqa: PLC0415 - dbt, which other questions need not wait for

    build = dbt_in(folder, settings).build_as_of(moment, sql)
    if build.error:
        raise CommandError(f"The marts of that day could not be built: {one_line(build.error)}")
    return sum(node.seconds for node in build.nodes)
