"""`athlete demo`: everything in one process tree against a Strava simulator."""

import asyncio
import json
import shlex
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from athlete.backends import open_marts
from athlete.data_dir import claimed, demo_folder, empty
from athlete.demo.checks import Report, check_all, report_table, settle
from athlete.demo.config import DemoConfig, demo_secrets, require_same_athlete, write_athlete_file
from athlete.demo.daily import check_every_day, crop_silently, run_daily_job
from athlete.demo.export import ExportForm, demo_state, export_athlete
from athlete.demo.history import load_history
from athlete.demo.scenario import play_scenario
from athlete.demo.session import DemoSession, open_session
from athlete.demo.stalled import reason
from athlete.demo.view import LiveView
from athlete.errors import CommandError, exit_on_error, require_this_machine
from athlete.output import say
from athlete.ports import Listener, require_free
from athlete.programs import Ports, room_folder
from athlete.supervisor import free_port
from dashboard.settings import DashboardSettings
from runtime.logs import configure_logs
from simulator.export.columns import Version
from simulator.export.languages import Language

RECORDED = Path("tests/fixtures/strava")


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """What a person can choose about a demo; port 0 is any free one."""

    dashboard_port: int = 0
    service_port: int = 0
    simulator_port: int = 0
    years: int = 3
    seed: int = 7

    @property
    def listeners(self) -> Sequence[Listener]:
        """The ports that were given, and by which option."""
        return (
            Listener(program="dashboard", port=self.dashboard_port, chosen_by="--port"),
            Listener(program="service", port=self.service_port, chosen_by="--service-port"),
            Listener(program="simulator", port=self.simulator_port, chosen_by="--simulator-port"),
        )

    def ports(self) -> Ports:
        """Take the ports that were given, and free ones for the others."""
        return Ports(
            service=self.service_port or free_port(),
            worker=free_port(),
            dashboard=self.dashboard_port or free_port(),
        )


@exit_on_error
def demo(  # noqa: PLR0913 - one argument an option
    *,
    once: Annotated[bool, typer.Option("--once", help="Play a scenario, check it, print one JSON line.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The dashboard's port; 0 takes a free one.")] = 0,
    service_port: Annotated[int, typer.Option(min=0, max=65535, help="The service's port; 0 takes a free one.")] = 0,
    simulator_port: Annotated[
        int, typer.Option(min=0, max=65535, help="The simulator's port; 0 takes a free one.")
    ] = 0,
    years: Annotated[int, typer.Option(min=1, max=100, help="Years of history that the simulated athlete has.")] = 3,
    per_minute: Annotated[float, typer.Option(min=0.1, help="How many things the athlete does a minute.")] = 12,
    seed: Annotated[int, typer.Option(help="Another seed is another athlete.")] = 7,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE.zip", help="Write the athlete's export as Strava sends it, and end.")
    ] = None,
    language: Annotated[Language, typer.Option(help="The export's language; xx is one that nobody knows.")] = (
        Language.EN_US
    ),
    version: Annotated[Version, typer.Option(help="The export's form: as in that year or month.")] = (
        Version.SEPTEMBER_2026
    ),
) -> None:
    """Run the whole pipeline against a Strava simulator: connect, load the history, then go on until Ctrl-C."""
    settings = DashboardSettings()
    if export is not None:
        state = demo_state(demo_folder(settings.data_dir), seed=seed, years=years)
        form = ExportForm(language=language, version=version)
        say(export_athlete(export, form, seed=seed, years=years, state=state))
        return
    require_this_machine(settings, "the demo runs on this machine; leave BACKEND out")
    configure_logs(settings.log_format, "WARNING")
    options = DemoOptions(
        dashboard_port=port, service_port=service_port, simulator_port=simulator_port, years=years, seed=seed
    )
    console = Console()
    if once:
        raise typer.Exit(0 if _play_once(settings, options, console) else 1)
    with _claimed_config(settings, options, once=False) as config:
        asyncio.run(_live(config, console, per_minute))


def _play_once(settings: DashboardSettings, options: DemoOptions, console: Console) -> bool:
    """Play the scenario and return whether all checks hold; the last line is JSON, also after an error."""
    line: dict[str, Any] = {"ok": False}
    try:
        with _claimed_config(settings, options, once=True) as config:
            report = asyncio.run(_once(config, console))
        console.print(report_table(report))
        line = {**report.numbers, "ok": report.ok}
    except (asyncio.CancelledError, KeyboardInterrupt) as error:
        raise CommandError("The scenario was interrupted before it was checked; run it again.") from error
    except httpx.HTTPError as error:
        raise CommandError(f"The simulator does not answer ({error!r}); see the logs in DATA_DIR.") from error
    finally:
        print(json.dumps(line), flush=True)  # noqa: T201 - the one line that is for machines
    return report.ok


@contextmanager
def _claimed_config(settings: DashboardSettings, options: DemoOptions, *, once: bool) -> Iterator[DemoConfig]:
    """Choose the config while no other demo runs on its folder. Raises CommandError."""
    with claimed(demo_folder(settings.data_dir, once=once)):
        require_free(options.listeners)
        yield demo_config(settings, options, once=once)


def demo_config(settings: DashboardSettings, options: DemoOptions, *, once: bool) -> DemoConfig:
    """Choose folder and ports. The scenario starts with an empty folder; a demo without it goes on where it stopped.

    Raises CommandError where that was with another athlete.
    """
    folder = demo_folder(settings.data_dir, once=once)
    if once:
        empty(folder)
    require_same_athlete(folder, seed=options.seed, years=options.years)
    data_dir = folder.resolve()
    path_secret, verify_token = demo_secrets(data_dir)
    write_athlete_file(settings.model_copy(update={"data_dir": data_dir}).athlete_file_path)
    recorded = room_folder("athlete").parent / RECORDED
    return DemoConfig(
        data_dir=data_dir,
        ports=options.ports(),
        simulator_port=options.simulator_port or free_port(),
        seed=options.seed,
        years=options.years,
        path_secret=path_secret,
        verify_token=verify_token,
        recorded=recorded if once and recorded.exists() else None,
        display_timezone=settings.display_timezone,
        dashboard_refresh_s=settings.dashboard_refresh_s,
    )


async def _once(config: DemoConfig, console: Console) -> Report:
    """Play, settle and check; SIGINT and SIGTERM end it with CancelledError, once all programs are stopped."""
    if play := asyncio.current_task():
        _on_signal(play.cancel)
    async with _opened(config, console) as session:
        with console.status("Playing the scenario: creates, edits, deletes, duplicates, late answers …"):
            await play_scenario(session.simulator)
            is_quiet = await settle(session)
        await session.simulator.switch_faults()
        with console.status("Cropping an activity, of which no event tells; the daily job looks for it …"):
            await crop_silently(session)
            await run_daily_job(session, "--check-only")  # dbt and its tests are shown by the first marts
            is_quiet = await settle(session) and is_quiet
        return await check_all(session, open_marts(config.files), is_quiet=is_quiet)


def _on_signal(act: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, act)


async def _live(config: DemoConfig, console: Console, per_minute: float) -> None:
    stop = asyncio.Event()
    _on_signal(stop.set)
    play = asyncio.create_task(_play(config, console, per_minute))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({play, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not play.done():
        console.print("\nStopping; `make demo` goes on from here.")
        play.cancel()
    await asyncio.gather(play, return_exceptions=stop.is_set())


async def _play(config: DemoConfig, console: Console, per_minute: float) -> None:
    async with _opened(config, console) as session:
        console.print(f"\n[bold]Dashboard: {config.ports.dashboard_url}[/]", highlight=False)
        console.print("The athlete goes on; every event appears below. Ctrl-C stops everything.")
        if (cropped := await crop_silently(session)) is not None:
            console.print(
                f"Activity {cropped} was cropped, of which no event tells: the daily job finds it in a moment."
            )
        console.print()
        view = LiveView(session, open_marts(config.files), console)
        await session.simulator.live(per_minute=per_minute)
        checking = asyncio.create_task(check_every_day(session))
        try:
            await view.run()
        finally:
            checking.cancel()
            await asyncio.gather(checking, return_exceptions=True)


@asynccontextmanager
async def _opened(config: DemoConfig, console: Console) -> AsyncIterator[DemoSession]:
    """Open the session, load the history, and tell of each step."""
    async with AsyncExitStack() as stack:
        with console.status("Starting a Strava simulator and the pipeline …"):
            session = await stack.enter_async_context(open_session(config))
        for step in (
            f"{len(session.tree.running)} programs run: {', '.join(session.tree.running)}",
            f"connected the simulated athlete {session.athlete_id} by OAuth",
            f"subscribed the webhook ({session.subscription_id}); the challenge was answered",
        ):
            console.print(f"✓ {step}", highlight=False)
        detailed = await load_history(session, console)
        console.print(f"✓ loaded the history: {detailed:,} activities in detail", highlight=False)
        with console.status("dbt builds the first marts …"):
            if not await settle(session):
                why = await reason(config, session.store)
                raise CommandError(f"The first marts are not there, and nothing moves any more: {why}")
        console.print("✓ built and published the first marts", highlight=False)
        console.print(how_to_ask(config.data_dir), highlight=False, markup=False, soft_wrap=True)
        yield session


def how_to_ask(data_dir: Path) -> str:
    """Return the command that asks the demo's own data, which is not where the real data is."""
    installed = Path(sys.executable).with_name("athlete")
    command = "athlete" if shutil.which("athlete") else _from_here(installed)
    question = "select sport_type, count(*) from mart.fct_activities group by all"
    return f'Ask its data: DATA_DIR={_from_here(data_dir)} {command} query "{question}"'


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
