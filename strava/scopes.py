"""The scopes that this app asks for, and what the granted ones bring.

An athlete can untick any of them: https://developers.strava.com/docs/authentication/.
"""

from collections.abc import Collection, Mapping
from typing import Any

# What an athlete loses with each scope that was not granted.
WANTED_SCOPES = {
    "read": "routes and clubs stay unknown",
    "activity:read_all": "private activities will not arrive, and with no activity scope at all nothing arrives",
    "profile:read_all": "gear and heart-rate zones may be missing",
}
_READS_ACTIVITIES = frozenset({"activity:read", "activity:read_all"})


def read_scopes(value: Any) -> frozenset[str]:
    """Return the scopes of Strava's text, which separates them by commas or spaces; none where it is no text."""
    return frozenset(value.replace(",", " ").split()) if isinstance(value, str) else frozenset()


def reads_activities(scope: Collection[str]) -> bool:
    """Whether any activity, and any event about one, can be had."""
    return not _READS_ACTIVITIES.isdisjoint(scope)


def missing_scopes(scope: Collection[str]) -> Mapping[str, str]:
    """Return the wanted scopes that are not granted, each with what that costs."""
    return {name: cost for name, cost in WANTED_SCOPES.items() if name not in scope}


def scope_verdict(scope: Collection[str]) -> str:
    """Say in words what the granted scopes mean; Strava does not always tell them."""
    if not scope:
        return (
            "Strava did not say which scopes it granted: if private activities do not arrive, authorise with "
            "activity:read_all."
        )
    missing = [f"{name} is missing: {cost}" for name, cost in missing_scopes(scope).items()]
    return "; ".join(missing) + "." if missing else "All scopes are granted."
