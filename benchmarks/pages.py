"""The dashboard's pages with 100,000 activities: what their queries take, and when a browser shows them.

And page Activity with recorded curves, among 2,000 activities.
"""

import logging
import shutil
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, sync_playwright
from streamlit.testing.v1 import AppTest

from athlete.supervisor import free_port
from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.marts import MartRows
from benchmarks.refresh import CURVED, LARGE, built
from benchmarks.servers import running
from dashboard.context import PageContext
from dashboard.mart import Mart
from dashboard.navigation import ENTRIES
from runtime.clock import utc_now

ROUNDS = 5
UP_TO_S = 120
DRAWN = "() => document.querySelector('[data-test-script-state=notRunning] [data-testid=stMainBlockContainer] h1')"
CHARTED = "() => [...document.querySelectorAll('.stVegaLiteChart')].every(one => one.querySelector('.marks'))"


def measure() -> dict[str, float]:
    """Return of each page the median of its slowest query, and of the time until it is drawn, its charts apart."""
    logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").setLevel(logging.ERROR)  # for AppTest
    folder = built(LARGE).folder
    queries = {f"page_{entry.path}_query_ms": _slowest_query_ms(folder, entry.path) for entry in ENTRIES}
    return queries | _until_drawn(folder, {entry.path: "" if entry is ENTRIES[0] else entry.path for entry in ENTRIES})


def measure_activity() -> dict[str, float]:
    """Return the same of page Activity, of one with a route and curves of 4,000 readings."""
    folder, told = built(CURVED, "curves").folder, {"id": str(CURVED // 2)}
    drawn = _until_drawn(folder, {"activity_curves": f"activity?id={told['id']}"})
    return {"page_activity_curves_query_ms": _slowest_query_ms(folder, "activity", **told)} | drawn


class _Timed(DuckdbMartReader):
    """The published marts; it notes what each statement took, in milliseconds."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.took: defaultdict[str, list[float]] = defaultdict(list)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> MartRows:
        """Ask, and note how long it took."""
        began = time.perf_counter()
        found = super().rows(sql, parameters)
        self.took[sql].append((time.perf_counter() - began) * 1000)
        return found


def _slowest_query_ms(folder: Path, path: str, **told: str) -> float:
    """Draw the page some times without a browser, with these words in its address, nothing remembered from before."""
    timed = _Timed(folder / "mart.duckdb")
    for _ in range(ROUNDS):
        context = PageContext(mart=Mart(timed), zone=ZoneInfo("Europe/Berlin"), refresh_s=3600, clock=utc_now)
        app = AppTest.from_function(_draw, kwargs={"context": context, "path": path})
        app.query_params.update(told)
        app.run(timeout=UP_TO_S)
        if app.exception:
            raise RuntimeError(f"the page {path} failed: {app.exception[0].message}")
    timed.close()
    return max(median(times) for times in timed.took.values())


def _draw(context, path):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - AppTest runs this text by itself
    from dashboard import navigation  # noqa: PLC0415 - see above
    from dashboard.formatting import Teller  # noqa: PLC0415 - see above

    entry = next(one for one in navigation.ENTRIES if one.path == path)
    navigation.draw(context, entry, Teller(now=context.now(), zone=context.zone))


def _until_drawn(folder: Path, addresses: Mapping[str, str]) -> dict[str, float]:
    """Ask a warm server for each page by its address, each time with a browser that has nothing in its cache."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {"DATA_DIR": str(folder), "DASHBOARD_PORT": str(port), "LOG_LEVEL": "warning"}
    with running(["-m", "dashboard"], url, environment), sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        taken = {name: [_seconds(browser, f"{url}/{each}") for _ in range(ROUNDS)] for name, each in addresses.items()}
        browser.close()
    return {
        f"page_{name}_{what}_s": median(seconds)
        for name, rounds in taken.items()
        for what, seconds in zip(("drawn", "charted"), zip(*rounds[1:], strict=True), strict=True)  # the first warms up
    }


def _seconds(browser: Browser, url: str) -> tuple[float, float]:
    """Return the seconds until all of a page has come, and until each chart in it shows its marks."""
    page = browser.new_page()
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_function(DRAWN, timeout=UP_TO_S * 1000)
    drawn = time.perf_counter() - began
    page.wait_for_function(CHARTED, timeout=UP_TO_S * 1000)
    charted = time.perf_counter() - began
    page.close()
    return drawn, charted
