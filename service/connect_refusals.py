"""Why an athlete was not connected, each as a page that says what to do next."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from starlette.responses import HTMLResponse

from backends.connect.connections import TooManyAthletes
from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from service.pages import page
from strava.errors import AppInactive, AppRejected, BadRequest, RateLimited, Refused, ScopeMissing, StravaError
from strava.scopes import missing_scopes

_NOTHING = "Nothing was stored."
_NEW = "Ask for a new invitation: `athlete connect` makes one."
_AGAIN = "The invitation is still good: open its link again"
_WITH_NEW = "The invitation could not be given back: ask for a new one (`athlete connect` makes it), open its link"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A page; `reason` is for the log."""

    reason: str
    status: int
    title: str
    sentences: tuple[str, ...]

    def without_invitation(self) -> "Refusal":
        """Return it for an invitation that stays used, since no store could give it back."""
        return replace(self, sentences=tuple(each.replace(_AGAIN, _WITH_NEW) for each in self.sentences))

    def page(self) -> HTMLResponse:
        """Return it as an answer."""
        return page(self.title, self.sentences, status=self.status)


class ConnectRefused(Exception):
    """The athlete is not connected; the page says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


STORE_UNAVAILABLE = (WarehouseBusy, TokensUnavailable)
EXPECTED = (ConnectRefused, TooManyAthletes, StravaError, *STORE_UNAVAILABLE)

SWITCHED_OFF = Refusal(
    "STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET must be set before athletes can connect",
    503,
    "Connecting is switched off",
    ("The service does not know its Strava app: set STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET, and start it again.",),
)
INCOMPLETE = Refusal(
    "the link is incomplete",
    400,
    "This link is incomplete",
    (f"A part of its address is missing. {_NOTHING}", "Open the whole invitation link; it may have been cut in two."),
)
FORGED = Refusal(
    "the link was not made here",
    403,
    "This link is not one of ours",
    (f"It was changed, or made by another installation or with another client secret. {_NOTHING}", _NEW),
)
EXPIRED = Refusal("the invitation has expired", 410, "This invitation has expired", (_NOTHING, _NEW))
TIMED_OUT = Refusal(
    "the authorisation took too long",
    410,
    "That took too long",
    (
        f"The time for the authorisation is over. {_NOTHING}",
        f"Open the invitation's link again. If it has expired too: {_NEW}",
    ),
)
OTHER_BROWSER = Refusal(
    "another browser began",
    403,
    "This browser did not begin the connection",
    (
        f"Somebody may have sent you a link that ends their own connection. {_NOTHING}",
        "If you were invited, open your invitation's link in this browser, and allow it to keep cookies.",
    ),
)
DENIED = Refusal(
    "the athlete declined",
    403,
    "You declined",
    (f"Strava was told not to share anything. {_NOTHING}", f"{_AGAIN} if you change your mind."),
)
UNDER_WAY = Refusal(
    "the invitation is in use",
    409,
    "A connection with this invitation has begun",
    (
        "It may end in a moment, in the page that you opened first.",
        f"If no page says that you are connected, it was cut short. {_NEW} Connecting again does no harm.",
    ),
)
ALREADY_USED = Refusal(
    "the invitation is used",
    409,
    "This invitation was used already",
    (f"An athlete is connected by it. If that was you, there is nothing more to do. Otherwise: {_NEW}",),
)
UNAVAILABLE = Refusal(
    "a store is unavailable",
    503,
    "The connection could not be finished",
    (f"Something could not be stored just now. {_AGAIN} in a minute; doing it twice does no harm.",),
)


def not_granted(scope: Collection[str]) -> Refusal:
    """Return the page for scopes with which no activity would ever arrive."""
    missing = tuple(f"{name} is missing: {cost}." for name, cost in missing_scopes(scope).items())
    advice = f"{_AGAIN} and leave every box ticked."
    return Refusal("no scope of activities", 403, "Your activities stay hidden", (_NOTHING, *missing, advice))


def not_finished(athlete_id: int, error: Exception) -> Refusal:
    """Return the page for an athlete whose tokens are stored while a later step failed."""
    waiting = (
        "What follows could not be stored just now: the history, and events that came before, wait until you "
        "connect again."
    )
    connected = f"Athlete {athlete_id} is connected: Strava's tokens are stored."
    return Refusal(
        str(error), 503, "Connected, but not finished", (connected, waiting, f"{_NEW} Connecting again does no harm.")
    )


def _refused_by_strava(error: StravaError) -> Refusal:
    """Return the page for what Strava said, or did not say, when the authorisation was traded in."""
    status, cause = 502, "Strava's answer did not come, or could not be read."
    if isinstance(error, BadRequest):
        status, cause = 400, "Strava does not accept the authorisation: it was used, or is too old."
    elif isinstance(error, AppRejected | AppInactive | RateLimited):
        status, cause = 503, str(error)
    elif isinstance(error, ScopeMissing):
        status, cause = 403, f"Strava does not tell whose the authorisation is, for {error.needed} was not granted."
    elif isinstance(error, Refused):
        status, cause = 502, "Strava took the authorisation, and refused to tell whose it is."
    advice = f"An authorisation works once, so it is not tried again. {_AGAIN} and authorise once more."
    return Refusal(str(error), status, "Strava did not finish the connection", (cause, _NOTHING, advice))


def refusal_of(error: Exception) -> Refusal:
    """Return the page for an error that is EXPECTED."""
    if isinstance(error, ConnectRefused):
        return error.refusal
    if isinstance(error, TooManyAthletes):
        return Refusal("too many athletes", 409, "No more athletes can be connected", (str(error), _NOTHING))
    if isinstance(error, StravaError):
        return _refused_by_strava(error)
    return replace(UNAVAILABLE, reason=str(error))
