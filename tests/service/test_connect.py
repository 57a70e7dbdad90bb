"""Connecting in a browser, through the real service and a simulator: the whole way, and each way in which it ends."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from backends.connect.connections import MOST_ATHLETES, AthleteConnections
from backends.connect.links import STATE_LIFETIME, ConnectLinks, Invite
from backends.queue.embedded import EmbeddedQueue
from backends.tokens.file import FileTokenStore
from backends.warehouse import WarehouseBusy
from backends.warehouse.athletes import Athlete, InviteUse
from backends.warehouse.backfills import Backfill
from backends.warehouse.ledger import LedgerEntry
from backends.warehouse.sqlite.store import SqliteRawStore
from service.app import create_app
from service.connect import ConnectFlow, connect_routes
from service.main import guard
from service.settings import ServiceSettings
from service.webhook_auth import WebhookAuth
from simulator.app import create_app as create_simulator
from simulator.journal import Journal
from simulator.rates import Limits
from simulator.simulation import Terms
from simulator.webhook_delivery import RetrySpacing
from simulator.world.world import Origin, World
from strava.client import StravaClient
from strava.oauth import BearerAuth, OAuthApp
from strava.transport import RetryPolicy

ATHLETE_ID = 4242424242
CLIENT_ID, SECRET = "4242", "simulated-client-secret"
SERVICE, STRAVA = "http://service.test", "http://strava.test"
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
ALL = ("read", "activity:read_all", "profile:read_all")


@dataclass
class HandClock:
    """A clock that only moves when told."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class LineToStrava(httpx.AsyncBaseTransport):
    """The service's line to the simulator: remembers what was asked, and may change or lose an answer."""

    simulator: httpx.ASGITransport
    asked: list[str] = field(default_factory=list)
    on_answer: Callable[[httpx.Request, httpx.Response], httpx.Response] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        answer = await self.simulator.handle_async_request(request)
        await answer.aread()
        return self.on_answer(request, answer) if self.on_answer else answer


class FaultyStore(SqliteRawStore):
    """The warehouse, of which some methods may fail."""

    faults: frozenset[str] = frozenset()

    def _pass(self, method: str) -> None:
        if method in self.faults:
            raise WarehouseBusy("the disk is full")

    async def release_invite(self, invite_id: str) -> None:
        self._pass("release_invite")
        await super().release_invite(invite_id)

    async def settle_invite(self, invite_id: str, athlete_id: int) -> None:
        self._pass("settle_invite")
        await super().settle_invite(invite_id, athlete_id)

    async def connect(self, athlete: Athlete, backfill: Backfill) -> None:
        self._pass("connect")
        await super().connect(athlete, backfill)

    async def parked_events(self, athlete_id: int) -> list[LedgerEntry]:
        self._pass("parked_events")
        return await super().parked_events(athlete_id)


@dataclass
class Lab:
    """The service, the simulator behind it, what is stored, and browsers."""

    folder: Path
    clock: HandClock
    simulator: Any
    line: LineToStrava
    store: FaultyStore
    tokens: FileTokenStore
    queue: EmbeddedQueue
    stack: AsyncExitStack
    links: ConnectLinks = field(default_factory=lambda: ConnectLinks(SECRET))
    service: Any = None

    def start(self, *, client_secret: str = SECRET, public_url: str = "") -> None:
        """Make the service; its retries do not pause."""
        http = httpx.AsyncClient(transport=self.line)
        policy = RetryPolicy(attempts=2, first_wait_s=0, longest_wait_s=0)
        app = OAuthApp(
            http,
            client_id=CLIENT_ID,
            client_secret=client_secret,
            oauth_url=f"{STRAVA}/oauth",
            retry_policy=policy,
        )
        flow = ConnectFlow(
            self.links,
            app,
            lambda tokens: StravaClient(http, BearerAuth(tokens), api_url=f"{STRAVA}/api/v3", retry_policy=policy),
            AthleteConnections(self.tokens, self.store),
            self.store,
            clock=self.clock,
        )
        auth = WebhookAuth(path_secret="s3cret", verify_token="v")
        self.service = create_app(self.queue, auth, connect=connect_routes(flow, public_url=public_url))

    def invite(self, **lifetime: float) -> tuple[Invite, str]:
        """An invitation for an hour, or for as long as is given, and its link."""
        return self.links.invite(SERVICE, expires_at=self.clock.now + timedelta(**(lifetime or {"hours": 1})))

    async def browser(self) -> "Browser":
        """A browser with cookies of its own."""
        mounts = {SERVICE: httpx.ASGITransport(self.service), STRAVA: httpx.ASGITransport(self.simulator)}
        client = httpx.AsyncClient(mounts=mounts, follow_redirects=True)
        return Browser(await self.stack.enter_async_context(client))

    async def faults(self, **faults: float) -> None:
        """Switch on just these faults of the simulator."""
        await (await self.browser()).http.put(f"{STRAVA}/simulator/faults", json=faults)

    @property
    def exchanges(self) -> int:
        """How many codes the service has traded in."""
        return self.line.asked.count("POST /oauth/token")

    async def is_empty(self) -> bool:
        """Whether nothing is stored of anybody."""
        return not await self.store.athletes() and await self.tokens.athlete_ids() == []


@dataclass
class Browser:
    """What a person does in a browser."""

    http: httpx.AsyncClient

    async def open(self, link: str) -> dict[str, str]:
        """Open an invitation and return what Strava's page would send: all boxes ticked."""
        page = await self.http.get(link)
        assert (page.status_code, page.url.path) == (200, "/oauth/authorize"), page.text
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        return hidden | {"decision": "allow"}

    async def decide(self, form: dict[str, str], *scopes: str, decision: str = "allow") -> str:
        """Submit Strava's page and return the address to which it leads back, which is not opened yet."""
        data: dict[str, Any] = form | {"decision": decision, "scope": list(scopes)}
        answer = await self.http.post(f"{STRAVA}/oauth/authorize", data=data, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    async def authorize(self, link: str, *scopes: str, decision: str = "allow") -> httpx.Response:
        """Go the whole way from an invitation's link, and return the page at its end."""
        back = await self.decide(await self.open(link), *(scopes or ALL), decision=decision)
        return await self.http.get(back)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A laboratory in which nobody is connected."""
    clock, journal = HandClock(), Journal(None)
    origin = Origin(seed=7, athlete_id=ATHLETE_ID, years=0, until=NOON.date())
    limit = Limits.from_text("1000,10000")
    terms = Terms(
        client_id=CLIENT_ID,
        client_secret=SECRET,
        read_limit=limit,
        overall_limit=limit,
        retry_spacing=RetrySpacing(0, 0),
    )
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient())
        simulator = create_simulator(World(origin, journal), journal, http, terms=terms)
        store = FaultyStore(tmp_path / "pipeline.sqlite", clock=clock)
        stack.push_async_callback(store.close)
        queue = EmbeddedQueue(tmp_path / "pipeline.sqlite")
        stack.push_async_callback(queue.close)
        lab = Lab(
            folder=tmp_path,
            clock=clock,
            simulator=simulator,
            line=LineToStrava(httpx.ASGITransport(simulator)),
            store=store,
            tokens=FileTokenStore(tmp_path / "tokens.json"),
            queue=queue,
            stack=stack,
        )
        lab.start()
        yield lab


def said(page: httpx.Response) -> str:
    """The text of a page."""
    return unescape(re.sub(r"<[^>]*>", " ", page.text.split("</style>")[1]))


async def test_the_whole_way(lab: Lab) -> None:
    """From the link over Strava's page to the end: tokens and athlete are stored, and the page says what is granted."""
    invite, link = lab.invite()
    page = await (await lab.browser()).authorize(link)
    assert page.status_code == 200
    assert f"Connected athlete {ATHLETE_ID}. All scopes are granted." in said(page)
    tokens = await lab.tokens.load(ATHLETE_ID)
    assert tokens is not None
    assert tokens.scope == frozenset(ALL)
    assert [(each.athlete_id, each.status, each.scope) for each in await lab.store.athletes()] == [
        (ATHLETE_ID, "connected", frozenset(ALL))
    ]
    assert await lab.store.invite_use(invite.invite_id) == InviteUse(athlete_id=ATHLETE_ID)


async def test_a_slash_at_the_end_of_the_path_changes_nothing(lab: Lab) -> None:
    """Both steps are served there, and neither sends the secrets of its address on to another one of ours."""
    browser = await lab.browser()
    link = lab.invite()[1].replace("/connect?", "/connect/?")
    to_strava = await browser.http.get(link, follow_redirects=False)
    assert to_strava.headers["location"].startswith(f"{STRAVA}/oauth/authorize?")
    back = (await browser.decide(await browser.open(link), *ALL)).replace("/callback?", "/callback/?")
    page = await browser.http.get(back, follow_redirects=False)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")


async def test_an_unticked_scope_is_named_with_its_cost(lab: Lab) -> None:
    """The athlete is connected, and reads what is missing and how it is granted later."""
    page = await (await lab.browser()).authorize(lab.invite()[1], "read", "activity:read_all")
    assert "profile:read_all is missing: gear and heart-rate zones may be missing." in said(page)
    assert "ask for another invitation" in said(page)
    assert (await lab.store.athletes())[0].scope == {"read", "activity:read_all"}


async def test_only_words_of_the_form_of_a_scope_are_stored(lab: Lab) -> None:
    """The address of the way back can be changed: what cannot be a scope is left out."""
    lab.line.on_answer = lambda _, answer: httpx.Response(200, json=answer.json() | {"scope": None})
    browser = await lab.browser()
    back = await browser.decide(await browser.open(lab.invite()[1]), *ALL)
    page = await browser.http.get(back + f",<b>,READ,a1,{'x' * 41}")
    assert page.status_code == 200
    assert (await lab.store.athletes())[0].scope == frozenset(ALL)


async def test_without_any_scope_of_activities_the_code_is_not_spent(lab: Lab) -> None:
    """Nothing would ever arrive: nothing is asked and stored, and the same link works with the box ticked."""
    link = lab.invite()[1]
    browser = await lab.browser()
    page = await browser.authorize(link, "read", "profile:read_all")
    assert page.status_code == 403
    assert "activity:read_all is missing: private activities will not arrive, and with no activity" in said(page)
    assert (await lab.is_empty(), lab.exchanges) == (True, 0)
    assert (await browser.authorize(link)).status_code == 200


async def test_strava_may_tell_of_fewer_scopes_in_the_exchange(lab: Lab) -> None:
    """Its later word counts: nothing is stored."""
    lab.line.on_answer = lambda _, answer: httpx.Response(200, json=answer.json() | {"scope": "read"})
    page = await (await lab.browser()).authorize(lab.invite()[1])
    assert (page.status_code, await lab.is_empty()) == (403, True)


async def test_declining_stores_nothing_and_costs_nothing(lab: Lab) -> None:
    """The page says so, and the link can be opened again."""
    link = lab.invite()[1]
    browser = await lab.browser()
    page = await browser.authorize(link, decision="deny")
    assert page.status_code == 403
    assert "You declined" in said(page)
    assert (await lab.is_empty(), lab.exchanges) == (True, 0)
    assert (await browser.authorize(link)).status_code == 200


def forged(link: str) -> str:
    """The link with one letter of its signature changed."""
    return link[:-5] + ("A" if link[-5] != "A" else "B") + link[-4:]


@pytest.mark.parametrize(
    ("change", "status", "title"),
    [
        (lambda _: f"{SERVICE}/connect", 400, "This link is incomplete"),
        (lambda _: f"{SERVICE}/connect?invite=", 400, "This link is incomplete"),
        (lambda _: f"{SERVICE}/connect?invite=guessed", 403, "This link is not one of ours"),
        (forged, 403, "This link is not one of ours"),
        (
            lambda _: ConnectLinks("another secret").invite(SERVICE, expires_at=NOON + timedelta(hours=1))[1],
            403,
            "This link is not one of ours",
        ),
    ],
)
async def test_a_stranger_gets_no_further_than_the_first_page(
    lab: Lab, change: Callable[[str], str], status: int, title: str
) -> None:
    """Without a good invitation nobody is sent to Strava, and each page says what to do."""
    page = await (await lab.browser()).http.get(change(lab.invite()[1]))
    assert (page.status_code, page.url.host) == (status, "service.test")
    assert title in said(page)
    assert await lab.is_empty()


async def test_an_expired_invitation_is_told(lab: Lab) -> None:
    """Once its time is over it leads nowhere."""
    link = lab.invite()[1]
    lab.clock.now += timedelta(hours=1)
    page = await (await lab.browser()).http.get(link)
    assert page.status_code == 410
    assert "This invitation has expired" in said(page)
    assert "`athlete connect` makes one" in said(page)


async def test_opening_a_link_does_not_use_it_up(lab: Lab) -> None:
    """A messenger that looks at the link, or a person who opens it twice, spoils nothing; each open page works."""
    link = lab.invite()[1]
    await (await lab.browser()).http.get(link)
    browser = await lab.browser()
    first, second = await browser.open(link), await browser.open(link)
    assert first["state"] != second["state"]
    page = await browser.http.get(await browser.decide(first, *ALL))
    assert page.status_code == 200


async def test_an_authorisation_that_took_too_long_is_told(lab: Lab) -> None:
    """The state ends before the invitation does; opening the link again helps."""
    link = lab.invite(days=2)[1]
    browser = await lab.browser()
    back = await browser.decide(await browser.open(link), *ALL)
    lab.clock.now += STATE_LIFETIME
    page = await browser.http.get(back)
    assert page.status_code == 410
    assert "That took too long" in said(page)
    assert (await lab.is_empty(), lab.exchanges) == (True, 0)
    assert (await browser.authorize(link)).status_code == 200


async def test_a_state_ends_with_its_invitation(lab: Lab) -> None:
    """Who opens the link in its last minute has that minute."""
    link = lab.invite(minutes=1)[1]
    browser = await lab.browser()
    back = await browser.decide(await browser.open(link), *ALL)
    lab.clock.now += timedelta(minutes=1)
    assert (await browser.http.get(back)).status_code == 410
    assert await lab.is_empty()


async def test_a_forged_callback_cannot_log_a_stranger_in(lab: Lab) -> None:
    """A callback's link works only in the browser that began: an attacker's account cannot be slipped to another."""
    attacker = await lab.browser()
    back = await attacker.decide(await attacker.open(lab.invite()[1]), *ALL)
    victim = await lab.browser()
    await victim.open(lab.invite()[1])  # with a cookie of another beginning
    for browser in (victim, await lab.browser()):
        page = await browser.http.get(back)
        assert page.status_code == 403
        assert "This browser did not begin the connection" in said(page)
    assert (await lab.is_empty(), lab.exchanges) == (True, 0)


@pytest.mark.parametrize(
    ("query", "status", "title"),
    [
        ("", 400, "This link is incomplete"),
        ("code=c&scope=activity:read_all", 400, "This link is incomplete"),
        ("state=guessed&code=c", 403, "This link is not one of ours"),
        ("error=access_denied", 400, "This link is incomplete"),
    ],
)
async def test_a_callback_needs_its_state(lab: Lab, query: str, status: int, title: str) -> None:
    """Without a state of ours nothing is taken from the address, also not a refusal."""
    page = await (await lab.browser()).http.get(f"{SERVICE}/connect/callback?{query}")
    assert page.status_code == status
    assert title in said(page)
    assert (await lab.is_empty(), lab.exchanges) == (True, 0)


async def test_a_callback_needs_a_code_and_no_invitation_passes_for_a_state(lab: Lab) -> None:
    """What is missing is told; what was signed for one purpose does not serve the other."""
    browser = await lab.browser()
    link = lab.invite()[1]
    state = (await browser.open(link))["state"]
    page = await browser.http.get(f"{SERVICE}/connect/callback", params={"state": state})
    assert (page.status_code, "This link is incomplete" in said(page)) == (400, True)
    [invite] = parse_qs(urlsplit(link).query)["invite"]
    page = await browser.http.get(f"{SERVICE}/connect/callback", params={"state": invite, "code": "c"})
    assert page.status_code == 403
    assert lab.exchanges == 0


async def test_a_replay_changes_nothing(lab: Lab) -> None:
    """Reloading the last page, or opening the invitation again, says that it was used; Strava is not asked again."""
    link = lab.invite()[1]
    browser = await lab.browser()
    back = await browser.decide(await browser.open(link), *ALL)
    assert (await browser.http.get(back)).status_code == 200
    tokens = await lab.tokens.load(ATHLETE_ID)
    for address in (back, link):
        page = await browser.http.get(address)
        assert page.status_code == 409
        assert "This invitation was used already" in said(page)
    assert (await lab.tokens.load(ATHLETE_ID), lab.exchanges) == (tokens, 1)


async def test_of_two_who_come_back_at_once_one_is_connected(lab: Lab) -> None:
    """One invitation, two browsers: one exchange, one page that says connected, one that says why not."""
    link = lab.invite()[1]
    browsers = [await lab.browser() for _ in range(2)]
    ways = [await browser.decide(await browser.open(link), *ALL) for browser in browsers]
    pages = await asyncio.gather(*(browser.http.get(way) for browser, way in zip(browsers, ways, strict=True)))
    assert sorted(page.status_code for page in pages) == [200, 409]
    [loser] = [page for page in pages if page.status_code == 409]
    assert re.search("A connection with this invitation has begun|This invitation was used already", said(loser))
    assert lab.exchanges == 1


def lost(_: httpx.Request, __: httpx.Response) -> httpx.Response:
    """The answer was on its way and did not arrive."""
    raise httpx.ReadTimeout("lost")


@pytest.mark.parametrize(
    ("on_answer", "status", "sentence"),
    [
        (lost, 502, "Strava's answer did not come, or could not be read."),
        (lambda *_: httpx.Response(503), 502, "Strava's answer did not come, or could not be read."),
        (lambda *_: httpx.Response(200, text="<html>"), 502, "Strava's answer did not come, or could not be read."),
        (lambda *_: httpx.Response(429), 503, "Strava's rate limit is used up"),
        (
            lambda *_: httpx.Response(400, json={"errors": [{"resource": "RequestToken", "code": "invalid"}]}),
            400,
            "Strava does not accept the authorisation",
        ),
    ],
)
async def test_a_code_is_traded_once_and_the_invitation_survives_the_failure(
    lab: Lab, on_answer: Callable[[httpx.Request, httpx.Response], httpx.Response], status: int, sentence: str
) -> None:
    """Each failure has a page; nothing is stored, nothing is repeated blindly, and the link works once Strava does."""
    link = lab.invite()[1]
    browser = await lab.browser()
    lab.line.on_answer = on_answer
    page = await browser.authorize(link)
    assert page.status_code == status
    assert sentence in said(page)
    assert "open its link again and authorise once more" in said(page)
    assert (await lab.is_empty(), lab.exchanges) == (True, 1)
    lab.line.on_answer = None
    assert (await browser.authorize(link)).status_code == 200


async def test_wrong_credentials_of_the_app_are_named(lab: Lab) -> None:
    """The person who set them reads which settings to compare."""
    lab.start(client_secret="wrong")
    page = await (await lab.browser()).authorize(lab.invite()[1])
    assert page.status_code == 503
    assert "compare STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET" in said(page)
    assert await lab.is_empty()


async def test_an_athlete_that_the_exchange_does_not_name_is_asked(lab: Lab) -> None:
    """Whose the tokens are is asked with them; while Strava does not tell, nothing is stored."""

    def nameless(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        fields = answer.json()
        return httpx.Response(200, json={**fields, "athlete": None}) if request.method == "POST" else answer

    lab.line.on_answer = lambda request, answer: (
        nameless(request, answer) if request.method == "POST" else httpx.Response(500)
    )
    link = lab.invite()[1]
    browser = await lab.browser()
    assert (await browser.authorize(link)).status_code == 502
    assert await lab.is_empty()
    lab.line.on_answer = nameless
    assert f"Connected athlete {ATHLETE_ID}." in said(await browser.authorize(link))


@pytest.mark.parametrize(
    ("reason", "status", "sentence"),
    [
        ({"resource": "AccessToken", "field": "read_permission", "code": "missing"}, 403, "for read was not granted"),
        ({"resource": "Athlete", "field": "access_token", "code": "invalid"}, 502, "refused to tell whose it is"),
    ],
)
async def test_a_refusal_to_name_the_athlete_is_told_as_one(
    lab: Lab, reason: dict[str, str], status: int, sentence: str
) -> None:
    """Strava did answer: the page says what it refused, and which scope is missing."""
    refused = {"message": "Authorization Error", "errors": [reason]}
    lab.line.on_answer = lambda request, answer: (
        httpx.Response(200, json=answer.json() | {"athlete": None})
        if request.method == "POST"
        else httpx.Response(401, json=refused)
    )
    page = await (await lab.browser()).authorize(lab.invite()[1])
    assert page.status_code == status
    assert sentence in said(page)
    assert "answer did not come" not in said(page)
    assert await lab.is_empty()


async def test_the_eleventh_athlete_is_refused_and_let_go_at_strava(lab: Lab) -> None:
    """The page says why; nothing is stored, and the grant is given back, for Strava counts it."""
    for number in range(MOST_ATHLETES):
        athlete = Athlete(athlete_id=number, scope=frozenset(), status="connected", updated_at=NOON)
        await lab.store.put_athlete(athlete)
    page = await (await lab.browser()).authorize(lab.invite()[1])
    assert page.status_code == 409
    assert "10 athletes are connected, and no more can be" in said(page)
    assert await lab.tokens.load(ATHLETE_ID) is None
    assert lab.line.asked[-1] == "POST /oauth/revoke"
    assert not lab.simulator.state.simulation.grants.scopes


async def test_a_store_that_is_unavailable_is_found_before_strava_is_asked(lab: Lab) -> None:
    """A damaged token file spends no code; once it is repaired the same link works."""
    (lab.folder / "tokens.json").write_text("{")
    link = lab.invite()[1]
    browser = await lab.browser()
    with capture_logs() as logs:
        page = await browser.authorize(link)
    assert page.status_code == 503
    assert "could not be stored just now" in said(page)
    assert "tokens.json is damaged" in str(logs)
    assert lab.exchanges == 0
    (lab.folder / "tokens.json").unlink()
    assert (await browser.authorize(link)).status_code == 200


async def test_an_invitation_that_cannot_be_given_back_is_not_called_good(lab: Lab) -> None:
    """While the store is down nobody is sent to a link that is in use: the page asks for a new invitation."""
    link = lab.invite()[1]
    browser = await lab.browser()
    lab.store.faults = frozenset({"release_invite"})
    lab.line.on_answer = lambda _request, _answer: httpx.Response(500)
    page = await browser.authorize(link)
    assert page.status_code == 502
    assert "The invitation could not be given back: ask for a new one" in said(page)
    assert "still good" not in said(page)
    lab.line.on_answer = None
    assert (await browser.http.get(link)).status_code == 409


@pytest.mark.parametrize("step", ["settle_invite", "connect", "parked_events"])
async def test_a_step_that_fails_after_the_tokens_are_stored_leaves_the_invitation_used(lab: Lab, step: str) -> None:
    """The page says that the athlete is connected and what waits; a new invitation makes up for it."""
    invite, link = lab.invite()
    browser = await lab.browser()
    lab.store.faults = frozenset({step})
    page = await browser.authorize(link)
    assert page.status_code == 503
    assert f"Athlete {ATHLETE_ID} is connected" in said(page)
    assert "the history, and events that came before, wait until you connect again" in said(page)
    assert "still good" not in said(page)
    assert await lab.tokens.load(ATHLETE_ID) is not None
    assert await lab.store.invite_use(invite.invite_id) is not None
    lab.store.faults = frozenset()
    assert (await browser.http.get(link)).status_code == 409
    assert (await browser.authorize(lab.invite()[1])).status_code == 200
    assert [each.athlete_id for each in await lab.store.athletes()] == [ATHLETE_ID]


async def test_connecting_again_repairs_a_broken_token(lab: Lab) -> None:
    """After the athlete took the access back and the tokens are dead, a new invitation brings living ones."""
    browser = await lab.browser()
    await browser.authorize(lab.invite()[1])
    before = await lab.tokens.load(ATHLETE_ID)
    lab.simulator.state.simulation.grants.revoke()
    assert (await browser.authorize(lab.invite()[1])).status_code == 200
    after = await lab.tokens.load(ATHLETE_ID)
    assert before is not None
    assert after is not None
    assert after.refresh_token != before.refresh_token
    assert lab.simulator.state.simulation.grants.refresh(after.refresh_token) is not None
    assert len(await lab.store.athletes()) == 1


async def test_a_refresh_under_way_is_waited_for(lab: Lab) -> None:
    """The page comes once the refresh is over, and what it saved does not replace what connecting brought."""
    browser = await lab.browser()
    async with lab.tokens.refreshing(ATHLETE_ID):
        authorizing = asyncio.create_task(browser.authorize(lab.invite()[1]))
        async with asyncio.timeout(30):
            while not lab.exchanges:  # noqa: ASYNC110 - what is asked is another task's line
                await asyncio.sleep(0.01)
        assert await lab.tokens.load(ATHLETE_ID) is None
        assert not authorizing.done()
    assert (await authorizing).status_code == 200
    assert await lab.tokens.load(ATHLETE_ID) is not None


async def test_no_secret_is_shown_or_logged_and_no_page_is_kept(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """Invitation, state, code, cookie and tokens stand in no page and no log line; the headers keep pages private."""
    caplog.set_level("DEBUG")
    link = lab.invite()[1]
    browser = await lab.browser()
    with capture_logs() as logs:
        to_strava = await browser.http.get(link, follow_redirects=False)
        back = await browser.decide(await browser.open(link), *ALL)
        pages = [await browser.http.get(address) for address in (back, back, link, f"{SERVICE}/connect?invite=x.y")]
    assert [page.status_code for page in pages] == [200, 409, 409, 403]
    for answer in (to_strava, *pages):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    tokens = await lab.tokens.load(ATHLETE_ID)
    assert tokens is not None
    query = parse_qs(urlsplit(back).query)
    secrets = [query["state"][0], query["code"][0], link.split("=")[1], tokens.access_token, tokens.refresh_token]
    secrets += [cookie.value or "" for cookie in browser.http.cookies.jar]
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    told = "\n".join([*(page.text for page in pages), str(logs), *ours])
    assert [secret for secret in secrets if secret in told] == []
    assert "connect.refused" in str(logs)


async def test_the_cookie_is_for_this_step_alone(lab: Lab) -> None:
    """Scripts cannot read it, other sites do not cause it to be sent along, and it ends with the state."""
    lab.start(public_url="https://my.example.org/athlete")
    answer = await (await lab.browser()).http.get(lab.invite()[1], follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=lax", "Secure", "Path=/athlete/connect", "Max-Age=1800"):
        assert attribute in cookie
    [way_back] = parse_qs(urlsplit(answer.headers["location"]).query)["redirect_uri"]
    assert way_back == "https://my.example.org/athlete/connect/callback"


async def test_without_a_strava_app_connecting_is_off(lab: Lab) -> None:
    """The page names the settings, and no link is read."""
    lab.service = create_app(lab.queue, WebhookAuth(path_secret="s3cret", verify_token="v"))
    browser = await lab.browser()
    for path in ("/connect?invite=x", "/connect/callback?state=x"):
        page = await browser.http.get(SERVICE + path)
        assert page.status_code == 503
        assert "set STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET" in said(page)


@pytest.mark.parametrize(
    ("settings", "path", "host", "status"),
    [
        ({}, "/connect", "127.0.0.1", 400),
        ({}, "/connect", "my.example.org", 403),
        ({}, "/webhook/guessed", "tunnel.test", 404),
        ({"public_url": "https://my.example.org"}, "/connect", "my.example.org", 400),
        ({"public_url": "https://my.example.org"}, "/connect", "other.test", 403),
        ({"public_url": "https://my.example.org"}, "/webhook/guessed", "tunnel.test", 404),
        ({"service_allowed_hosts": "my.host"}, "/connect", "my.host", 400),
        ({"service_allowed_hosts": "my.host"}, "/webhook/guessed", "tunnel.test", 403),
    ],
)
async def test_athletes_connect_under_the_public_name(
    tmp_path: Path, settings: dict[str, str], path: str, host: str, status: int
) -> None:
    """The public address serves connecting too, while the webhook is served under any name unless names are given."""
    app = {"strava_client_id": CLIENT_ID, "strava_client_secret": SECRET, "data_dir": tmp_path}
    guarded = guard(ServiceSettings.model_validate(app | settings))
    service: Any = guarded._app
    async with (
        service.router.lifespan_context(service),
        httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url=f"http://{host}") as client,
    ):
        assert (await client.get(path)).status_code == status
