"""Rows of `change_log` in words: what an edit changed, from what to what."""

from collections.abc import Callable, Mapping

from dashboard import sport_types
from dashboard.formatting import NOTHING, Teller
from dashboard.languages import N_
from dashboard.mart import Row

LONGEST = 80  # letters of a value
KINDS = {
    "added": N_("new"),
    "deleted": N_("deleted on Strava"),
    "restored": N_("back after a deletion"),
    "imported": N_("imported from your own files"),
}
FIELDS = {
    "name": N_("title"),
    "sport_type": N_("sport"),
    "workout_type": N_("kind of workout"),
    "start_date": N_("start in UTC"),
    "start_date_local": N_("start"),
    "timezone": N_("time zone"),
    "distance": N_("distance"),
    "moving_time": N_("time in motion"),
    "elapsed_time": N_("time from start to stop"),
    "total_elevation_gain": N_("climb"),
    "gear_id": N_("gear"),
    "private": N_("private"),
    "visibility": N_("visibility"),
    "commute": N_("commute"),
    "trainer": N_("indoors"),
    "manual": N_("typed in by hand"),
    "flagged": N_("flagged"),
    "suffer_score": N_("Relative Effort"),
    "description": N_("description"),
    "perceived_exertion": N_("perceived exertion"),
}
SHOWN: Mapping[str, Callable[[float, Teller], str]] = {
    "distance": lambda metres, tell: tell.distance(metres, 2),
    "moving_time": lambda seconds, tell: tell.clock(seconds),
    "elapsed_time": lambda seconds, tell: tell.clock(seconds),
    "total_elevation_gain": lambda metres, tell: tell.elevation(metres),
    "suffer_score": lambda score, tell: tell.number(score),
}
WRITTEN = frozenset({"name", "description"})
SOURCES = {"reconcile": N_("found by the daily check")}


def told(row: Row, tell: Teller, *, is_shared: bool = False) -> str:
    """Say what a row tells, as plain text: a value before and after, or what became of the activity.

    Where others may look, what the athlete wrote is not repeated: the activity may be private.
    """
    if row["change_kind"] != "changed":
        return tell(KINDS[row["change_kind"]])
    field = row["changed_field"]
    name = tell(FIELDS[field]) if field in FIELDS else field
    if is_shared and field in WRITTEN:
        return tell("{field} changed", field=name)
    return tell(
        "{field}: {old} → {new}", field=name, old=value(field, row["old_value"], tell),
        new=value(field, row["new_value"], tell),
    )  # fmt: skip


def value(field: str, sent: str | None, tell: Teller) -> str:
    """Say a value in the reader's units; what cannot be read as a number stays as Strava sent it."""
    if sent is None or sent == "":
        return NOTHING
    if sent in {"true", "false"}:
        return tell("yes") if sent == "true" else tell("no")
    if field == "sport_type":
        return sport_types.title(sent, tell)
    if field in SHOWN:
        try:
            return SHOWN[field](float(sent), tell)
        except ValueError:
            return sent
    return sent if len(sent) <= LONGEST else f"{sent[:LONGEST]}…"
