"""`make bench`: runs every measurement, prints a table, and ends with one JSON line."""

import json
import platform
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks import (
    backlog,
    chart,
    idle,
    importing,
    pages,
    publish,
    recordings,
    refresh,
    saves,
    upsert,
    webhook,
    worker,
)
from dashboard.navigation import ENTRIES

MEASUREMENTS: dict[str, Callable[[], dict[str, float]]] = {
    "webhook": webhook.measure,
    "publish": publish.measure,
    "worker": worker.measure,
    "backlog": backlog.measure,
    "upsert": upsert.measure,
    "refresh": refresh.measure,
    "streams": refresh.measure_curves,
    "recordings": recordings.measure,
    "import": importing.measure,
    "pages": pages.measure,
    "activity": pages.measure_activity,
    "chart": chart.measure,
    "saves": saves.measure,
    "idle": idle.measure,
}
# What a number must be, where something was promised; the rest explains it.
PROMISES = {
    "webhook_ratio": "≥ 0.4",
    "webhook_p99_ms": "< 50",
    "publish_ratio": "≥ 0.4",
    "worker_ratio": "≥ 0.5",
    "backlog_live_s": "< 5",
    "full_build_s": "≤ 60",
    "refresh_growth": "≤ 1.5",
    "refresh_new_growth": "≤ 2",
    "streams_build_s": "< 60",
    "streams_refresh_s": "< 2",
    "recordings_ratio": "≥ 0.5",
    "import_rows_shown_s": "< 5",
    "import_s": "< 60",
    "import_again_s": "< 5",
    "import_rss_mb": "< 300",
    "heard_to_raw_p95_ms": "< 2,000",
    "heard_to_chart_p95_ms": "< 4,000",
    "lone_save_to_chart_p95_ms": "< 3,000",
    "idle_rss_mb": "< 600",
    "idle_cpu_percent": "< 2",
    "page_activity_curves_query_ms": "< 200",
    "page_activity_curves_drawn_s": "< 1.5",
    **{f"page_{entry.path}_query_ms": "< 200" for entry in ENTRIES},
    **{f"page_{entry.path}_drawn_s": "< 2" for entry in ENTRIES},
}


def main() -> None:
    """Run the measurements that were named, or all of them."""
    console = Console()
    numbers: dict[str, float] = {}
    for name in sys.argv[1:] or MEASUREMENTS:
        with console.status(f"Measuring {name} …"):
            numbers |= MEASUREMENTS[name]()
    table = Table(title=f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for heading in ("measured", "median", "promised"):
        table.add_column(heading, justify="left" if heading == "measured" else "right")
    for name, value in numbers.items():
        table.add_row(name, f"{value:,.3g}" if value < 100 else f"{value:,.0f}", PROMISES.get(name, ""))  # noqa: PLR2004
    console.print(table)
    print(json.dumps({name: round(value, 4) for name, value in numbers.items()}))  # noqa: T201 - for machines


if __name__ == "__main__":
    main()
