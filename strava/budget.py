"""The rate budget: every request to Strava's API is reserved before it is sent, so that Strava never has to refuse one.

It sits where one HTTP request goes out, so each repetition counts. OAuth's requests and those of push subscriptions do
not: Strava's answers to them show that it does not count them. It never waits for calls to come back: who is refused
decides when to come again. https://developers.strava.com/docs/rate-limits/
"""

import secrets
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import httpx

from runtime.clock import boot_id, steady_s, utc_now
from strava.budget_state import BudgetState, Call, Closing, Lane, Moment, WindowName, ends_after, falling
from strava.budget_store import BudgetStore, MemoryBudgetStore
from strava.errors import AppInactive, AppRejected, RateLimited, StravaError
from strava.rate_limits import DAY_S, LEEWAY_S, RateUsage
from strava.responses import answered_at, error_for, is_accepted
from strava.transport import ON_UNANSWERED

T = TypeVar("T")

# The share of each window that a lane may use up to.
SHARES: Mapping[Lane, float] = {Lane.LIVE: 1.0, Lane.RECONCILE: 0.9, Lane.DETAIL: 0.75, Lane.STREAMS: 0.5}
_LEAST_WAIT_S = 1.0
_CLOSING = (RateLimited, AppInactive, AppRejected)


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowStatus:
    """One limit: how many calls are used at most, when they come back, and how many each lane may still make."""

    name: WindowName
    limit: int
    used: int
    resets_at: datetime
    left: Mapping[Lane, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetStatus:
    """The budget as a person may look at it. `windows` is empty while Strava has told no limits yet."""

    as_of: datetime
    windows: list[WindowStatus]
    closed_because: StravaError | None
    closed_until: datetime | None
    is_closed_for_all: bool  # False where Strava rejects the credentials of one program
    lapse: tuple[StravaError, datetime] | None  # why Strava refuses the app and since when, until it accepts a call
    refused: Mapping[Lane, int]


class RateBudget:
    """The app's calls, shared by all of its athletes and by all programs that share the store.

    While nobody knows whether Strava answers (at the start, in a new quarter hour, and when a wait has ended) one call
    probes and all others wait for its end: a thousand waiting events cost one call.
    """

    def __init__(
        self,
        store: BudgetStore | None = None,
        *,
        shares: Mapping[Lane, float] = SHARES,
        clock: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] = steady_s,
        boot: str | None = None,
    ) -> None:
        self._store = store or MemoryBudgetStore()
        self._shares = falling(shares)
        self._clock = clock
        self._steady = steady
        self._boot = boot_id() if boot is None else boot
        self._process = secrets.token_hex(8)

    def auth(self, lane: Lane, auth: httpx.Auth | None) -> httpx.Auth:
        """Return an `Auth` that signs as `auth` does, and has each request reserved before it is sent.

        It raises RateLimited, AppInactive and AppRejected without a request while one of them is known.
        """
        return _ReservedAuth(self, lane, auth or httpx.Auth())

    async def status(self) -> BudgetStatus:
        """Tell how the budget stands."""
        state = await self._read()
        closing, lapse = state.closing, state.lapse
        return BudgetStatus(
            as_of=_datetime(state.now),
            windows=[self._window_status(state, name) for name in WindowName if name in state.windows],
            closed_because=None if closing is None else _closing_error(closing.error, closing.until - state.now),
            closed_until=None if closing is None else _datetime(closing.until),
            is_closed_for_all=closing is not None and not closing.by,
            lapse=None if lapse is None else (_closing_error(lapse.error, 0.0), _datetime(lapse.since)),
            refused={Lane(lane): count for lane, count in state.refused.items()},
        )

    async def allows_by(self, lane: Lane, calls: int, *, first: Sequence[tuple[Lane, int]] = ()) -> datetime | None:
        """Estimate when the lane may have made so many calls, after those of `first`, if nobody else calls from now on.

        None while Strava has told no limits yet, and where a lane's share is no call at all.
        """
        state = await self._read()
        used = {WindowName(name): state.used(name) for name in state.windows}
        ends = {name: state.windows[name].ends_at + LEEWAY_S for name in used}
        at = state.now if state.closing is None or self._closed(state) is None else state.closing.until
        for each, count in (*first, (lane, calls)):
            limits = {name: self._allowed(state, name, each) for name in used}
            if not limits or not min(limits.values()):
                return None
            while True:
                for name in [name for name in limits if at >= ends[name]]:
                    used[name], ends[name] = 0, ends_after(at, name.length_s) + LEEWAY_S
                made = min(count, *(max(0, limits[name] - used[name]) for name in limits))
                used = {name: calls_by_now + made for name, calls_by_now in used.items()}
                if not (count := count - made):
                    break
                at = max(ends[name] for name in limits if used[name] >= limits[name])
        return _datetime(at)

    async def room(self, lane: Lane) -> int:
        """Return how many calls the lane may make now; one, to find out, while nobody knows whether Strava answers."""
        state = await self._read()
        if self._closed(state) is not None:
            return 0
        if self._may_probe(state, lane):
            return 1
        left = min((self._left(state, name, lane) for name in WindowName if name in state.windows), default=1)
        return left if state.is_answering() else min(left, 1)

    async def admit(self, lane: Lane, probe: AsyncExitStack) -> None:
        """Return when the lane may go on; `probe` holds the others while it finds out for them. Raises as `auth`."""
        if await self._may_go(lane):
            return
        await probe.enter_async_context(self._store.probing())
        if await self._may_go(lane):  # another has found out meanwhile
            await probe.aclose()

    async def reserve(self, lane: Lane) -> Call:
        """Count a call before it is sent. Raises as `auth`."""
        call_id = secrets.token_hex(8)

        def edit(state: BudgetState) -> Call | StravaError:
            refusal = self._refusal(state, lane)
            if refusal is None:
                return state.reserve(call_id, is_probe=bool(self._spent(state, lane)))
            state.note_refusal(lane)
            return refusal

        reserved = await self._change(edit)
        if isinstance(reserved, StravaError):
            raise reserved
        return reserved

    async def settle(self, call: Call, answer: httpx.Response) -> None:
        """Note a call's answer. An error's body must have been read."""
        usage, moment = RateUsage.from_headers(answer.headers), answered_at(answer)

        def edit(state: BudgetState) -> None:
            error = error_for(answer, asked="", now=_datetime(state.now))
            accepted_by = self._process if is_accepted(error) else None
            state.settle(call, usage, None if moment is None else moment.timestamp(), accepted_by=accepted_by)
            if isinstance(error, _CLOSING):
                state.close(self._closing(state, error))

        await self._change(edit)

    async def give_up(self, call: Call, *, was_sent: bool) -> None:
        """Note that a call got no answer; one that was not sent is used by nobody."""
        await self._change(lambda state: state.give_up(call, was_sent=was_sent))

    async def close(self, error: RateLimited | AppInactive | AppRejected) -> None:
        """Note that Strava refuses the app itself, found out while a request was signed."""
        await self._change(lambda state: state.close(self._closing(state, error)))

    async def _may_go(self, lane: Lane) -> bool:
        """Return whether Strava is known to answer; raise and count the refusal where it is known not to."""
        state = await self._read()
        if self._closed(state) is None:
            return state.is_answering()

        def edit(state: BudgetState) -> StravaError | None:
            error = self._closed(state)
            if error is not None:
                state.note_refusal(lane)
            return error

        if (error := await self._change(edit)) is not None:
            raise error
        return False

    def _closed(self, state: BudgetState) -> StravaError | None:
        closing = state.closing
        if closing is None or closing.by not in {"", self._process}:
            return None
        return _closing_error(closing.error, closing.until - state.now)

    def _refusal(self, state: BudgetState, lane: Lane) -> StravaError | None:
        if (error := self._closed(state)) is not None:
            return error
        spent = self._spent(state, lane)
        if not spent or self._may_probe(state, lane):
            return None
        name = max(spent, key=lambda each: state.windows[each].ends_at)
        window = state.windows[name]
        until, allowed = window.ends_at + LEEWAY_S, self._allowed(state, name, lane)
        detail = f" for the {lane} lane, which may make {allowed:,} of the {window.limit:,} {name.spoken}"
        if self._is_spent_unseen(state, lane):
            detail += f", counting {state.unseen - window.covered:,} that got no answer"
            until = min(until, max(state.probed_until, state.answered_until) + LEEWAY_S)
        return RateLimited(until - state.now, detail=detail)

    def _spent(self, state: BudgetState, lane: Lane) -> list[WindowName]:
        return [name for name in WindowName if name in state.windows and self._left(state, name, lane) == 0]

    def _is_spent_unseen(self, state: BudgetState, lane: Lane) -> bool:
        """Whether the lane is out of calls only because calls ended without telling; the next answer covers those."""
        spent = self._spent(state, lane)
        return bool(spent) and all(state.used_for_sure(name) < self._allowed(state, name, lane) for name in spent)

    def _may_probe(self, state: BudgetState, lane: Lane) -> bool:
        """Whether the quarter hour's one call may find out what Strava made of the calls without an answer."""
        since = state.now - LEEWAY_S
        return since >= max(state.probed_until, state.answered_until) and self._is_spent_unseen(state, lane)

    def _left(self, state: BudgetState, name: WindowName, lane: Lane) -> int:
        return max(0, self._allowed(state, name, lane) - state.used(name))

    def _allowed(self, state: BudgetState, name: str, lane: Lane) -> int:
        return int(state.windows[name].limit * self._shares[lane])

    def _window_status(self, state: BudgetState, name: WindowName) -> WindowStatus:
        window = state.windows[name]
        return WindowStatus(
            name=name,
            limit=window.limit,
            used=state.used(name),
            resets_at=_datetime(window.ends_at),
            left={lane: self._left(state, name, lane) for lane in Lane},
        )

    def _closing(self, state: BudgetState, error: RateLimited | AppInactive | AppRejected) -> Closing:
        wait_s = min(max(error.retry_after, _LEAST_WAIT_S), DAY_S)  # a longer wait than any window is not believed
        by = self._process if isinstance(error, AppRejected) else ""  # another may have been given the right secret
        return Closing(error=type(error).__name__, until=state.now + wait_s, by=by)

    async def _read(self) -> BudgetState:
        state = await self._store.read()
        state.advance(self._moment())
        return state

    async def _change(self, edit: Callable[[BudgetState], T]) -> T:
        def advanced(state: BudgetState) -> T:
            state.advance(self._moment())
            return edit(state)

        return await self._store.change(advanced)

    def _moment(self) -> Moment:
        return Moment(self._clock().timestamp(), self._steady(), self._boot)


class _ReservedAuth(httpx.Auth):
    """Passes each request of `auth` through the budget, also the second one after a refresh."""

    def __init__(self, budget: RateBudget, lane: Lane, auth: httpx.Auth) -> None:
        self._budget = budget
        self._lane = lane
        self._auth = auth

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign, reserve, send and settle, as often as `auth` wants to send."""
        async with AsyncExitStack() as probe:
            await self._budget.admit(self._lane, probe)
            async with aclosing(self._auth.async_auth_flow(request)) as signing:
                signed = await self._signed(signing, None)
                while signed is not None:
                    call = await self._budget.reserve(self._lane)
                    answer: httpx.Response | None = None
                    try:
                        came = yield signed
                        if came.is_error:
                            await came.aread()
                        answer = came
                    finally:  # also where the connection breaks, and httpx closes this generator
                        if answer is None:
                            signed.extensions[ON_UNANSWERED] = partial(self._budget.give_up, call)
                        else:
                            await self._budget.settle(call, answer)
                    signed = await self._signed(signing, answer)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:  # noqa: ARG002 - httpx's signature
        """Refuse: without this a synchronous client would pass the budget by."""
        raise RuntimeError("the rate budget needs httpx.AsyncClient")

    async def _signed(
        self, signing: AsyncGenerator[httpx.Request, httpx.Response], answer: httpx.Response | None
    ) -> httpx.Request | None:
        """Return the next request, or None when there is none; signing may ask OAuth, which may refuse the app."""
        try:
            return await (anext(signing) if answer is None else signing.asend(answer))
        except StopAsyncIteration:
            return None
        except _CLOSING as error:
            await self._budget.close(error)
            raise


def _closing_error(name: str, left_s: float) -> StravaError:
    return next((kind for kind in _CLOSING if kind.__name__ == name), AppInactive)(left_s)


def _datetime(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
