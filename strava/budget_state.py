"""What is known of the app's calls at Strava, and the arithmetic of it: no clock, no file, no network.

Moments are Unix seconds by Strava's clock, which an answer's Date header sets and `steady_s` carries on: a step of this
machine's own clock neither opens a window early nor keeps it closed. Windows end on the quarter hour and at midnight
UTC: https://developers.strava.com/docs/rate-limits/.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from strava.rate_limits import DAY_S, LEEWAY_S, QUARTER_S, RateUsage

TOLERANCE_S = 2.0  # a Date header has whole seconds, and is some tenths old when it arrives
_LAPSES = frozenset({"AppInactive", "AppRejected"})
_CALL_S = 120.0  # longer than any call takes: one that is open for so long belongs to a program that was killed


class Lane(StrEnum):
    """What a call is for; each lane leaves head-room for those before it."""

    LIVE = "live"
    RECONCILE = "reconcile"
    DETAIL = "detail"
    STREAMS = "streams"


class WindowName(StrEnum):
    """Strava's four limits, by the names of `RateUsage`."""

    QUARTER = "quarter"
    DAY = "day"
    READ_QUARTER = "read_quarter"
    READ_DAY = "read_day"

    @property
    def length_s(self) -> float:
        """How long the window is."""
        return QUARTER_S if self in {WindowName.QUARTER, WindowName.READ_QUARTER} else DAY_S

    @property
    def spoken(self) -> str:
        """The window in words, after a number of calls."""
        calls = "reads" if self in {WindowName.READ_QUARTER, WindowName.READ_DAY} else "calls"
        return f"{calls} of this {'quarter hour' if self.length_s == QUARTER_S else 'UTC day'}"


class Moment(NamedTuple):
    """What this machine's clocks show: the time of day, the seconds that are never set, and since which start."""

    wall: float
    steady_s: float
    boot: str


class Call(NamedTuple):
    """A call that was reserved: its id, when, and how many calls of unknown count there were by then."""

    id: str
    steady_s: float
    unseen: int


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Window(_Kept):
    """One limit in the window that ends at `ends_at`. `used` is the most that an answer told of it.

    `covered` of the calls of unknown count are in it for sure.
    """

    ends_at: float
    limit: int
    used: int = 0
    covered: int = 0


class Closing(_Kept):
    """Strava answers nobody. `by` is the process whose own credentials it is about; empty: it is about the app."""

    error: str
    until: float
    by: str = ""


class Lapse(_Kept):
    """Why Strava has refused the app since when; unlike a closing it ends with an accepted call, not with a wait."""

    error: str
    since: float


class BudgetState(_Kept):
    """The app's calls, as all programs that share the state know them.

    A limit's use is never counted too low: what answers told in this window, and on top each call that may not be in it
    yet - one under way, and one that ended without telling. Every call counts in each window.
    """

    now: float = 0.0
    steady_s: float = 0.0
    boot: str = ""
    windows: dict[str, Window] = Field(default_factory=dict)
    under_way: dict[str, float] = Field(default_factory=dict)  # call -> when it is given up
    unseen: int = 0
    answered_until: float = 0.0  # until then Strava is known to answer
    probed_until: float = 0.0  # until then no call is made beyond a limit that only `unseen` has used up
    closing: Closing | None = None
    lapse: Lapse | None = None
    refused: dict[str, int] = Field(default_factory=dict)  # lane -> calls, until the quarter hour ends
    refused_until: float = 0.0

    def advance(self, moment: Moment) -> None:
        """Move on to the moment: windows end, waits end, calls of killed programs are given up."""
        elapsed = moment.steady_s - self.steady_s
        is_same_start = moment.boot == self.boot and elapsed >= 0
        now = self.now + elapsed if is_same_start else moment.wall
        if now < self.now - TOLERANCE_S:
            self._shift(now - self.now)  # kept in the future: it tells no time of day, only how long was left
        self.now, self.steady_s, self.boot = now, moment.steady_s, moment.boot
        for name, window in self.windows.items():
            if now >= window.ends_at + LEEWAY_S:
                self._begin(window, ends_after(now, WindowName(name).length_s))
        given_up = [call for call, until in self.under_way.items() if now >= until]
        for call in given_up:
            del self.under_way[call]
        self.unseen += len(given_up)
        if self.closing is not None and now >= self.closing.until:
            self.closing = None
        if now >= self.refused_until:
            self.refused.clear()

    def is_answering(self) -> bool:
        """Whether Strava answered somebody in this quarter hour, and has refused nobody since."""
        return self.closing is None and self.now < self.answered_until

    def used(self, name: str) -> int:
        """Return how many calls of the window are used at most."""
        window = self.windows[name]
        return window.used + self.unseen - window.covered + len(self.under_way)

    def used_for_sure(self, name: str) -> int:
        """Return how many calls of the window are used without those whose count is unknown."""
        return self.windows[name].used + len(self.under_way)

    def reserve(self, call_id: str, *, is_probe: bool = False) -> Call:
        """Count a call before it is sent."""
        if is_probe:
            self.probed_until = ends_after(self.now, QUARTER_S)
        self.under_way[call_id] = self.now + _CALL_S
        return Call(call_id, self.steady_s, self.unseen)

    def give_up(self, call: Call, *, was_sent: bool) -> None:
        """Note that a call got no answer; Strava may have counted it, unless it was not sent."""
        if self.under_way.pop(call.id, None) is not None and was_sent:
            self.unseen += 1

    def settle(
        self, call: Call, usage: RateUsage | None, answered_at: float | None, *, accepted_by: str | None = None
    ) -> None:
        """Note a call's answer: what it told of the limits, and when it was given, each None where it did not say.

        `accepted_by` is the process whose request Strava accepted: that ends what another's credentials closed.
        """
        self.under_way.pop(call.id, None)
        took_s = self.steady_s - call.steady_s
        if answered_at is not None:
            self._set_clock(answered_at, took_s)
        asked_at = self.now - took_s
        is_told = usage is not None
        for name in WindowName:
            told = None if usage is None else getattr(usage, name)
            if told is not None:
                ends_at = ends_after(self.now if answered_at is None else answered_at, name.length_s)
                is_told &= self._note(name, ends_at, asked_at, told.limit, told.used, call.unseen)
            elif name in self.windows:
                is_told = False
        if not is_told:
            self.unseen += 1
        if accepted_by:
            self.lapse = None
            if self.closing is not None and self.closing.by not in {"", accepted_by}:
                self.closing = None
        if self.closing is None:
            self.answered_until = ends_after(self.now, QUARTER_S)

    def close(self, closing: Closing) -> None:
        """Note that Strava answers nobody; a shorter wait does not end a longer one.

        What is about the app replaces what is about one process, and never the other way round. A lapse is refused
        again after each wait, and began with the first refusal.
        """
        self.answered_until = 0.0
        if closing.error in _LAPSES and (self.lapse is None or self.lapse.error != closing.error):
            self.lapse = Lapse(error=closing.error, since=self.now)
        kept = self.closing
        if kept is None or (not closing.by, closing.until) > (not kept.by, kept.until):
            self.closing = closing

    def note_refusal(self, lane: Lane) -> None:
        """Count a call that was not made."""
        if not self.refused:
            self.refused_until = ends_after(self.now, QUARTER_S)
        self.refused[lane] = self.refused.get(lane, 0) + 1

    def _note(  # noqa: PLR0913, PLR0917 - one answer's facts about one window
        self, name: WindowName, ends_at: float, asked_at: float, limit: int, used: int, covered: int
    ) -> bool:
        """Take over what an answer told of a window; return whether its call is in what is known of it now.

        An answer to a call from before the window, or from its first moments, may tell the count of the one before.
        """
        window = self.windows.setdefault(name, Window(ends_at=ends_at, limit=limit, covered=covered))
        window.limit = limit
        if ends_at > window.ends_at:
            self._begin(window, ends_at)
        if ends_at < window.ends_at or asked_at < ends_at - name.length_s + TOLERANCE_S:
            return False
        window.used, window.covered = max(window.used, used), max(window.covered, covered)
        return True

    def _begin(self, window: Window, ends_at: float) -> None:
        window.ends_at, window.used, window.covered = ends_at, 0, self.unseen

    def _set_clock(self, answered_at: float, took_s: float) -> None:
        """Believe a Date header that is not from between the call and its end; one in between may have been held up."""
        ahead_s = answered_at - self.now
        behind_s = self.now - took_s - answered_at
        seconds = ahead_s if ahead_s > TOLERANCE_S else -behind_s if behind_s > TOLERANCE_S else 0.0
        if seconds:
            self._shift(seconds)
            self.now += seconds

    def _shift(self, seconds: float) -> None:
        """Strava's clock turned out to be another: waits stay as long as they are, windows are learnt from answers."""
        self.answered_until = 0.0
        self.refused_until += seconds
        self.probed_until += seconds
        self.under_way = {call: until + seconds for call, until in self.under_way.items()}
        if self.closing is not None:
            self.closing.until += seconds
        if self.lapse is not None:
            self.lapse.since += seconds
        now = self.now + seconds
        for name, window in self.windows.items():
            length_s = WindowName(name).length_s
            if not now < window.ends_at <= now + length_s:
                self._begin(window, ends_after(now, length_s))


def ends_after(moment: float, length_s: float) -> float:
    """Return the end of the window that holds the moment."""
    return (moment // length_s + 1) * length_s


def falling(shares: Mapping[Lane, float]) -> Mapping[Lane, float]:
    """Return the share of each lane, never more than that of the one before it."""
    share, falling = 1.0, dict[Lane, float]()
    for lane in Lane:
        share = falling[lane] = min(share, shares[lane])
    return falling
