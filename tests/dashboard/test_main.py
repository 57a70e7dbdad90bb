"""The real program on a published mart, and a browser before it."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, ConsoleMessage, FilePayload, Page, expect, sync_playwright

from dashboard.chart_data import monday

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]
ZONE = ZoneInfo("Asia/Tokyo")
UP_TO = 60_000  # milliseconds; a shared machine may be slow
expect.set_options(timeout=UP_TO)

# https://developer.mozilla.org/en-US/docs/Web/API/LayoutShift
WATCH_SHIFTS = """() => {
    window.shifted = 0;
    const add = one => { window.shifted += one.value };
    new PerformanceObserver(list => list.getEntries().forEach(add)).observe({type: "layout-shift"});
}"""


@pytest.fixture
def address(project_root: Path, tmp_path: Path) -> Iterator[str]:
    """The page of a running dashboard whose data folder is the test's own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dashboard"]
    environment = os.environ | {
        "PYTHONPATH": str(project_root),
        "DATA_DIR": str(tmp_path),
        "DASHBOARD_PORT": str(port),
        "DISPLAY_TIMEZONE": ZONE.key,
        "DASHBOARD_REFRESH_S": "0.2",
    }
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT) as program,
    ):
        until_it_answers(port, program, tmp_path / "log")
        yield f"http://127.0.0.1:{port}"
        program.terminate()
        assert program.wait(timeout=30) == 0


def until_it_answers(port: int, program: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the program listens. It must not have ended."""
    while program.poll() is None:
        with socket.socket() as tried:
            if not tried.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def started(chromium: str) -> Iterator[Browser]:
    """A headless Chromium that keeps to itself."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def browser(started: Browser) -> Iterator[Browser]:
    """That browser; what a test opens ends with it, and leaves nothing behind."""
    yield started
    for context in started.contexts:
        context.close()


def test_help_is_printed_and_nothing_starts(project_root: Path, tmp_path: Path) -> None:
    """What the program does and where its settings come from; an unknown word is refused."""
    command, environment = [sys.executable, "-m", "dashboard"], os.environ | {"DATA_DIR": str(tmp_path)}
    for argument, code, told in (("--help", 0, "Starts the dashboard"), ("--hlep", 2, "unrecognized arguments")):
        ended = subprocess.run(
            [*command, argument], cwd=project_root, env=environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert (ended.returncode, told in ended.stdout + ended.stderr) == (code, True)


def number(page: Page, key: str) -> Any:
    """Find the number that is shown in the container of that key."""
    return page.locator(f".st-key-{key} [data-testid=stMetricValue]")


@pytest.mark.browser
def test_an_open_page_follows_the_marts_without_a_reload(mart_file: Any, address: str, browser: Browser) -> None:
    """From no mart to numbers to newer numbers, in one visit, asking nobody but the dashboard."""
    page = browser.new_page()
    hosts: set[str | None] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    found = complaints(page)
    page.goto(address)
    expect(page.locator(".st-key-empty-no-mart")).to_contain_text("No data yet", timeout=UP_TO)
    tomorrow = datetime.now(ZONE).date() + timedelta(days=1)
    weeks = {monday(tomorrow), monday(tomorrow - timedelta(days=1))}  # midnight may pass: the page shows one of them
    for day in weeks:
        mart_file.activity(day.isoformat(), "Run", km=10.5, minutes=52.5, name="<img src=x onerror=alert(1)>")
    mart_file.health()
    mart_file.publish(tomorrow)
    expect(number(page, "kpi-distance")).to_have_text("10.5\u202fkm", timeout=UP_TO)
    expect(page.locator(".st-key-live")).to_contain_text("19 Nov 2026, 04:29", timeout=UP_TO)
    for day in weeks:
        mart_file.activity(day.isoformat(), "Ride", km=1000, minutes=2000)
    mart_file.health()
    mart_file.publish(tomorrow)
    expect(number(page, "kpi-distance")).to_have_text("1,010\u202fkm", timeout=UP_TO)
    takes_files(page, mart_file.path.parent)
    assert hosts <= {"127.0.0.1", None}
    assert found == []


def takes_files(page: Page, data_dir: Path) -> None:
    """A page takes files once there is an inbox, and puts them there as they are."""
    link = page.get_by_role("link", name="Import")
    expect(link).to_have_count(0)
    (data_dir / "inbox").mkdir()
    page.reload()
    link.click()
    names = ("a.fit", "b.gpx")
    files = [FilePayload(name=name, mimeType="application/octet-stream", buffer=name.encode()) for name in names]
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_text("a.fit")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".st-key-uploaded")).to_contain_text("2 files handed over: a.fit, b.gpx.")
    expect(page.locator(".st-key-larger")).to_contain_text("athlete import export_12345.zip")
    taken = {file.name: file.read_bytes() for file in (data_dir / "inbox").iterdir()}
    assert taken == {name: name.encode() for name in names}


def complaints(page: Page) -> list[str]:
    """Collect errors and Vega's warnings of the console, but for one: a sparkline's point under the pointer is nowhere.

    So a page below the root asks for no address that there is not.
    """
    found: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        is_sparkline = re.search(r"Infinite extent for field .[xy].:", message.text)
        is_vega = "WARN " in message.text and not is_sparkline
        if is_vega or message.type == "error":
            found.append(f"{message.text} {message.location['url']}")

    page.on("console", listen)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.mark.browser
def test_a_page_stands_in_its_place_from_the_start(lively: Any, address: str, browser: Browser) -> None:
    """Our style sheet is in the document, after Streamlit's own in force, so nothing moves when the page is drawn."""
    page = browser.new_page()
    page.goto(f"{address}/pipeline", wait_until="commit")
    page.wait_for_function("document.querySelector('.stMainBlockContainer')")
    sizes = "[getComputedStyle(document.querySelector('.stMainBlockContainer')).paddingLeft, "
    sizes += "getComputedStyle(document.documentElement).fontSize].map(parseFloat)"
    for _ in range(2):
        padding, letter = page.evaluate(sizes)
        assert padding == 2 * letter
        expect(page.locator(".st-key-live")).to_be_visible()


@pytest.mark.browser
def test_a_page_asks_for_its_scripts_with_the_document(lively: Any, address: str, browser: Browser) -> None:
    """None waits for what the page draws. Below the head of a card that is not drawn yet its chart has its place."""
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.goto(f"{address}/trends")
    expect(page.locator(".st-key-chart-distances .stVegaLiteChart .marks").first).to_be_visible()
    began = asked.index("/_stcore/health")
    assert any("/ArrowVegaLiteChart." in path for path in asked[:began])
    assert [path for path in asked[began:] if path.endswith(".js")] == []
    place = "one => getComputedStyle(one, '::after').height"
    head = page.locator(".st-key-card-distances h2")
    assert head.evaluate(place) == "auto"
    card = "one.closest('.st-key-card-distances')"
    head.evaluate(f"one => {card}.replaceChildren({card}.firstElementChild)")
    assert head.evaluate(place) == "230px"


@pytest.mark.browser
def test_a_phone_at_night_shows_the_overview_in_german(lively: Any, address: str, browser: Browser) -> None:
    """Two tiles beside one another at 390 pixels, nothing wider than the screen; each card says why and how."""
    week: dict[str, Any] = {"period_kind": "week", "measure": "moving_time_s", "sport_groups": "all"}
    week |= {"is_current": True, "period_start_date": date(2026, 11, 16)}
    parts = {"target": 180_000.0, "done": 124_950.0, "expected": 77_143.0, "needed_per_day": 11_010.0}
    lively.row("goal_progress", athlete_id=7001, goal_number=1, is_reached=False, **week, **parts)
    lively.activity("2026-11-17", "Ride", km=0, minutes=1, load=84.0)
    lively.publish()
    page = browser.new_page(viewport={"width": 390, "height": 844}, locale="de-AT", color_scheme="dark")
    found = complaints(page)
    page.goto(f"{address}/?range=custom&dates=2025-01-01..2026-11-18")
    expect(page.locator(".st-key-latest-activities")).to_be_visible(timeout=UP_TO)
    tiles = page.locator("[class*=st-key-kpi-]")
    corners = tiles.evaluate_all("all => all.map(one => one.getBoundingClientRect()).map(box => [box.x, box.y])")
    (left, top), (right, beside), (below, second), (_, last) = corners
    assert (left, top, second) == (below, beside, last)
    assert left < right
    assert top < second
    expect(page.locator(".st-key-goals")).to_contain_text("34\u202fh 42\u202fmin von 50\u202fh 00\u202fmin")
    expect(page.locator("h1")).to_have_text("Überblick")
    heads = page.locator("h2.ad-h[lang=de]")
    assert [text.split("\n")[0] for text in heads.all_inner_texts()][::2][:2] == ["Kalender", "Neueste Aktivitäten"]
    expect(page.locator(".st-key-chart-calendar [aria-label*='7 aktive Tage von 367']").first).to_be_attached()
    expect(page.locator(".stMainBlockContainer .stVegaLiteChart .role-axis-label").first).to_be_attached()
    expect(page.locator(".stApp .stHtml .ad-t .ad-dot.ad-ride").first).to_be_attached()
    page.locator(".st-key-why-week button").click()
    expect(page.get_by_text("Diese Woche = Bewegungszeit seit Montag")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    chooses_a_definition(page, address)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert found == []


def chooses_a_definition(page: Page, address: str) -> None:
    """On Training, behind Why: the other averages are drawn beside these, and the address says so."""
    page.goto(f"{address}/training?range=custom&dates=2026-06-01..2026-11-18")
    course = page.locator(".st-key-chart-course")
    expect(course.locator("[aria-label^='Fitness 1,']").first).to_be_attached()  # 84 by 2.35 % and a day
    lines = course.locator("svg .mark-line path")
    expect(lines).to_have_count(4)
    page.locator(".st-key-why-course button").click()
    page.locator(".st-key-curve").get_by_role("combobox").click()
    page.get_by_role("option", name="Mittelwerte: beide").click()
    expect(lines).to_have_count(6)
    assert "curve=both" in page.url


@pytest.mark.browser
def test_the_pipeline_page_has_an_address_of_its_own(mart_file: Any, address: str, browser: Browser) -> None:
    """It can be opened by link, each number has its key, the course is drawn, and nothing moves when it gets late."""
    mart_file.activity("2026-11-18", "Run", km=5, minutes=25)
    mart_file.latency("save_to_chart", 1, 2.1, 3.8)
    hour = {"period_kind": "hour", "period_start_at": datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=3)}
    numbers = {"event_count": 2, "not_on_chart_count": 0, "p50_s": 2.1, "p95_s": 3.8}
    mart_file.row("pipeline_latency_course", athlete_id=7001, **hour, **numbers)
    built_at = datetime.now(UTC).replace(tzinfo=None)
    mart_file.health(waiting_event_count=5, last_transform_started_at=built_at)
    mart_file.publish()
    page = browser.new_page()
    found = complaints(page)
    page.goto(f"{address}/pipeline")
    expect(number(page, "pipeline-save-to-chart-p95-24h")).to_have_text("3.8\u202fs", timeout=UP_TO)
    expect(number(page, "pipeline-activity-count")).to_have_text("1")
    expect(number(page, "pipeline-waiting-count")).to_have_text("5")
    expect(page.locator(".st-key-pipeline-course svg .mark-symbol.role-mark path")).to_have_count(2, timeout=UP_TO)
    expect(page.locator(".st-key-pipeline-verdict")).to_contain_text("Not checked yet")
    expect(page.locator(".st-key-live")).to_contain_text("Live")
    page.evaluate(WATCH_SHIFTS)
    mart_file.health(waiting_event_count=5, last_transform_started_at=built_at - timedelta(days=1))
    mart_file.publish()
    expect(page.locator(".st-key-charts-late")).to_be_in_viewport()
    expect(page.locator(".st-key-live")).to_contain_text("As of")
    assert page.evaluate("shifted") < 0.001  # the words of the chip beside the title, and nothing below it
    assert found == []
