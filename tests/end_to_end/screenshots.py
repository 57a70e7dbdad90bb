"""`make screenshots`: the dashboard's pages on the demo's data, light and dark, as small pictures in docs/images.

Names of pages (`overview map`) take only those. It needs Chromium, as the browser tests do, and some minutes.
"""

import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright
from rich.console import Console

from athlete.demo.checks import settle
from athlete.demo.command import DemoOptions, demo_config
from athlete.demo.daily import run_daily_job
from athlete.demo.history import load_history
from athlete.demo.scenario import play_scenario
from athlete.demo.session import DemoSession, open_session
from dashboard.navigation import ENTRIES
from dashboard.settings import DashboardSettings
from tests.end_to_end.conftest import QUIET

IMAGES = Path(__file__).parents[2] / "docs/images"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTH, LEAST_HEIGHT, MOST_HEIGHT = 1280, 800, 1500
COLOURS = 256  # of a picture's palette
UP_TO_MS = 90_000
CALM_MS = 2_500  # after the last script run: charts are drawn by then
CONTENT_HEIGHT = "document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"
IS_DRAWN = "[...document.querySelectorAll('[data-testid=stSpinner]')].every(one => !one.checkVisibility())"


async def take(paths: Sequence[str]) -> None:
    """Live the demo's scenario in a temporary folder, and write the pictures."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        config = demo_config(DashboardSettings(data_dir=Path(folder)), DemoOptions(), once=False)
        with console.status("Living the demo …"):
            async with open_session(config) as session, async_playwright() as playwright:
                await _live(session)
                console.print("✓ the demo's data is in the marts")
                path = shutil.which("chromium") or shutil.which("google-chrome")
                browser = await playwright.chromium.launch(executable_path=path, args=QUIET)
                for name in paths:
                    await _take_page(browser, config.ports.dashboard_url, name, console)
                await browser.close()


async def _live(session: DemoSession) -> None:
    """Load the history, play the scenario and check, so that every page has something to tell."""
    await load_history(session, Console(file=io.StringIO()))
    await settle(session)
    await play_scenario(session.simulator)
    await session.simulator.switch_faults()
    await settle(session)
    await run_daily_job(session, "--check-only")
    if not await settle(session):
        raise RuntimeError("the marts are not there")


async def _take_page(browser: Browser, url: str, name: str, console: Console) -> None:
    for scheme in SCHEMES:
        page = await browser.new_page(viewport={"width": WIDTH, "height": LEAST_HEIGHT}, color_scheme=scheme)
        await page.goto(url if name == ENTRIES[0].path else f"{url}/{name}")  # the first page is at the root alone
        await _calm(page)
        height = min(max(int(await page.evaluate(CONTENT_HEIGHT)), LEAST_HEIGHT), MOST_HEIGHT)
        await page.set_viewport_size({"width": WIDTH, "height": height})
        await _calm(page)
        file = IMAGES / f"{name}-{scheme}.png"
        _write_small(await page.screenshot(), file)
        console.print(f"✓ {file.relative_to(IMAGES.parents[1])}: {file.stat().st_size // 1024} kB")
        await page.close()


async def _calm(page: Page) -> None:
    """Wait until the page is drawn; it renews itself, so it is never still for long."""
    await page.wait_for_selector("[data-testid=stMainBlockContainer] h1", timeout=UP_TO_MS)
    await page.wait_for_selector("[data-test-script-state=notRunning]", timeout=UP_TO_MS)
    await page.wait_for_function(IS_DRAWN, timeout=UP_TO_MS)
    await page.wait_for_timeout(CALM_MS)


def _write_small(picture: bytes, file: Path) -> None:
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    # each colour of the palette is the mean of what it stands for: a pale grey was a pale green in one picture
    small = image.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    file.chmod(0o644)  # a demo's files are its owner's alone


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1:] or [entry.path for entry in ENTRIES]))
