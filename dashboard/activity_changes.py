"""Rows of `change_log` in words: what an edit changed, from what to what."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from dashboard import sport_types
from dashboard.formatting import NOTHING, Teller
from dashboard.languages import N_
from dashboard.links import import_link
from dashboard.mart import Row
from dashboard.page import Page

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
# Strava's values in words, as its forms say them; 0 and 10 are no particular kind of run or ride.
WORDS = {
    "workout_type": {
        "0": NOTHING, "1": N_("race"), "2": N_("long run"), "3": N_("workout"),
        "10": NOTHING, "11": N_("race"), "12": N_("workout"),
    },
    "visibility": {
        "everyone": N_("everyone"), "followers_only": N_("followers"), "only_me": N_("the athlete alone"),
    },
}  # fmt: skip
ENTERED = frozenset({"name", "description", "perceived_exertion"})  # by the athlete
SOURCES = {"reconcile": N_("found by the daily check")}


def gear_names(page: Page, changes: Sequence[Row]) -> dict[str, str]:
    """Return the names of the athlete's gear by id; asked only where a change is of gear. Without a name there is none.

    Raises MartMissing, QueryFailed, WarehouseBusy.
    """
    if not any(row["changed_field"] == "gear_id" for row in changes):
        return {}
    pieces = page.rows("gear/usage", page.athlete_id)
    return {row["gear_id"]: row["gear_name"] for row in pieces if row["gear_name"] not in {None, row["gear_id"]}}


def told(row: Row, tell: Teller, *, gear: Mapping[str, str] | None = None, is_shared: bool = False) -> str:
    """Say what a row tells, as plain text: a value before and after, or what became of the activity.

    `gear` are names by id. Where others may look, what the athlete entered is not repeated: it may have been private
    then. A value for which there are no words is left out.
    """
    if row["change_kind"] != "changed":
        return tell(KINDS[row["change_kind"]])
    field = row["changed_field"]
    name = tell(FIELDS[field]) if field in FIELDS else field
    old, new = (value(field, row[each], tell, gear or {}) for each in ("old_value", "new_value"))
    if old is None or new is None or (is_shared and field in ENTERED):
        return tell("{field} changed", field=name)
    return tell("{field}: {old} → {new}", field=name, old=old, new=new)


def told_html(row: Row, tell: Teller, *, gear: Mapping[str, str] | None = None, is_shared: bool = False) -> str:
    """Say the same as HTML; what an import brought leads to its report."""
    text = told(row, tell, gear=gear, is_shared=is_shared)
    return import_link(row["import_id"], text) if row["import_id"] is not None else escape(text)


def value(field: str, sent: str | None, tell: Teller, gear: Mapping[str, str]) -> str | None:
    """Say a value in the reader's words and units; None for one without a word.

    What cannot be read as a number or a moment stays as Strava sent it.
    """
    if sent is None or sent == "":
        return NOTHING
    if field == "gear_id":
        return gear.get(sent)
    if field in WORDS:
        word = WORDS[field].get(sent)
        return word and tell(word)
    try:
        text = SHOWN[field](sent, tell) if field in SHOWN else sent
    except ValueError:
        text = sent
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _yes_or_no(sent: str, tell: Teller) -> str:
    return {"true": tell("yes"), "false": tell("no")}.get(sent, sent)


def _wall_clock(sent: str, tell: Teller) -> str:
    at = datetime.fromisoformat(sent)  # Strava writes Z, in the local one as well
    return tell.local(at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at, "date")


SHOWN: Mapping[str, Callable[[str, Teller], str]] = {
    "sport_type": sport_types.title,
    "start_date": _wall_clock,
    "start_date_local": _wall_clock,
    "distance": lambda metres, tell: tell.distance(float(metres), 2),
    "moving_time": lambda seconds, tell: tell.clock(float(seconds)),
    "elapsed_time": lambda seconds, tell: tell.clock(float(seconds)),
    "total_elevation_gain": lambda metres, tell: tell.elevation(float(metres)),
    "suffer_score": lambda score, tell: tell.number(float(score)),
    "perceived_exertion": lambda score, tell: tell.number(float(score)),
    **dict.fromkeys(("private", "commute", "trainer", "manual", "flagged"), _yes_or_no),
}
