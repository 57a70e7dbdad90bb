"""What a person sees of the demo: each event as it arrives, and how long it took to raw and to the chart."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from athlete.demo.config import DemoConfig
from athlete.demo.latency import Journey, journeys, speeds
from athlete.demo.simulator_client import Save, SimulatorClient
from athlete.demo.stalled import late, warning
from runtime.clock import utc_now

REFRESH_S = 0.5
ROWS = 12
REMEMBERED = 400
COLOURS = {"stored": "green", "unchanged": "cyan", "deleted": "yellow", "parked": "red"}


@dataclass
class LiveView:
    """Follows the simulated athlete's saves through the pipeline until it is cancelled.

    `settled` is the last save of which nothing more is to come; the view begins after it.
    """

    config: DemoConfig
    simulator: SimulatorClient
    console: Console
    subscription_id: int
    settled: int = 0
    clock: Callable[[], datetime] = utc_now
    _saves: dict[int, Save] = field(default_factory=dict)
    _announced: set[int] = field(default_factory=set)
    _has_warned: bool = False

    async def run(self) -> None:
        """Show a table on a terminal, or one line an event where there is none."""
        if not self.console.is_terminal:
            await self._lines()
        with Live(console=self.console, auto_refresh=False) as live:
            while True:
                live.update(await self._frame(), refresh=True)
                await asyncio.sleep(REFRESH_S)

    async def _lines(self) -> None:
        while True:
            ways = await self._newest()
            self._warn_once(len(late(ways, self.clock())))
            for way in ways:
                if way.charted_at and way.save.save_id not in self._announced:
                    self._announced.add(way.save.save_id)
                    self.console.print("  ".join(text.plain for text in self._cells(way)), highlight=False)
            await asyncio.sleep(REFRESH_S)

    def _warn_once(self, waiting: int) -> None:
        """Say once that saves wait for the charts, and again only after the charts had caught up."""
        if waiting and not self._has_warned:
            self.console.print(
                warning(self.config, waiting), style="red", highlight=False, markup=False, soft_wrap=True
            )
        self._has_warned = bool(waiting)

    async def _newest(self) -> list[Journey]:
        """Ask only for the saves that may still change."""
        for save in await self.simulator.saves(self.settled):
            self._saves[save.save_id] = save
            if save.save_id == self.settled + 1 and save.fate != "pending":
                self.settled = save.save_id
        recent = list(self._saves.values())[-REMEMBERED:]
        return journeys(self.config.files.pipeline_path, recent, self.subscription_id)

    async def _frame(self) -> RenderableType:
        ways = await self._newest()
        table = Table(title="Events as they arrive", title_justify="left", expand=False)
        for heading in ("saved at", "what", "activity"):
            table.add_column(heading)
        for heading in ("→ raw", "→ chart"):
            table.add_column(heading, justify="right")
        table.add_column("outcome")
        for way in reversed(ways[-ROWS:]):
            table.add_row(*self._cells(way))
        waiting = len(late(ways, self.clock()))
        return Group(
            table,
            *([Text(warning(self.config, waiting), "red")] if waiting else []),
            await self._summary(ways),
            Text(f"Dashboard: {self.config.ports.dashboard_url}", "bold"),
        )

    def _cells(self, way: Journey) -> list[Text]:
        return [
            Text(f"{way.save.saved_at.astimezone(self.config.display_timezone):%H:%M:%S}"),
            Text(way.save.kind),
            Text(str(way.save.activity_id)),
            Text(_seconds(way.to_raw_ms)),
            Text(_seconds(way.to_chart_ms)),
            Text(way.outcome or "on its way", COLOURS.get(way.outcome or "", "dim")),
        ]

    async def _summary(self, ways: Sequence[Journey]) -> Text:
        raw, chart = speeds(ways)
        count = await self.simulator.activity_count()
        return Text(
            f"Strava has {count:,} activities · save → raw p50 {_seconds(raw['p50'])}, p95 {_seconds(raw['p95'])}"
            f" · save → chart p50 {_seconds(chart['p50'])}, p95 {_seconds(chart['p95'])}"
        )


def _seconds(milliseconds: float | None) -> str:
    return "…" if milliseconds is None else f"{milliseconds / 1000:.2f} s"
