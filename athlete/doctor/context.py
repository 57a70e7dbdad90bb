"""What the checks look at: the settings as far as they can be read, the data as far as it can be opened, and Strava."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from athlete.doctor.strava_look import StravaLook
from athlete.settings import DelivererSettings, ScheduleSettings
from backends.database_examination import DatabaseState
from backends.tokens import AthleteTokens
from backends.warehouse import RawStore
from dashboard.settings import DashboardSettings
from service.settings import ServiceSettings
from strava.budget import RateBudget
from worker.clock_steps import ClockSteps
from worker.dbt_runner.settings import TransformSettings
from worker.settings import WorkerSettings


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every program's settings; of those in `faults`, by their names, the default is taken."""

    service: ServiceSettings
    worker: WorkerSettings
    dashboard: DashboardSettings
    deliverer: DelivererSettings
    schedule: ScheduleSettings
    transform: TransformSettings
    faults: Mapping[str, str]

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return self.worker.data_dir


@dataclass(frozen=True, kw_only=True)
class Machine:
    """This machine as the checks meet it: the way out, the disk, the list of locked packages, dbt."""

    http_for: Callable[[str], httpx.AsyncClient]
    free_bytes: Callable[[Path], int]
    lock_file: Path
    project_fault: Callable[[TransformSettings], str | None]


@dataclass(frozen=True, kw_only=True)
class Context:
    """Everything that a check may look at. `database` is None where there is no file yet."""

    settings: Settings
    machine: Machine
    is_offline: bool
    clock: Callable[[], datetime]
    clock_steps: ClockSteps
    running: str | None
    database: DatabaseState | None
    store: RawStore | None
    tokens: AthleteTokens
    budget: RateBudget
    is_budget_damaged: bool
    strava: StravaLook

    @property
    def raw(self) -> RawStore:
        """The store, for checks that are made only where it is open."""
        if self.store is None:
            raise LookupError("the database is not open")
        return self.store

    def spoken(self, moment: datetime) -> str:
        """Write a moment as a person's clock shows it."""
        zone: ZoneInfo = self.settings.dashboard.display_timezone
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"

    def age_s(self, moment: datetime) -> float:
        """Return how many seconds ago a moment was."""
        return (self.clock() - moment).total_seconds()
