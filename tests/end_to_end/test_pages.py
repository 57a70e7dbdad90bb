"""The pages in a real browser over a living pipeline: what they show is what the marts hold."""

import io
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, Route, expect
from rich.console import Console

from athlete.demo.checks import settle
from athlete.demo.history import load_history
from athlete.demo.session import DemoSession
from backends.warehouse.duckdb.marts import DuckdbMartReader
from dashboard.explorer import largest_cluster, largest_square

UP_TO_MS = 60_000
expect.set_options(timeout=UP_TO_MS)
BERLIN = ZoneInfo("Europe/Berlin")
# Streamlit's own chart in a tile (st.metric) has a layer of the point under the pointer, which is empty without one.
OF_A_METRIC = re.compile(r'WARN Infinite extent for field "[xy]"')

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
async def session(start: Callable[..., Awaitable[DemoSession]], project_root: Path) -> DemoSession:
    """A whole pipeline with a year of history and the recorded activities, all of it in the marts."""
    session = await start(years=1, recorded=project_root / "tests/fixtures/strava")
    await load_history(session, Console(file=io.StringIO()))
    assert await settle(session)
    return session


def mart_row(session: DemoSession, sql: str, *parameters: object) -> dict[str, object]:
    """Return the first row of a query on the published marts."""
    return DuckdbMartReader(session.config.data_dir / "mart.duckdb").rows(sql, parameters)[0]


def mart_rows(session: DemoSession, sql: str) -> list[dict[str, object]]:
    """Return all rows of a query on the published marts."""
    return DuckdbMartReader(session.config.data_dir / "mart.duckdb").rows(sql, ())


async def shown(page: Page, key: str) -> float:
    """Return the number that the page shows under a key, without its unit."""
    value = page.locator(f".st-key-{key} [data-testid=stMetricValue]")
    await expect(value).to_be_visible(timeout=UP_TO_MS)
    return float(re.sub(r"[^\d.]", "", await value.inner_text()))


async def test_the_pages_show_what_the_marts_hold(session: DemoSession, browser: Browser) -> None:
    """One pipeline serves all pages, since starting it takes longer than looking; Vega warns of none of our charts."""
    page = await browser.new_page(viewport={"width": 1400, "height": 1000})
    warned: list[str] = []
    page.on("console", lambda message: warned.append(message.text))
    await overview_shows_the_week(session, page)
    await trends_show_the_year(session, page)
    await records_are_the_marts(session, page)
    await map_shows_where(session, page)
    await activity_is_the_marts(session, page)
    await year_gear_and_sql_are_the_marts(session, page)
    await pipeline_follows_a_save(session, page)
    await expect(page.get_by_text("Exception")).to_have_count(0)
    assert [text for text in warned if text.startswith("WARN") and not OF_A_METRIC.match(text)] == []


async def overview_shows_the_week(session: DemoSession, page: Page) -> None:
    """This week's distance and elevation are the marts' own, and the weeks are drawn."""
    await page.goto(session.config.ports.dashboard_url)
    today = datetime.now(BERLIN).date()
    week = mart_row(
        session,
        "select coalesce(sum(distance_m), 0) as distance_m, coalesce(sum(elevation_gain_m), 0) as elevation_m"
        " from mart.fct_activities where start_date_local >= ?",
        today - timedelta(days=today.weekday()),
    )
    assert await shown(page, "kpi-distance") == pytest.approx(float(str(week["distance_m"])) / 1000, abs=0.06)
    assert await shown(page, "kpi-elevation") == pytest.approx(float(str(week["elevation_m"])), abs=0.6)
    await expect(page.locator(".st-key-chart-weeks svg").first).to_be_visible()
    await expect(page.get_by_text("Exception")).to_have_count(0)


async def records_are_the_marts(session: DemoSession, page: Page) -> None:
    """Time and days of the 5 km record, the Eddington number and a predicted marathon are those of the marts."""
    await page.goto(f"{session.config.ports.dashboard_url}/records?range=all")
    record = mart_row(
        session,
        "select elapsed_time_s, days_stood from mart.record_progression where effort_name = '5K' and is_current",
    )
    line = page.locator(".st-key-best-efforts tr", has=page.get_by_text("5 km", exact=True))
    await expect(line).to_contain_text(clock(record["elapsed_time_s"]), timeout=UP_TO_MS)
    await expect(line).to_contain_text(f"{record['days_stood']} d")
    eddington = mart_row(
        session,
        "select eddington_number from mart.eddington where sport_group = 'all' and unit = 'km' and period = 'all' "
        "and counts_virtual",
    )
    await expect(page.locator(".st-key-card-eddington")).to_contain_text(f"{eddington['eddington_number']} now")
    race = mart_row(session, "select predicted_time_s from mart.race_prediction where effort_name = 'Marathon'")
    await expect(page.locator(".st-key-race-prediction")).to_contain_text(clock(race["predicted_time_s"]))
    await expect(page.get_by_text("Exception")).to_have_count(0)


def clock(seconds: object) -> str:
    """Write seconds as a page does."""
    minutes, rest = divmod(round(float(str(seconds))), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


async def map_shows_where(session: DemoSession, page: Page) -> None:
    """Tiles, square, cluster and the routes of the picture are the marts' own; nobody but the dashboard is asked."""
    refused: list[str] = []

    async def refuse(route: Route) -> None:
        refused.append(route.request.url)
        await route.abort()

    await page.route(lambda url: not url.startswith(("http://127.0.0.1:", "data:", "blob:")), refuse)
    await page.goto(f"{session.config.ports.dashboard_url}/map?range=all&view=tiles")
    visited = mart_rows(session, "select distinct x, y from mart.tile_visit where z = 14")
    tiles = {(int(str(row["x"])), int(str(row["y"]))) for row in visited}
    assert await shown(page, "kpi-tiles") == len(tiles) > 0
    assert await shown(page, "kpi-cluster") == len(largest_cluster(tiles))
    square = page.locator(".st-key-kpi-square [data-testid=stMetricValue]")
    size = largest_square(tiles).size
    await expect(square).to_have_text(f"{size} \N{MULTIPLICATION SIGN} {size}")

    await page.goto(f"{session.config.ports.dashboard_url}/map?range=all")
    picture = page.locator(".st-key-picture-density .st-key-map-light img")
    await expect(picture).to_be_visible(timeout=UP_TO_MS)
    routes = mart_row(session, "select count(*) as n from mart.route where not is_virtual")["n"]
    areas = page.locator(".st-key-map-areas small")
    await expect(areas.first).to_be_visible()
    told = [float(re.sub(r"[^\d.]", "", text)) for text in await areas.all_inner_texts() if "route" in text]
    assert sum(told) == routes
    await expect(page.locator(".st-key-picture-density .st-key-map-dark img")).to_be_hidden()
    await page.unroute_all()
    assert refused == []
    await expect(page.get_by_text("Exception")).to_have_count(0)


async def year_gear_and_sql_are_the_marts(session: DemoSession, page: Page) -> None:
    """The running year's distance, the gear used most and the rows of the first example are those of the marts."""
    year = mart_row(session, "select year, distance_m from mart.year_review where sport_group = 'all' and is_running")
    await page.goto(f"{session.config.ports.dashboard_url}/year?units=metric")
    assert await shown(page, "year-distance") == pytest.approx(float(str(year["distance_m"])) / 1000, abs=0.51)
    await expect(page.locator(f".st-key-chart-days-{year['year']} svg").first).to_be_visible()
    await expect(page.get_by_text("Exception")).to_have_count(0)

    used = mart_row(
        session, "select gear_name from mart.gear_usage where not is_retired order by distance_m desc, gear_id limit 1"
    )
    await page.goto(f"{session.config.ports.dashboard_url}/gear")
    await expect(page.locator(".st-key-gear-pieces")).to_contain_text(str(used["gear_name"]), timeout=UP_TO_MS)
    await expect(page.locator(".st-key-chart-gear-months svg").first).to_be_visible()
    await expect(page.locator(".st-key-card-services")).to_contain_text("No service is set")

    most = mart_row(
        session,
        "select check_name, count(*) as activity_count from mart.data_quality_issue group by check_name"
        " order by activity_count desc, check_name limit 1",
    )
    await page.goto(f"{session.config.ports.dashboard_url}/quality?check={most['check_name']}")
    row = page.locator(".st-key-quality-checks tr", has=page.locator(f"a[href*='check={most['check_name']}']"))
    await expect(row.locator("td").nth(1)).to_have_text(str(most["activity_count"]), timeout=UP_TO_MS)
    await expect(page.locator(".st-key-quality-activities tbody tr").first).to_be_visible()
    both = mart_row(
        session,
        "select strava_activity_count, activity_count from mart.strava_total"
        " where sport_group = 'run' and scope = 'all'",
    )
    line = page.locator(".st-key-quality-totals tr", has_text="Run, all time").locator("td")
    for place, column in enumerate(("strava_activity_count", "activity_count"), 1):
        said = re.compile(rf"^{both[column]}\D")  # by lines: the distance stands below
        await expect(line.nth(place)).to_contain_text(said, use_inner_text=True, timeout=UP_TO_MS)

    await page.goto(f"{session.config.ports.dashboard_url}/sql")
    await page.get_by_role("button", name="Run", exact=False).click()
    await expect(page.locator(".st-key-question-rows")).to_be_visible(timeout=UP_TO_MS)
    await expect(page.locator(".st-key-chart-sql svg").first).to_be_visible()
    await expect(page.locator(".st-key-question-fault")).to_have_count(0)
    await expect(page.locator("[data-testid=stException]")).to_have_count(0)


async def trends_show_the_year(session: DemoSession, page: Page) -> None:
    """This year's distance and where it leads are the marts' own, and the sum of the activities."""
    await page.goto(f"{session.config.ports.dashboard_url}/trends?units=metric")
    told = page.locator(".st-key-years-told")
    await expect(told).to_contain_text("by 31 December", timeout=UP_TO_MS)
    numbers = [float(text.replace(",", "")) for text in re.findall(r"([\d,.]+)\sk", await told.inner_text())]
    year = mart_row(
        session,
        "select date_trunc('year', date_day)::date as begins, distance_m, projected_distance_m"
        " from mart.trend_year_over_year"
        " where sport_group = 'all' order by date_day desc limit 1",
    )
    assert numbers[0] == pytest.approx(float(str(year["distance_m"])) / 1000, abs=0.51)
    assert numbers[-1] == pytest.approx(float(str(year["projected_distance_m"])) / 1000, abs=0.51)
    activities = mart_row(
        session,
        "select sum(distance_m) as distance_m from mart.fct_activities where start_date_local >= ?",
        year["begins"],
    )
    assert year["distance_m"] == pytest.approx(activities["distance_m"])
    for key in ("years", "rolling", "starts", "distances", "mix"):
        await expect(page.locator(f".st-key-chart-{key} svg").first).to_be_visible(timeout=UP_TO_MS)
    await expect(page.get_by_text("Exception")).to_have_count(0)


async def activity_is_the_marts(session: DemoSession, page: Page) -> None:
    """A link of a list leads to it and keeps the filter; distance, route and the rank of a record are the marts'."""
    url = session.config.ports.dashboard_url
    await page.goto(f"{url}/?sport=run&range=all")
    await page.locator(".st-key-latest-activities a").first.click()
    facts = page.locator(".st-key-activity-facts dl")
    await expect(facts).to_be_visible(timeout=UP_TO_MS)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["sport"] == ["run"]
    run = mart_row(session, "select * from mart.fct_activities where activity_id = ?", int(asked["id"][0]))
    await expect(facts).to_contain_text(f"{float(str(run['distance_m'])) / 1000:,.2f}")
    await expect(facts).to_contain_text(clock(run["moving_time_s"]))
    record = mart_row(
        session,
        "select activity_id, elapsed_time_s from mart.record_progression where effort_name = '5K' and is_current",
    )
    await page.goto(f"{url}/activity?id={record['activity_id']}")
    line = page.locator(".st-key-activity-efforts-table tr", has=page.get_by_text("5 km"))
    await expect(line).to_contain_text(clock(record["elapsed_time_s"]), timeout=UP_TO_MS)
    await expect(line).to_contain_text("1 of ")
    await expect(page.locator(".st-key-chart-activity-route svg").first).to_be_visible(timeout=UP_TO_MS)
    await page.goto(f"{url}/activity?id=1")
    await expect(page.get_by_text("There is no activity 1 here.")).to_be_visible(timeout=UP_TO_MS)
    await expect(page.get_by_text("Exception")).to_have_count(0)


async def pipeline_follows_a_save(session: DemoSession, page: Page) -> None:
    """The counts are the marts' own; after a save the open page shows one activity more, without a reload."""
    await page.goto(f"{session.config.ports.dashboard_url}/pipeline")
    health = mart_row(session, "select * from mart.pipeline_health")
    assert await shown(page, "pipeline-activity-count") == health["activity_count"]
    assert await shown(page, "pipeline-detailed-count") == health["detailed_count"]
    assert await shown(page, "pipeline-waiting-count") == health["waiting_event_count"] == 0

    await session.simulator.create(sport_type="Run", name="One more")
    one_more = f"{int(str(health['activity_count'])) + 1:,}"
    # While the page is drawn again the old number may stand below the new one.
    count = page.locator(".st-key-pipeline-activity-count [data-testid=stMetricValue]").first
    await expect(count).to_have_text(one_more, timeout=UP_TO_MS)
    assert mart_row(session, "select activity_count from mart.pipeline_health")["activity_count"] == int(one_more)
    assert await shown(page, "pipeline-save-to-chart-p95-24h") > 0
