"""Strava never has to refuse a call, from no program and under no clock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from strava.budget import BudgetStatus, RateBudget
from strava.budget_state import Lane, WindowName
from strava.budget_store import MemoryBudgetStore
from strava.client import StravaClient
from strava.errors import AppInactive, AppRejected, NotFound, RateLimited, StravaError, Unreachable
from strava.oauth import OAuthApp, StravaAuth
from strava.tokens import TokenSet
from strava.transport import RetryPolicy

START = datetime(2026, 3, 1, 11, 50, tzinfo=UTC)
INACTIVE = {"message": "Forbidden", "errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}
SPENT = {
    "message": "Rate Limit Exceeded",
    "errors": [{"resource": "Application", "field": "rate limit", "code": "exceeded"}],
}


@dataclass
class Clock:
    """True time, and a wall clock that may be set."""

    true: datetime = START
    wrong_by: timedelta = timedelta(0)
    started: datetime = START - timedelta(days=1)
    boot: str = "boot"

    def __call__(self) -> datetime:
        return self.true + self.wrong_by

    def steady_s(self) -> float:
        return (self.true - self.started).total_seconds()

    def advance(self, seconds: float) -> None:
        self.true += timedelta(seconds=seconds)


@dataclass
class Strava:
    """Counts as Strava does, refuses what is over a limit, and tells its own time."""

    clock: Clock
    quarter_limit: int = 100
    day_limit: int = 1000
    calls: int = 0
    refusals: int = 0
    answers: list[httpx.Response] = field(default_factory=list)  # before the usual ones; they tell no limits
    failure: Exception | None = None  # no call reaches Strava, or none is answered; it counts none of them
    gate: asyncio.Event | None = None
    tells_time: bool = True
    dates_late: bool = False  # the Date header is of the answer's end, when the count may be of another window
    _used: dict[str, int] = field(default_factory=dict)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/oauth"):
            return httpx.Response(200, json={"access_token": "fresh", "refresh_token": "next", "expires_in": 21_600})
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        is_within = self._count()
        headers = self._headers()
        for _ in range(5):  # so that calls that set out together are under way together
            await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        if self.answers:
            return self.answers.pop(0)
        if self.dates_late:
            headers = {**headers, **self._date()}
        if not is_within:
            self.refusals += 1
            return httpx.Response(429, headers=headers, json=SPENT)
        return httpx.Response(200, headers=headers, json={"id": 7})

    def use(self, calls: int) -> None:
        """Have another program, on another machine, make calls."""
        for _ in range(calls):
            self._count()

    def _count(self) -> bool:
        quarter, day = self._windows()
        self._used[quarter] = self._used.get(quarter, 0) + 1
        self._used[day] = self._used.get(day, 0) + 1
        return self._used[quarter] <= self.quarter_limit and self._used[day] <= self.day_limit

    def _windows(self) -> tuple[str, str]:
        now = self.clock.true
        return f"{now:%d %H} {now.minute // 15}", f"{now:%d}"

    def _headers(self) -> dict[str, str]:
        used = ",".join(str(self._used[window]) for window in self._windows())
        limits = f"{self.quarter_limit},{self.day_limit}"
        told = {f"X-{name}-{what}": value for name in ("RateLimit", "ReadRateLimit")
                for what, value in (("Limit", limits), ("Usage", used))}  # fmt: skip
        return told | (self._date() if self.tells_time else {})

    def _date(self) -> dict[str, str]:
        return {"Date": format_datetime(self.clock.true, usegmt=True)}


@pytest.fixture
def clock() -> Clock:
    """The clock of Strava and, until it is set, of the machine."""
    return Clock()


@pytest.fixture
def strava(clock: Clock) -> Strava:
    """Strava."""
    return Strava(clock)


@pytest.fixture
def budget(clock: Clock) -> RateBudget:
    """A budget that knows nothing yet."""
    return budget_on(MemoryBudgetStore(), clock)


@pytest.fixture
async def http(strava: Strava) -> AsyncIterator[httpx.AsyncClient]:
    """The way to Strava."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(strava), base_url="https://strava.test") as client:
        yield client


@pytest.fixture
def client(http: httpx.AsyncClient, budget: RateBudget) -> Callable[..., StravaClient]:
    """Makes a client on the budget, in a lane."""

    def make(lane: Lane = Lane.LIVE, auth: httpx.Auth | None = None, attempts: int = 3) -> StravaClient:
        policy = RetryPolicy(attempts=attempts, first_wait_s=0.0, longest_wait_s=0.0)
        return StravaClient(http, auth, api_url="/api/v3", budget=budget, lane=lane, retry_policy=policy)

    return make


def budget_on(store: MemoryBudgetStore, clock: Clock) -> RateBudget:
    """Open a budget as a program does that starts now."""
    return RateBudget(store, clock=clock, steady=clock.steady_s, boot=clock.boot)


async def ask(budget: RateBudget, http: httpx.AsyncClient, lane: Lane = Lane.LIVE) -> int:
    """Make one call and return its status."""
    return (await http.get("/api/v3/athlete", auth=budget.auth(lane, None))).status_code


async def all_that_can_happen() -> None:
    """Let every task go on until it waits for a gate."""
    for _ in range(5000):
        await asyncio.sleep(0)


def used(status: BudgetStatus, name: WindowName = WindowName.READ_QUARTER) -> int:
    """Return what is used of a window."""
    return next(window.used for window in status.windows if window.name is name)


class Refusing(httpx.Auth):
    """Signs nothing: OAuth refuses the app."""

    async def async_auth_flow(self, request: httpx.Request):  # type: ignore[no-untyped-def] # noqa: ANN201
        raise AppRejected(100)
        yield request


async def test_sixteen_calls_at_the_edge_of_a_limit_are_not_refused_by_strava(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava
) -> None:
    """With ten calls left sixteen set out at once: ten are made, six are told when to come again."""
    strava.use(89)
    assert await ask(budget, http) == 200
    ends = await asyncio.gather(*(ask(budget, http) for _ in range(16)), return_exceptions=True)
    assert (ends.count(200), strava.calls, strava.refusals) == (10, 11, 0)
    [told] = {str(end) for end in ends if isinstance(end, RateLimited)}
    assert told == (
        "Strava's rate limit is used up for the live lane, which may make 100 of the 100 calls of this quarter hour; "
        "calls are possible again in 10 min."
    )
    assert used(await budget.status()) == 100


@pytest.mark.slow
async def test_a_thousand_calls_cost_one_probe_where_the_limit_is_spent(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """Another machine has used up the day: one call finds it out, and none is made before midnight UTC."""
    strava.use(1000)
    ends = await asyncio.gather(*(ask(budget, http) for _ in range(1000)), return_exceptions=True)
    assert ([type(end) for end in ends[1:]], strava.calls) == ([RateLimited] * 999, 1)
    assert ends[0] == 429
    clock.advance(43_200)
    with pytest.raises(RateLimited):
        await ask(budget, http)
    assert strava.calls == 1
    clock.advance(605)  # five seconds of leeway after midnight
    assert await ask(budget, http) == 200


async def test_a_thousand_calls_cost_one_probe_where_the_app_has_lapsed(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """Also at the end of the wait, and where a call that began before the lapse ends well after it."""
    assert await ask(budget, http) == 200
    strava.gate = asyncio.Event()
    early = asyncio.create_task(ask(budget, http))
    await all_that_can_happen()
    gate, strava.gate = strava.gate, None
    strava.answers = [httpx.Response(403, json=INACTIVE)]
    assert await ask(budget, http) == 403
    gate.set()
    assert await early == 200
    clock.advance(3601)
    strava.answers, strava.calls = [httpx.Response(403, json=INACTIVE)], 0
    ends = await asyncio.gather(*(ask(budget, http) for _ in range(1000)), return_exceptions=True)
    assert (strava.calls, {type(end) for end in ends[1:]}) == (1, {AppInactive})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(429, headers={"retry-after": "100"}), RateLimited),
        (httpx.Response(403, json=INACTIVE), AppInactive),
        (None, AppRejected),
    ],
)
async def test_what_closes_strava_is_remembered_until_its_end(
    budget: RateBudget,
    http: httpx.AsyncClient,
    strava: Strava,
    clock: Clock,
    answer: httpx.Response | None,
    error: type[StravaError],
) -> None:
    """Within the wait nobody calls and the rest of the wait is told; at its end a call is made."""
    strava.answers = [answer] if answer else []
    wait_s = 3600 if error is AppInactive else 100
    if answer:
        await ask(budget, http)
    else:
        with pytest.raises(AppRejected):
            await http.get("/api/v3/athlete", auth=budget.auth(Lane.LIVE, Refusing()))
    made = strava.calls
    clock.advance(wait_s - 0.5)
    with pytest.raises(error) as caught:
        await ask(budget, http)
    assert (getattr(caught.value, "retry_after"), strava.calls) == (0.5, made)  # noqa: B009 - each of the three has it
    clock.advance(0.5)
    assert await ask(budget, http) == 200


async def test_a_lapse_is_told_since_its_first_refusal(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """Each probe is refused again and moves nothing; between two it is still told; a spent limit is no lapse."""
    strava.answers = [httpx.Response(429, headers={"retry-after": "1"})]
    await ask(budget, http)
    assert (await budget.status()).lapse is None
    clock.advance(1)
    strava.answers = [httpx.Response(403, json=INACTIVE), httpx.Response(403, json=INACTIVE)]
    await ask(budget, http)
    began = clock()
    for _ in range(2):
        error, since = (await budget.status()).lapse or (None, None)
        assert (type(error), since) == (AppInactive, began)
        clock.advance(3600)
        status = await budget.status()
        assert (status.closed_until, status.lapse and status.lapse[1]) == (None, began)
        await ask(budget, http)
    assert (await budget.status()).lapse is None


async def test_rejected_credentials_are_one_programs_own(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """A program that starts with the right secret is not held up by one that has the wrong one."""
    store = MemoryBudgetStore()
    with pytest.raises(AppRejected):
        await http.get("/api/v3/athlete", auth=budget_on(store, clock).auth(Lane.LIVE, Refusing()))
    assert await ask(budget_on(store, clock), http) == 200


@pytest.mark.parametrize("rejected_last", [False, True])
async def test_rejected_credentials_hide_no_refusal_of_the_app(
    http: httpx.AsyncClient, strava: Strava, clock: Clock, rejected_last: bool
) -> None:
    """Strava's 429 holds for all, also where a shorter wait than that of another program's wrong secret."""
    store = MemoryBudgetStore()
    budget, other = budget_on(store, clock), budget_on(store, clock)
    if not rejected_last:
        await other.close(AppRejected())
    strava.answers = [httpx.Response(429, headers={"retry-after": "100"})]
    assert await ask(budget, http) == 429
    if rejected_last:
        await other.close(AppRejected())
    with pytest.raises(RateLimited):
        await ask(budget, http)
    with pytest.raises(RateLimited):
        await ask(other, http)
    assert strava.calls == 1


async def test_an_accepted_call_ends_another_programs_rejection(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """The program with the wrong secret is gone: one probe opens the way, and the calls after it run at once."""
    store = MemoryBudgetStore()
    budget = budget_on(store, clock)
    await budget_on(store, clock).close(AppRejected())
    assert await ask(budget, http) == 200
    assert (await budget.status()).closed_until is None
    assert await budget.room(Lane.LIVE) == 99


async def test_an_error_about_one_thing_opens_the_way_for_all(
    client: Callable[..., StravaClient], budget: RateBudget, http: httpx.AsyncClient, strava: Strava
) -> None:
    """Strava answered, if only that something is not there: the next calls run at once."""
    strava.answers = [httpx.Response(404, json={"message": "Record Not Found"})]
    with pytest.raises(NotFound):
        await client().activity(7)
    strava.gate = asyncio.Event()
    together = [asyncio.create_task(ask(budget, http)) for _ in range(5)]
    await all_that_can_happen()
    assert strava.calls == 6
    strava.gate.set()
    await asyncio.gather(*together)


async def test_a_wait_is_a_day_at_most_and_never_gets_shorter(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava
) -> None:
    """A header that is beyond every window is not believed; a later, shorter refusal does not end a longer wait."""
    await ask(budget, http)
    strava.gate = asyncio.Event()
    strava.answers = [httpx.Response(429, headers={"retry-after": wait}) for wait in ("1000000000", "5")]
    both = [asyncio.create_task(ask(budget, http)) for _ in range(2)]
    await all_that_can_happen()
    strava.gate.set()
    assert await asyncio.gather(*both) == [429, 429]
    with pytest.raises(RateLimited) as caught:
        await ask(budget, http)
    assert caught.value.retry_after == 86_400


async def test_after_a_wait_one_call_probes_and_its_answer_opens_the_way(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """In the same quarter hour still: one call is under way until it is answered, and then all are."""
    await ask(budget, http)
    strava.answers = [httpx.Response(429, headers={"retry-after": "0"})]  # a second at least
    await ask(budget, http)
    with pytest.raises(RateLimited):
        await ask(budget, http)
    clock.advance(1)
    strava.calls, strava.gate = 0, asyncio.Event()
    waiting = [asyncio.create_task(ask(budget, http)) for _ in range(50)]
    await all_that_can_happen()
    assert strava.calls == 1
    probe, strava.gate = strava.gate, asyncio.Event()
    probe.set()
    await all_that_can_happen()
    assert strava.calls == 50
    strava.gate.set()
    assert await asyncio.gather(*waiting) == [200] * 50


async def test_answers_that_overtake_each_other(budget: RateBudget, http: httpx.AsyncClient, strava: Strava) -> None:
    """The answer to the earlier call comes last and tells the smaller number: the larger one stays."""
    await ask(budget, http)
    strava.gate = asyncio.Event()
    slow = asyncio.create_task(ask(budget, http))
    await all_that_can_happen()
    gate, strava.gate = strava.gate, None
    strava.use(5)
    await ask(budget, http)
    gate.set()
    await slow
    assert used(await budget.status()) == 8


async def test_an_answer_that_was_held_up_does_not_set_the_clock_back(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """Written before the reset, it arrives when the new window is all but spent, and brings no call back."""
    await ask(budget, http)
    clock.advance(590)
    strava.gate = asyncio.Event()
    held_up = asyncio.create_task(ask(budget, http))
    await all_that_can_happen()
    clock.advance(20)
    gate, strava.gate = strava.gate, None
    strava.use(97)
    await ask(budget, http)
    gate.set()
    assert await held_up == 200
    ends = await asyncio.gather(*(ask(budget, http) for _ in range(9)), return_exceptions=True)
    assert (ends.count(200), strava.refusals) == (1, 0)


async def test_every_repetition_counts(client: Callable[..., StravaClient], strava: Strava) -> None:
    """With two calls left a third try is not made, although Strava failed twice."""
    strava.use(97)
    await client().gear("g1")
    strava.answers = [httpx.Response(502), httpx.Response(502)]
    with pytest.raises(RateLimited):
        await client().gear("g1")
    assert (strava.calls, strava.refusals) == (3, 0)


async def test_the_second_request_after_a_refresh_counts(
    client: Callable[..., StravaClient], http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """With one call left the 401 takes it: the tokens are refreshed, and the call is not made a second time."""
    tokens = Tokens()
    app = OAuthApp(http, client_id=1, client_secret="fake", oauth_url="/oauth", clock=clock)
    signed = client(auth=StravaAuth(1, tokens, app, clock=clock))
    strava.use(98)
    await signed.gear("g1")
    invalid = [{"resource": "Athlete", "field": "access_token", "code": "invalid"}]
    strava.answers = [httpx.Response(401, json={"message": "Authorization Error", "errors": invalid})]
    with pytest.raises(RateLimited):
        await signed.gear("g1")
    assert (strava.calls, strava.refusals, tokens.kept.refresh_token) == (2, 0, "next")


class Tokens:
    """Holds one athlete's tokens."""

    def __init__(self) -> None:
        self.kept = TokenSet(access_token="a", refresh_token="r", expires_at=datetime(2100, 1, 1, tzinfo=UTC))

    async def load(self, athlete_id: int) -> TokenSet:
        return self.kept

    async def save(self, athlete_id: int, tokens: TokenSet) -> None:
        self.kept = tokens

    async def delete(self, athlete_id: int) -> None:
        raise NotImplementedError

    def refreshing(self, athlete_id: int) -> asyncio.Lock:
        return asyncio.Lock()


async def test_each_lane_leaves_room_for_those_before_it(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava
) -> None:
    """At 50, 75 and 90 of 100 a lane stops; live events go on to the last call."""
    await ask(budget, http)
    made = {}
    for lane in reversed(Lane):
        before = strava.calls
        told = [await asyncio.gather(ask(budget, http, lane), return_exceptions=True) for _ in range(100)]
        made[lane] = strava.calls - before
        assert f"for the {lane} lane" in str(told[-1])
    assert made == {Lane.STREAMS: 49, Lane.DETAIL: 25, Lane.RECONCILE: 15, Lane.LIVE: 10}
    assert strava.refusals == 0
    status = await budget.status()
    assert (status.refused[Lane.LIVE], status.closed_until) == (90, None)


async def test_a_lane_that_is_out_of_the_days_calls_waits_for_the_day(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava
) -> None:
    """The quarter hour's share is used up too, but the day's is longer in coming back; the live lane goes on."""
    strava.use(500)
    strava.quarter_limit = 600
    await ask(budget, http)
    with pytest.raises(
        RateLimited, match="streams lane, which may make 500 of the 1,000 calls of this UTC day"
    ) as caught:
        await ask(budget, http, Lane.STREAMS)
    assert caught.value.retry_after == 12 * 3600 + 600 + 5
    assert await ask(budget, http) == 200


async def test_room_is_what_can_be_called_for(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """One call to find out, then what the lane has left in its tightest window, none in a lapse, and one after it."""
    assert await budget.room(Lane.DETAIL) == 1
    strava.use(29)
    await ask(budget, http)
    assert [await budget.room(lane) for lane in Lane] == [70, 60, 45, 20]
    strava.answers = [httpx.Response(403, json=INACTIVE)]
    await ask(budget, http)
    assert await budget.room(Lane.LIVE) == 0
    clock.advance(3601)
    assert await budget.room(Lane.LIVE) == 1


async def test_a_lower_lane_never_has_the_larger_share(http: httpx.AsyncClient, strava: Strava, clock: Clock) -> None:
    """A setting that gives streams more than details gives them as much."""
    shares = {Lane.LIVE: 1.0, Lane.RECONCILE: 0.9, Lane.DETAIL: 0.2, Lane.STREAMS: 0.8}
    budget = RateBudget(shares=shares, clock=clock, steady=clock.steady_s)
    await ask(budget, http)
    [left] = [window.left for window in (await budget.status()).windows if window.name is WindowName.QUARTER]
    assert left == {Lane.LIVE: 99, Lane.RECONCILE: 89, Lane.DETAIL: 19, Lane.STREAMS: 19}


async def test_calls_come_back_at_the_quarter_hour(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """Five seconds after the reset, or as soon as an answer tells of the new window; what was used is used no more."""
    strava.use(99)
    await ask(budget, http)
    clock.advance(604)
    with pytest.raises(RateLimited):
        await ask(budget, http)
    clock.advance(1)
    ends = await asyncio.gather(*(ask(budget, http) for _ in range(101)), return_exceptions=True)
    assert (ends.count(200), strava.refusals) == (100, 0)


@pytest.mark.parametrize("dates_late", [False, True])
async def test_an_answer_from_before_the_reset_does_not_spend_the_new_window(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock, dates_late: bool
) -> None:
    """A call sets out with the old window all but spent and is answered after the reset: it counts as one call."""
    strava.dates_late = dates_late
    strava.use(98)
    await ask(budget, http)
    clock.advance(590)
    strava.gate = asyncio.Event()
    straddling = asyncio.create_task(ask(budget, http))
    await all_that_can_happen()
    clock.advance(20)
    strava.gate.set()
    assert await straddling == 200
    assert used(await budget.status()) == 1
    ends = await asyncio.gather(*(ask(budget, http) for _ in range(101)), return_exceptions=True)
    assert (ends.count(200), strava.refusals) == (99, 0)
    assert await ask(budget, http) == 200  # the answers have told that Strava counted it in the old window


async def test_a_count_of_the_old_window_with_a_date_of_the_new_one_is_not_believed(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """Our clock is a second and a half ahead, so the call seems to be of the new window, and its answer says spent."""
    clock.wrong_by, strava.dates_late = timedelta(seconds=1.5), True
    strava.use(98)
    await ask(budget, http)
    clock.advance(599.9)
    strava.gate = asyncio.Event()
    straddling = asyncio.create_task(ask(budget, http))
    await all_that_can_happen()
    clock.advance(0.2)
    strava.gate.set()
    assert await straddling == 200
    assert await ask(budget, http) == 200


async def test_what_others_used_is_found_out_before_the_crowd_sets_out(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """In a new quarter hour, of which another machine has used 95 calls, one call asks first."""
    await ask(budget, http)
    clock.advance(660)
    strava.use(95)
    ends = await asyncio.gather(*(ask(budget, http) for _ in range(16)), return_exceptions=True)
    assert (ends.count(200), strava.refusals) == (5, 0)


async def test_calls_that_tell_nothing_count_until_an_answer_covers_them(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """Twenty failures use twenty calls; the next answer says what Strava made of them."""
    await ask(budget, http)
    strava.answers = [httpx.Response(500) for _ in range(20)]
    for _ in range(20):
        await ask(budget, http)
    assert used(await budget.status()) == 21
    strava._used = dict.fromkeys(strava._used, 1)  # Strava did not count them
    await ask(budget, http)
    assert used(await budget.status()) == 2


async def test_an_answer_that_tells_of_some_limits_counts_in_the_others_too(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava
) -> None:
    """Answers without the headers of reads use up reads, until one tells of them again."""
    await ask(budget, http)
    overall = {"X-RateLimit-Limit": "200,2000", "X-RateLimit-Usage": "1,1"}
    strava.answers = [httpx.Response(200, headers=overall) for _ in range(5)]
    for _ in range(5):
        await ask(budget, http)
    assert used(await budget.status()) == 6
    await ask(budget, http)
    assert used(await budget.status()) == 7


async def test_the_call_of_a_killed_program_counts_and_is_given_up(
    http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """Nobody settles it; while it may be under way it is used, and after that until an answer covers it."""
    store = MemoryBudgetStore()
    budget = budget_on(store, clock)
    await ask(budget, http)
    await budget.reserve(Lane.LIVE)
    assert used(await budget.status()) == 2
    clock.advance(121)
    assert used(await budget_on(store, clock).status()) == 2
    await ask(budget_on(store, clock), http)
    assert used(await budget_on(store, clock).status()) == 2


@pytest.mark.parametrize("step_s", [-7200, -40, 40, 7200])
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_clock_that_is_set_neither_opens_nor_locks(
    http: httpx.AsyncClient, strava: Strava, clock: Clock, step_s: float, restarts: bool
) -> None:
    """A spent quarter hour ends when it ends at Strava, also for a program that starts after the step."""
    store = MemoryBudgetStore()
    budget = budget_on(store, clock)
    strava.use(99)
    await ask(budget, http)
    clock.wrong_by = timedelta(seconds=step_s)
    budget = budget_on(store, clock) if restarts else budget
    clock.advance(590)
    with pytest.raises(RateLimited):
        await ask(budget, http)
    clock.advance(20)
    assert await ask(budget, http) == 200
    assert (strava.calls, strava.refusals) == (2, 0)


@pytest.mark.parametrize("wrong_s", [-7200, -40, 40, 7200])
async def test_strava_says_what_time_it_is(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock, wrong_s: float
) -> None:
    """On a machine whose clock was wrong from the start the first answer puts the windows right."""
    clock.wrong_by = timedelta(seconds=wrong_s)
    strava.use(99)
    await ask(budget, http)
    clock.advance(590)
    with pytest.raises(RateLimited):
        await ask(budget, http)
    clock.advance(20)
    ends = await asyncio.gather(*(ask(budget, http) for _ in range(101)), return_exceptions=True)
    assert (ends.count(200), strava.refusals) == (100, 0)


@pytest.mark.parametrize("wrong_s", [-40 * 365 * 86_400, -7200, 0])
async def test_a_machine_that_starts_with_a_wrong_clock_is_not_locked(
    http: httpx.AsyncClient, strava: Strava, clock: Clock, wrong_s: float
) -> None:
    """A lapse outlives the start of the machine, but not by more than its own hour; then one call probes."""
    store = MemoryBudgetStore()
    strava.answers = [httpx.Response(403, json=INACTIVE)]
    await ask(budget_on(store, clock), http)
    clock.boot, clock.started, clock.wrong_by = "another", clock.true, timedelta(seconds=wrong_s)
    budget = budget_on(store, clock)
    with pytest.raises(AppInactive):
        await ask(budget, http)
    clock.advance(3601)
    ends = await asyncio.gather(*(ask(budget, http) for _ in range(5)))
    assert (ends, strava.calls) == ([200] * 5, 6)


async def test_without_strava_s_time_the_machine_s_own_serves(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """Answers without a Date header count in the window of their arrival."""
    strava.tells_time = False
    strava.use(99)
    await ask(budget, http)
    with pytest.raises(RateLimited) as caught:
        await ask(budget, http)
    assert caught.value.retry_after == 605
    clock.advance(605)
    assert await ask(budget, http) == 200


@pytest.mark.parametrize("failure", [httpx.ConnectError("offline"), httpx.ConnectTimeout(""), httpx.PoolTimeout("")])
async def test_a_call_that_was_not_sent_is_given_back(
    client: Callable[..., StravaClient], budget: RateBudget, strava: Strava, failure: Exception
) -> None:
    """An outage of the network uses up nothing: as soon as it is over the next call is made."""
    await client().gear("g1")
    strava.failure = failure
    for _ in range(120):
        with pytest.raises(Unreachable):
            await client(attempts=1).gear("g1")
    assert used(await budget.status()) == 1
    strava.failure = None
    await client().gear("g1")
    assert used(await budget.status()) == 2


async def test_a_broken_connection_counts_and_holds_nobody_up(
    client: Callable[..., StravaClient], budget: RateBudget, strava: Strava
) -> None:
    """No answer came, so nobody knows whether Strava counted it; the next call probes at once."""
    await client().gear("g1")
    strava.failure = httpx.ReadError("reset")
    for _ in range(2):
        with pytest.raises(Unreachable):
            await asyncio.wait_for(client(attempts=1).gear("g1"), 30)
    assert used(await budget.status()) == 3


async def test_a_call_without_an_answer_does_not_open_the_way(
    client: Callable[..., StravaClient], strava: Strava, clock: Clock
) -> None:
    """Nobody knows yet whether Strava answers, so the next call is a probe too, and all others wait for its end."""
    strava.failure = httpx.ReadTimeout("")
    with pytest.raises(Unreachable):
        await client(attempts=1).gear("g1")
    strava.failure, strava.calls, strava.gate = None, 0, asyncio.Event()
    waiting = [asyncio.create_task(client().gear("g1")) for _ in range(5)]
    await all_that_can_happen()
    assert strava.calls == 1
    strava.gate.set()
    await asyncio.gather(*waiting)


@pytest.mark.slow
async def test_connections_that_hang_lock_no_window(
    client: Callable[..., StravaClient], budget: RateBudget, strava: Strava, clock: Clock
) -> None:
    """Where only calls without an answer have used up the day, one call a quarter hour asks."""
    strava.quarter_limit = 1000
    await client().gear("g1")
    strava.failure = httpx.ReadTimeout("")
    for _ in range(999):
        with pytest.raises(Unreachable):
            await client(attempts=1).gear("g1")
    assert await budget.room(Lane.LIVE) == 0
    clock.advance(605)
    strava.calls = 0
    for quarter in range(1, 4):
        assert await budget.room(Lane.LIVE) == 1
        with pytest.raises(Unreachable):
            await client(attempts=1).gear("g1")
        with pytest.raises(RateLimited, match=r"counting 1,00\d that got no answer") as caught:
            await client(attempts=1).gear("g1")
        assert (strava.calls, await budget.room(Lane.LIVE)) == (quarter, 0)
        assert caught.value.retry_after <= 905
        clock.advance(caught.value.retry_after)
    strava.failure = None
    strava._used = dict.fromkeys(strava._used, 1)  # Strava has counted none of those without an answer
    await client().gear("g1")
    assert await budget.room(Lane.LIVE) == 998


async def test_a_limit_that_an_answer_told_of_is_not_probed(
    client: Callable[..., StravaClient], strava: Strava, clock: Clock
) -> None:
    """The probe's answer says that the day is spent: no later quarter hour has another."""
    strava.quarter_limit = 2000
    strava.use(998)
    await client().gear("g1")
    strava.failure = httpx.ReadTimeout("")
    with pytest.raises(Unreachable):
        await client(attempts=1).gear("g1")
    strava.failure, strava.calls = None, 0
    clock.advance(605)
    await client().gear("g1")
    clock.advance(900)
    with pytest.raises(RateLimited) as caught:
        await client().gear("g1")
    assert (strava.calls, caught.value.retry_after) == (1, 43_200 - 900)


def test_a_synchronous_client_is_refused(budget: RateBudget) -> None:
    """It would pass the budget by."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    with httpx.Client(transport=transport) as http, pytest.raises(RuntimeError, match="AsyncClient"):
        http.get("https://strava.test", auth=budget.auth(Lane.LIVE, None))


async def test_a_finishing_time_is_foretold_and_comes_true(
    budget: RateBudget, http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """Details have 75 calls of each quarter hour and 750 of each day; the others have used 30 and 129 already."""
    assert await budget.allows_by(Lane.DETAIL, 1) is None  # no limit is known yet
    strava.use(99)
    clock.advance(610)
    strava.use(29)
    assert await ask(budget, http) == 200
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    foretold = {
        45: clock(),
        46: datetime(2026, 3, 1, 12, 15, 5, tzinfo=UTC),
        621: datetime(2026, 3, 1, 14, 0, 5, tzinfo=UTC),
        622: midnight + timedelta(seconds=5),
        621 + 750: midnight + timedelta(hours=2, minutes=15, seconds=5),
        621 + 750 + 1: midnight + timedelta(days=1, seconds=5),
    }
    for calls, moment in foretold.items():
        told = await budget.allows_by(Lane.DETAIL, calls)
        assert told is not None
        assert abs(told - moment) < timedelta(seconds=1), calls
    made = 0
    while made < 622:
        try:
            made += await ask(budget, http, Lane.DETAIL) == 200
        except RateLimited as error:
            clock.advance(error.retry_after)
    assert abs(clock() - foretold[622]) < timedelta(seconds=2)
    assert strava.refusals == 0


async def test_no_time_is_foretold_for_a_lane_without_calls(
    http: httpx.AsyncClient, strava: Strava, clock: Clock
) -> None:
    """A share that comes to no call at all is never done; a closed app is waited for."""
    shares = {Lane.LIVE: 1.0, Lane.RECONCILE: 0.9, Lane.DETAIL: 0.5, Lane.STREAMS: 0.001}
    budget = RateBudget(shares=shares, clock=clock, steady=clock.steady_s, boot=clock.boot)
    assert await ask(budget, http) == 200
    assert await budget.allows_by(Lane.STREAMS, 1) is None
    strava.answers = [httpx.Response(403, json=INACTIVE)]
    with contextlib.suppress(AppInactive):
        await ask(budget, http)
    told = await budget.allows_by(Lane.DETAIL, 1)
    assert told is not None
    assert told - clock() >= timedelta(minutes=50)
