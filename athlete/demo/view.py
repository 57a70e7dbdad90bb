"""What a person sees of the demo: each event as it arrives, and how long it took to raw and to the chart."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from athlete.demo.daily import last_check
from athlete.demo.latency import Percentiles, events_on_chart, percentiles
from athlete.demo.session import DemoSession
from athlete.demo.stalled import count_late, warning
from backends.warehouse.ledger import LedgerEntry, LedgerFilter
from backends.warehouse.marts import MartReader
from runtime.clock import utc_now

REFRESH_S = 0.5
ROWS = 12
REMEMBERED = 400
NOT_CHECKED = "The daily job has not run yet."
COLOURS = {"stored": "green", "unchanged": "cyan", "deleted": "yellow", "parked": "red"}
SHOWN_STAGES = ("save_to_heard", "heard_to_raw", "heard_to_chart")


@dataclass
class LiveView:
    """Follows the events that are heard from now on through the pipeline until it is cancelled."""

    session: DemoSession
    mart: MartReader
    console: Console
    clock: Callable[[], datetime] = utc_now
    _since: datetime = field(init=False)
    _version: str | None = None
    _on_chart: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _percentiles: Percentiles = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._since = self.clock()

    async def run(self) -> None:
        """Show a table on a terminal, or one line an event where there is none."""
        if not self.console.is_terminal:
            await self._lines()
        with Live(console=self.console, auto_refresh=False) as live:
            while True:
                live.update(await self._frame(), refresh=True)
                await asyncio.sleep(REFRESH_S)

    async def _lines(self) -> None:
        announced: set[str] = set()
        has_warned, told = False, await last_check(self.session)
        while True:
            events = await self._events()
            waiting = await count_late(events.values(), self.session.store, self.clock())
            if waiting and not has_warned:
                sentence = await warning(self.session.config, self.session.store, waiting)
                self.console.print(sentence, style="red", highlight=False, markup=False, soft_wrap=True)
            checked = await last_check(self.session)
            if checked != told:
                self.console.print(checked, highlight=False, markup=False, soft_wrap=True)
            told = checked
            has_warned = waiting > 0  # it is told again after the charts have caught up
            for event_id in self._on_chart:
                if event_id in events and event_id not in announced:
                    announced.add(event_id)
                    cells = self._cells(event_id, events[event_id])
                    self.console.print("  ".join(text.plain for text in cells), highlight=False)
            await asyncio.sleep(REFRESH_S)

    async def _events(self) -> dict[str, LedgerEntry]:
        """Return the newest row of each event, oldest event first; ask the marts again where others are published."""
        version = self.mart.version()
        if version != self._version:
            self._on_chart = events_on_chart(self.mart, self._since)
            self._percentiles = percentiles(self.mart, self.session.athlete_id)
            self._version = version
        rows = await self.session.store.recent(LedgerFilter(since=self._since), limit=REMEMBERED)
        return {row.event_id: row for row in reversed(rows) if row.event_id}

    async def _frame(self) -> RenderableType:
        events = await self._events()
        table = Table(title="Events as they arrive", title_justify="left", expand=False)
        for heading in ("heard at", "what", "activity"):
            table.add_column(heading)
        for heading in ("→ raw", "→ chart"):
            table.add_column(heading, justify="right")
        table.add_column("outcome")
        for event_id in list(events)[: -ROWS - 1 : -1]:
            table.add_row(*self._cells(event_id, events[event_id]))
        waiting = await count_late(events.values(), self.session.store, self.clock())
        return Group(
            table,
            *([Text(await warning(self.session.config, self.session.store, waiting), "red")] if waiting else []),
            await self._summary(),
            Text(await last_check(self.session) or NOT_CHECKED),
            Text(f"Dashboard: {self.session.config.ports.dashboard_url}", "bold"),
        )

    def _cells(self, event_id: str, row: LedgerEntry) -> list[Text]:
        heard_at = row.received_at and row.received_at.astimezone(self.session.config.display_timezone)
        took = self._on_chart.get(event_id, {})
        return [
            Text(f"{heard_at:%H:%M:%S}" if heard_at else ""),
            Text(row.event.aspect_type if row.event else ""),
            Text(str(row.event.object_id) if row.event else ""),
            Text(_seconds(took.get("heard_to_raw_s"))),
            Text(_seconds(took.get("heard_to_chart_s"))),
            Text(row.outcome, COLOURS.get(row.outcome, "dim")),
        ]

    async def _summary(self) -> Text:
        count = await self.session.simulator.activity_count()
        stages = (
            f" · {stage.replace('_to_', ' → ')} p50 {_seconds(took['p50'])}, p95 {_seconds(took['p95'])}"
            for stage, took in self._percentiles.items()
            if stage in SHOWN_STAGES
        )
        return Text(f"Strava has {count:,} activities{''.join(stages)}")


def _seconds(seconds: float | None) -> str:
    return "…" if seconds is None else f"{seconds:.2f} s"
