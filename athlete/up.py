"""`athlete up`: the whole pipeline in one process tree, against the Strava that the settings name."""

import asyncio
import signal
from collections.abc import Sequence

from rich.console import Console

from athlete.backends import open_store, open_tokens
from athlete.data_dir import claimed, lost_athletes
from athlete.errors import CommandError, exit_on_error, require_this_machine
from athlete.inbox import Inbox
from athlete.ports import Listener, require_free
from athlete.programs import Ports, pipeline_programs
from athlete.schedule import DailyRuns, Schedule
from athlete.settings import DelivererSettings, ScheduleSettings
from athlete.supervisor import ProcessTree, Program, free_port, run_to_end
from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from backends.warehouse.athletes import Athlete, AthleteStatus
from backends.warehouse.subscriptions import current_id
from dashboard.settings import DashboardSettings
from runtime.data_dir import make_private
from runtime.logs import configure_logs
from runtime.settings import SharedSettings
from service.settings import ServiceSettings
from worker.dbt_runner.settings import TransformSettings
from worker.settings import WorkerSettings

NOBODY = "No athlete is connected yet, so nothing will arrive: `athlete connect` connects one."
IMPORTS_ALONE = (
    "No app at Strava is set, so nothing new arrives: the charts show what was imported. Put more files into the "
    "inbox, or set STRAVA_CLIENT_ID and what else .env.example explains."
)
WITHOUT_STRAVA = frozenset({"transformer", "dashboard"})
NOT_SUBSCRIBED = "No subscription is known: while this runs, `athlete subscription create` has Strava send events here."


@exit_on_error
def up() -> None:
    """Run service, queue, worker, transforms and dashboard until Ctrl-C, against the real Strava.

    Where all was imported from your own files and no app at Strava is set, only the transforms and the dashboard run.
    """
    worker = WorkerSettings()
    require_this_machine(worker, "its programs run there, as infra/ describes them; leave BACKEND out to run them here")
    service = ServiceSettings()
    dashboard = DashboardSettings()
    schedules = ScheduleSettings()
    schedule = Schedule(schedules.daily_time, dashboard.display_timezone)
    for others in (DelivererSettings, TransformSettings):
        others()  # the programs read them again: here they could only fall over
    configure_logs(worker.log_format, worker.log_level)
    missing = missing_settings(service, worker)
    if missing and not asyncio.run(has_imports_alone(worker)):
        raise CommandError(
            f"Set {', '.join(missing)} (environment or .env) first; .env.example explains each. Without an app at "
            "Strava, `athlete import` brings in your own files."
        )
    with claimed(worker.data_dir):
        require_free(listeners(service, worker, dashboard))
        ports = choose_ports(service, worker, dashboard)
        if missing:
            asyncio.run(_show_imports(worker, ports, schedules.inbox_every_s))
        else:
            asyncio.run(_run(worker, ports, schedule, schedules.inbox_every_s))


def listeners(service: ServiceSettings, worker: WorkerSettings, dashboard: DashboardSettings) -> Sequence[Listener]:
    """Name the ports of the settings, and the settings."""
    places = (
        ("service", service.service_host, service.service_port),
        ("worker", worker.worker_host, worker.worker_port),
        ("dashboard", dashboard.dashboard_host, dashboard.dashboard_port),
    )
    return [
        Listener(program=name, host=host, port=port, chosen_by=f"{setting}_PORT", host_chosen_by=f"{setting}_HOST")
        for name, host, port in places
        for setting in [name.upper()]
    ]


def choose_ports(service: ServiceSettings, worker: WorkerSettings, dashboard: DashboardSettings) -> Ports:
    """Take what the settings say, and a free port where they say 0: a caller must know it before the start."""
    return Ports(
        service=service.service_port or free_port(),
        worker=worker.worker_port or free_port(),
        dashboard=dashboard.dashboard_port or free_port(),
        service_host=service.service_host,
        worker_host=worker.worker_host,
        dashboard_host=dashboard.dashboard_host,
    )


def missing_settings(service: ServiceSettings, worker: WorkerSettings) -> list[str]:
    """Name the settings without which no event would ever arrive or be fetched."""
    given = {
        "STRAVA_CLIENT_ID": worker.strava_client_id,
        "STRAVA_CLIENT_SECRET": worker.strava_client_secret.get_secret_value(),
        "WEBHOOK_PATH_SECRET": service.webhook_path_secret.get_secret_value(),
        "STRAVA_VERIFY_TOKEN": service.strava_verify_token.get_secret_value(),
    }
    return [name for name, value in given.items() if not value]


async def is_anybody_connected(settings: SharedSettings) -> bool:
    """Whether there is an athlete whose tokens are kept. Raises WarehouseBusy, TokensUnavailable."""
    async with open_tokens(settings) as tokens, open_store(settings) as store:
        return any([await tokens.load(athlete.athlete_id) for athlete in await store.athletes()])


async def connection_notice(settings: SharedSettings) -> str:
    """Return why nothing of anybody would arrive, and what to do; nothing where somebody is connected."""
    try:
        if await is_anybody_connected(settings):
            return ""
    except (TokensUnavailable, WarehouseBusy) as error:  # the programs wait for them; so do we
        return str(error)
    return await lost_athletes(settings) or NOBODY


async def subscription_notice(settings: WorkerSettings) -> str:
    """Return what to do where no subscription is known; nothing where the data or the setting names one."""
    try:
        async with open_store(settings) as store:
            current = settings.strava_subscription_id or current_id(await store.subscriptions())
    except WarehouseBusy:  # told by `connection_notice`
        return ""
    return "" if current else NOT_SUBSCRIBED


async def has_imports_alone(settings: SharedSettings) -> bool:
    """Whether all that is stored was imported from athletes' own files, so that no app at Strava is needed to show it.

    Raises WarehouseBusy.
    """
    if not settings.pipeline_path.exists():
        return False
    async with open_store(settings) as store:
        return are_imports_alone(await store.athletes())


def are_imports_alone(athletes: Sequence[Athlete]) -> bool:
    """Whether there are athletes, and all of them are known by their own files alone."""
    return bool(athletes) and all(each.status == AthleteStatus.ARCHIVE_ONLY for each in athletes)


async def _show_imports(settings: WorkerSettings, ports: Ports, inbox_every_s: float) -> None:
    """Run what shows own files and imports more of them: nothing speaks to Strava."""
    stop, console = _stopped_by_signals(), Console()
    async with ProcessTree() as tree:
        await tree.start([each for each in pipeline_programs(ports, {}) if each.name in WITHOUT_STRAVA])
        console.print(f"Dashboard: {ports.dashboard_url}", highlight=False)
        console.print(IMPORTS_ALONE, highlight=False, markup=False, soft_wrap=True)
        console.print("Ctrl-C stops everything.")
        await watch_inbox(settings, inbox_every_s, stop)
        await stop.wait()


def _stopped_by_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _run(settings: WorkerSettings, ports: Ports, schedule: Schedule, inbox_every_s: float) -> None:
    stop, console = _stopped_by_signals(), Console()
    async with ProcessTree() as tree:
        await tree.start(pipeline_programs(ports, {}))
        console.print(f"Dashboard: {ports.dashboard_url}", highlight=False)
        console.print(
            f"Strava's events: let PUBLIC_URL lead to {ports.service_url} (docs/public-address.md).",
            highlight=False,
            soft_wrap=True,
        )
        for notice in (await connection_notice(settings), await subscription_notice(settings)):
            if notice:
                console.print(notice, highlight=False, markup=False, soft_wrap=True)
        console.print("Ctrl-C stops everything; nothing that was received is lost.")
        job = Program(name="daily", module="worker.daily")
        daily = DailyRuns(schedule, settings.data_dir / "daily.json", lambda: run_to_end(job, stop))
        await asyncio.gather(daily.keep_on(stop), watch_inbox(settings, inbox_every_s, stop))


async def watch_inbox(settings: SharedSettings, every_s: float, stop: asyncio.Event) -> None:
    """Import what is put into the inbox until `stop` is set, each time by a process that ends. Raises OSError."""

    async def take(names: Sequence[str]) -> int:
        return await run_to_end(Program(name="import", module="athlete.importing.inbox", arguments=names), stop)

    if every_s:
        make_private(settings.inbox_path)
        await Inbox(settings.inbox_path, take).keep_on(stop, every_s)
