"""What can go wrong with Strava.

    StravaError
    ├── Retryable             the same call may pass later
    │   ├── Unreachable           no answer came
    │   ├── ServerFailed          5xx: .status
    │   ├── TurnedAway            408, 425, or a 4xx that is not in Strava's form: .status
    │   ├── AccessTokenRefused    401 although the token was refreshed just now: .athlete_id
    │   └── RateLimited           429, or the rate budget foresees one: .retry_after seconds, .limits
    │       └── ProbeUnderWay         another program is slow to find out whether Strava answers
    ├── Refused               the same call fails until somebody does something
    │   ├── NotFound              404: not there, or not for this athlete to see
    │   ├── TokenRejected         401, or a dead refresh token: .athlete_id
    │   │   └── NotConnected          no tokens are stored for the athlete
    │   ├── ScopeMissing          the athlete did not grant it: .needed
    │   ├── AppInactive           the app owner's paid subscription lapsed: .retry_after seconds
    │   ├── AppRejected           client id or secret is wrong: .retry_after seconds
    │   └── BadRequest            any other 4xx: .status, .reasons
    ├── UnreadableAnswer      an answer that is not what Strava documents
    └── UnreadableArchive     an export of Strava's, or a file in it, that cannot be read: .name, .reason

Every text says what to do and none repeats a token, a title or a place.
"""

from strava.rate_limits import RateUsage

APP_RETRY_S = 3600.0  # only the app's owner can end its state, so an hour is soon enough to ask again
_MINUTE_S = 60


class StravaError(Exception):
    """Anything that went wrong with Strava."""


class Retryable(StravaError):
    """Strava may answer the same call later."""


class Unreachable(Retryable):
    """No answer came: no connection, or it broke, or it took too long."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"Strava cannot be reached ({cause}); check the network and STRAVA_API_URL, or wait.")


class ServerFailed(Retryable):
    """Strava answered that it failed itself."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Strava failed with status {status}; nothing to do but wait (https://status.strava.com).")
        self.status = status


class TurnedAway(Retryable):
    """Strava's edge, or something on the way to it, did not let the request through to the API."""

    def __init__(self, status: int) -> None:
        super().__init__(
            f"The request was turned away with status {status} before it reached Strava's API; check the proxy and "
            "STRAVA_API_URL, or wait."
        )
        self.status = status


class AccessTokenRefused(Retryable):
    """Strava refuses an access token that it handed out a moment before: seen for minutes while the grant is alive."""

    def __init__(self, athlete_id: int) -> None:
        super().__init__(
            f"Strava refuses the access token of athlete {athlete_id} although it was refreshed just now; "
            "this passes by itself, so wait."
        )
        self.athlete_id = athlete_id


class RateLimited(Retryable):
    """The app's calls are used up. `retry_after` is in seconds; `limits` is what the answer said, if it did.

    `detail` follows "Strava's rate limit is used up" and says for whom, and which limit. `reason` is the text without
    the wait, for who keeps it.
    """

    def __init__(self, retry_after: float, limits: RateUsage | None = None, *, detail: str = "") -> None:
        self.reason = f"Strava's rate limit is used up{detail}."
        super().__init__(f"{self.reason[:-1]}; calls are possible again in {_spoken(retry_after)}.")
        self.retry_after = retry_after
        self.limits = limits


class ProbeUnderWay(RateLimited):
    """Another program of this machine is finding out whether Strava answers, and has not come to an end yet."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(retry_after)
        self.reason = "Another program is still finding out whether Strava answers."
        self.args = (f"{self.reason[:-1]}; come again in {_spoken(retry_after)}.",)


class Refused(StravaError):
    """The same call will fail until somebody does something."""


class NotFound(Refused):
    """The thing is not there, not there yet, or not visible to this athlete."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"Strava has no {asked}, or does not show it with the permissions given.")
        self.asked = asked


class TokenRejected(Refused):
    """Strava does not accept the athlete's tokens, even after a refresh."""

    def __init__(self, athlete_id: int | None = None) -> None:
        super().__init__(f"Strava rejects the tokens of {_named(athlete_id)}; connect again with `athlete connect`.")
        self.athlete_id = athlete_id


class NotConnected(TokenRejected):
    """There are no tokens for the athlete."""

    def __init__(self, athlete_id: int) -> None:
        super().__init__(athlete_id)
        self.args = (f"No tokens are stored for athlete {athlete_id}; connect first with `athlete connect`.",)


class ScopeMissing(Refused):
    """The athlete left a permission unticked. `needed` is its name, such as `activity:read_all`."""

    def __init__(self, needed: str) -> None:
        super().__init__(f"The athlete has not granted {needed}; connect again and leave every box ticked.")
        self.needed = needed


class AppInactive(Refused):
    """Strava has switched the app off until its owner pays again. `retry_after` is in seconds."""

    def __init__(self, retry_after: float = APP_RETRY_S) -> None:
        super().__init__(
            "Strava calls the app inactive: its owner's paid subscription has most likely lapsed. Renew it at "
            "https://www.strava.com/account; what is stored keeps working."
        )
        self.retry_after = retry_after


class AppRejected(Refused):
    """Strava does not know the app by this client id and secret. `retry_after` is in seconds."""

    def __init__(self, retry_after: float = APP_RETRY_S) -> None:
        super().__init__(
            "Strava rejects the app's own credentials; compare STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET with "
            "https://www.strava.com/settings/api."
        )
        self.retry_after = retry_after


class BadRequest(Refused):
    """Any other refusal. `reasons` are Strava's words, one `resource/field/code` each."""

    def __init__(self, status: int, reasons: tuple[str, ...] = (), advice: str = "") -> None:
        said = "; ".join(reasons) or "no reason given"
        super().__init__(f"Strava refuses the request with status {status} ({said}). {advice}".rstrip())
        self.status = status
        self.reasons = reasons


class UnreadableAnswer(StravaError):
    """Strava answered with something else than it documents. `fault` says what, without its content."""

    def __init__(self, asked: str, fault: str) -> None:
        super().__init__(f"Strava's answer for {asked} cannot be read: {fault}. Check STRAVA_API_URL.")
        self.fault = fault


class UnreadableArchive(StravaError):
    """An athlete's export, or one file in it, cannot be read; the text repeats nothing of its content."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}.")
        self.name = name
        self.reason = reason


# Errors that may be about what was asked for alone, so that asking for something else may pass.
OF_ONE_THING = (ServerFailed, UnreadableAnswer, BadRequest)


def _named(athlete_id: int | None) -> str:
    return "the athlete" if athlete_id is None else f"athlete {athlete_id}"


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE_S else f"{seconds / _MINUTE_S:.0f} min"
