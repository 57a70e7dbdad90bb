"""Connecting while the pipeline runs: an athlete who left comes back, and a kill in the worst moment costs one link."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, expect

from athlete.demo.config import CLIENT_ID, CLIENT_SECRET
from athlete.demo.session import DemoSession
from backends.connect.links import ConnectLinks
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import InviteUse
from runtime.clock import utc_now
from strava.oauth import OAuthApp
from tests.consent import way_back

Start = Callable[..., Awaitable[DemoSession]]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """What keeps cookies and follows redirects, as a browser does."""
    async with httpx.AsyncClient(follow_redirects=True, timeout=60) as opened:
        yield opened


def invitation(session: DemoSession) -> tuple[str, str]:
    """A new invitation's id and its link."""
    links = ConnectLinks(CLIENT_SECRET)
    invite, link = links.invite(session.config.ports.service_url, expires_at=utc_now() + timedelta(hours=1))
    return invite.invite_id, link


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - what is asked is in other processes
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_an_athlete_who_left_comes_back(start: Start, client: httpx.AsyncClient) -> None:
    """A deauthorisation removes everything; one link connects again, the history is loaded, new activities arrive."""
    session = await start({"service", "worker", "deliverer"})
    first = await session.simulator.create(sport_type="Run")

    async def statuses() -> list[str]:
        return [athlete.status for athlete in await session.store.athletes()]

    async def is_stored(activity_id: int) -> bool:
        return activity_id in await session.store.stored([activity_id])

    await until(lambda: is_stored(first))
    answer = await client.post(f"{session.config.simulator_url}/simulator/deauthorize")
    assert answer.is_success
    tokens = FileTokenStore(session.config.files.tokens_path)

    async def has_left() -> bool:
        is_purged = await session.store.row_count(session.athlete_id) == 0
        return is_purged and await tokens.load(session.athlete_id) is None

    await until(has_left)
    page = await client.get(await way_back(client, invitation(session)[1]))
    assert f"Connected athlete {session.athlete_id}. All scopes are granted." in page.text
    assert await statuses() == ["connected"]
    second = await session.simulator.create(sport_type="Ride")
    await until(lambda: is_stored(second))
    await until(lambda: is_stored(first))


@pytest.mark.slow
async def test_a_kill_between_exchange_and_storing_costs_one_invitation(
    start: Start, client: httpx.AsyncClient
) -> None:
    """That exchange's tokens are lost, nothing is half stored, the page says so, and a new invitation repairs it."""
    session = await start({"service"})
    tokens = FileTokenStore(session.config.files.tokens_path)
    before = await tokens.load(session.athlete_id)
    journal = session.config.data_dir / "simulator.json"
    await session.simulator.switch_faults(token_lifetime_s=0)  # each exchange kills the tokens before it
    invite_id, link = invitation(session)
    back = await way_back(client, link)
    grants = journal.read_text().count('["oauth","grant"')

    async def has_exchanged() -> bool:
        return journal.read_text().count('["oauth","grant"') > grants

    async with tokens.refreshing(session.athlete_id):
        callback = asyncio.create_task(client.get(back))
        await until(has_exchanged)
        pid = session.tree.running["service"].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            await callback
    assert await tokens.load(session.athlete_id) == before
    assert await session.store.invite_use(invite_id) == InviteUse(athlete_id=None)

    async def answers() -> bool:
        try:
            return (await client.get(f"{session.config.ports.service_url}/health")).is_success
        except httpx.TransportError:
            return False

    await until(answers)
    await session.simulator.switch_faults()
    page = await client.get(back)
    assert page.status_code == 409
    assert "it was cut short. Ask for a new invitation" in page.text
    page = await client.get(await way_back(client, invitation(session)[1]))
    assert page.status_code == 200
    assert urlsplit(str(page.url)).path == "/connect/callback"
    after = await tokens.load(session.athlete_id)
    assert after is not None
    app = OAuthApp(client, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, oauth_url=session.config.oauth_url)
    assert (await app.refresh(after.refresh_token)).access_token


@pytest.mark.slow
@pytest.mark.browser
async def test_the_whole_way_in_a_real_browser(start: Start, browser: Browser) -> None:
    """Strava's page is of another site: the cookie comes back with the athlete, and the page obeys its own policy."""
    session = await start({"service"})
    page = await browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(invitation(session)[1].replace("127.0.0.1", "localhost"))
    assert page.url.startswith(f"{session.config.simulator_url}/oauth/authorize")
    await page.get_by_label("profile:read_all").uncheck()
    await page.get_by_role("button", name="Authorise").click()
    await expect(page.get_by_role("heading")).to_have_text("Connected")
    assert urlsplit(page.url).hostname == "localhost"
    await expect(page.locator("p").first).to_contain_text("profile:read_all is missing: gear")
    assert await page.evaluate("getComputedStyle(document.body).fontFamily") == "system-ui"
    assert [text for text in complaints if "Security Policy" in text] == []
    [athlete] = await session.store.athletes()
    assert athlete.scope == {"read", "activity:read_all"}
