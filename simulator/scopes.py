"""What an application may see of an athlete, by the scopes that the athlete left ticked.

https://developers.strava.com/docs/authentication/#details-about-requesting-access
"""

from typing import Any

READ = "read"
READ_ALL = "read_all"
PROFILE = "profile:read_all"
ACTIVITY = "activity:read"
ACTIVITY_ALL = "activity:read_all"
KNOWN = (READ, READ_ALL, PROFILE, "profile:write", ACTIVITY, ACTIVITY_ALL, "activity:write")

Scopes = frozenset[str]


def reads_activities(scopes: Scopes) -> bool:
    """Whether activities, and events about them, can be had at all."""
    return not scopes.isdisjoint({ACTIVITY, ACTIVITY_ALL})


def may_see(scopes: Scopes, *, is_private: bool) -> bool:
    """Whether an activity can be had: an only-me one needs `activity:read_all`."""
    return reads_activities(scopes) and (ACTIVITY_ALL in scopes or not is_private)


def shown(scopes: Scopes, activity: dict[str, Any]) -> dict[str, Any]:
    """Return the activity as the scopes show it: places to two decimals without `activity:read_all`."""
    if ACTIVITY_ALL in scopes:
        return activity
    rounded = {key: [round(part, 2) for part in activity.get(key) or []] for key in ("start_latlng", "end_latlng")}
    return activity | rounded


def event_of_edit(scopes: Scopes, before: dict[str, Any], after: dict[str, Any]) -> tuple[str, dict[str, str]] | None:
    """Return the aspect type and updates that Strava sends for an edit, or None when it sends nothing.

    Only title, type and privacy are told. Without `activity:read_all` hiding looks like a delete and showing like a
    create. https://developers.strava.com/docs/webhooks/
    """
    if not reads_activities(scopes):
        return None
    flipped = bool(before.get("private")) != bool(after.get("private"))
    if ACTIVITY_ALL not in scopes:
        if flipped:
            return ("delete", {}) if after.get("private") else ("create", {})
        if after.get("private"):
            return None
    updates = {}
    if before.get("name") != after.get("name"):
        updates["title"] = str(after.get("name"))
    if before.get("sport_type") != after.get("sport_type"):
        updates["type"] = str(after.get("sport_type"))
    if flipped:
        updates["private"] = "true" if after.get("private") else "false"
    return ("update", updates) if updates else None
