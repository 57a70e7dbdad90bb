"""`athlete demo`: everything in one process tree against a pretend Strava."""

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from athlete.complaints import complains
from athlete.demo.checks import Verdict, judge, settle
from athlete.demo.scene import Scene, playing
from athlete.demo.script import scripted_life
from athlete.demo.stage import Stage, pretend_secrets
from athlete.demo.view import LiveView
from athlete.processes import free_port
from athlete.programs import Ports, room_folder
from backends.logs import configure_logs
from backends.settings import SharedSettings
from backends.warehouse.duckdb import DuckdbMartReader
from dashboard.settings import DashboardSettings
from strava.payload import DETAILED
from worker.history import Progress as HistoryProgress
from worker.history import load_history

HISTORY_CONCURRENCY = 8
RECORDED = Path("tests/fixtures/strava")


@complains
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Play a scripted life, check it, print one JSON line.")] = False,
    port: Annotated[int, typer.Option(help="The dashboard's port; 0 takes a free one.")] = 0,
    years: Annotated[int, typer.Option(min=1, help="Years of history that the pretend athlete has.")] = 4,
    per_minute: Annotated[float, typer.Option(min=0.1, help="How many things the athlete does a minute.")] = 12,
    seed: Annotated[int, typer.Option(help="Another seed is another athlete.")] = 7,
) -> None:
    """Run the whole pipeline against a pretend Strava: connect, load the history, then live on until Ctrl-C."""
    settings = SharedSettings()
    configure_logs(settings.log_format, "WARNING")
    stage = set_stage(settings, once=once, port=port, years=years, seed=seed)
    console = Console()
    if not once:
        asyncio.run(_live(stage, console, per_minute))
        return
    verdict = asyncio.run(_once(stage, console))
    _print_verdict(verdict, console)
    raise typer.Exit(0 if verdict.ok else 1)


def set_stage(settings: SharedSettings, *, once: bool, port: int, years: int, seed: int) -> Stage:
    """Choose folder and ports. A scripted life starts afresh each time, a living demo goes on where it was."""
    data_dir = (settings.data_dir / ("demo-once" if once else "demo")).resolve()
    if once:
        shutil.rmtree(data_dir, ignore_errors=True)
    path_secret, verify_token = pretend_secrets(data_dir)
    recorded = room_folder("athlete").parent / RECORDED
    return Stage(
        data_dir=data_dir,
        ports=Ports(service=free_port(), worker=free_port(), dashboard=port or free_port()),
        simulator_port=free_port(),
        seed=seed,
        years=years,
        path_secret=path_secret,
        verify_token=verify_token,
        recorded=recorded if once and recorded.exists() else None,
    )


async def _once(stage: Stage, console: Console) -> Verdict:
    async with _opened(stage, console) as scene:
        with console.status("Living a scripted life: creates, edits, deletes, duplicates, late answers …"):
            await scripted_life(scene.pretend)
            await settle(scene.pretend, scene.queue, scene.store)
        await scene.pretend.switch_faults()
        mart = DuckdbMartReader(stage.data_dir / "mart.duckdb")
        return await judge(stage, scene.pretend, scene.queue, scene.store, mart)


async def _live(stage: Stage, console: Console, per_minute: float) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    play = asyncio.create_task(_play(stage, console, per_minute))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({play, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not play.done():
        console.print("\nStopping; `make demo` goes on from here.")
        play.cancel()
    await asyncio.gather(play, return_exceptions=stop.is_set())


async def _play(stage: Stage, console: Console, per_minute: float) -> None:
    async with _opened(stage, console) as scene:
        console.print(f"\n[bold]Dashboard: {stage.ports.dashboard_url}[/]", highlight=False)
        console.print("The athlete lives on; every event appears below. Ctrl-C stops everything.\n")
        zone = DashboardSettings().display_timezone
        saves = await scene.pretend.saves()
        view = LiveView(scene.stage, scene.pretend, console, zone, settled=saves[-1].save_id if saves else 0)
        await scene.pretend.live(per_minute=per_minute)
        await view.run()


@asynccontextmanager
async def _opened(stage: Stage, console: Console) -> AsyncIterator[Scene]:
    """Open the scene, load the history, and tell of each step."""
    async with AsyncExitStack() as stack:
        with console.status("Starting a pretend Strava and the pipeline …"):
            scene = await stack.enter_async_context(playing(stage))
        for step in (
            f"{len(scene.tree.running)} programs run: {', '.join(scene.tree.running)}",
            f"connected the pretend athlete {scene.athlete_id} by OAuth",
            f"subscribed the webhook ({scene.subscription_id}); the challenge was answered",
        ):
            console.print(f"✓ {step}", highlight=False)
        await _load_history(scene, console)
        with console.status("dbt builds the first marts …"):
            await settle(scene.pretend, scene.queue, scene.store)
        console.print("✓ built and published the first marts", highlight=False)
        yield scene


async def _load_history(scene: Scene, console: Console) -> None:
    columns = (TextColumn("  history"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("history", total=None)

        def on_progress(seen: HistoryProgress) -> None:
            progress.update(bar, completed=seen.detailed, total=seen.to_detail)

        await load_history(
            scene.client, scene.store, scene.athlete_id, on_progress=on_progress, concurrency=HISTORY_CONCURRENCY
        )
    counts = await scene.store.counts(scene.athlete_id)
    console.print(f"✓ loaded the history: {counts.get(DETAILED, 0):,} activities in detail", highlight=False)


def _print_verdict(verdict: Verdict, console: Console) -> None:
    table = Table(title="A scripted life, checked", title_justify="left")
    for heading in ("", "what must hold", "what was seen"):
        table.add_column(heading)
    for check in verdict.checks:
        table.add_row("[green]✓[/]" if check.holds else "[red]✗[/]", check.name, check.seen)
    for name, key in (("save → raw", "save_to_raw_ms"), ("save → chart", "save_to_chart_ms")):
        times = verdict.numbers[key]
        table.add_row("", name, f"p50 {times['p50']:,} ms, p95 {times['p95']:,} ms")
    console.print(table)
    print(json.dumps({**verdict.numbers, "ok": verdict.ok}))  # noqa: T201 - the one line that is for machines
