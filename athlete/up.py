"""`athlete up`: the whole pipeline in one process tree, against the Strava that the settings name."""

import asyncio
import signal
from collections.abc import Sequence

from rich.console import Console

from athlete.backends import open_store, open_tokens
from athlete.data_dir import claimed, lost_athletes
from athlete.errors import CommandError, exit_on_error, require_this_machine
from athlete.ports import Listener, require_free
from athlete.programs import Ports, pipeline_programs
from athlete.schedule import DailyRuns, Schedule
from athlete.settings import DelivererSettings, ScheduleSettings
from athlete.supervisor import ProcessTree, Program, free_port, run_to_end
from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from backends.warehouse.subscriptions import current_id
from dashboard.settings import DashboardSettings
from runtime.logs import configure_logs
from runtime.settings import SharedSettings
from service.settings import ServiceSettings
from worker.dbt_runner.settings import TransformSettings
from worker.settings import WorkerSettings

NOBODY = "No athlete is connected yet, so nothing will arrive: `athlete connect` connects one."
NOT_SUBSCRIBED = "No subscription is known: while this runs, `athlete subscription create` has Strava send events here."


@exit_on_error
def up() -> None:
    """Run service, queue, worker, transforms and dashboard until Ctrl-C, against the real Strava."""
    worker = WorkerSettings()
    require_this_machine(worker, "its programs run there, as infra/ describes them; leave BACKEND out to run them here")
    service = ServiceSettings()
    dashboard = DashboardSettings()
    schedule = Schedule(ScheduleSettings().daily_time, dashboard.display_timezone)
    for others in (DelivererSettings, TransformSettings):
        others()  # the programs read them again: here they could only fall over
    configure_logs(worker.log_format, worker.log_level)
    if missing := missing_settings(service, worker):
        raise CommandError(f"Set {', '.join(missing)} (environment or .env) first; .env.example explains each.")
    with claimed(worker.data_dir):
        require_free(listeners(service, worker, dashboard))
        asyncio.run(_run(worker, choose_ports(service, worker, dashboard), schedule, Console()))


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


async def _run(settings: WorkerSettings, ports: Ports, schedule: Schedule, console: Console) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
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
        await DailyRuns(schedule, settings.data_dir / "daily.json", lambda: run_to_end(job, stop)).keep_on(stop)
