"""What an import of the athlete's own files came to, in words."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from html import escape

from dashboard import import_reasons
from dashboard.card import Why
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.links import import_link
from dashboard.mart import Row

ACTIVITIES = {"new": N_("{n} new"), "known": N_("{n} known before")}
ROWS = {
    "new": N_("{n} new"),
    "updated": N_("{n} changed"),
    "same_id": N_("{n} known before"),
    "skipped": N_("{n} deleted at Strava since"),
    "unreadable": N_("{n} unreadable"),
    "open": N_("{n} to come"),
}
FILES = {
    "read": N_("{n} read"),
    "cut_short": N_("{n} cut short (kept to the break)"),
    "same_file": N_("{n} stored before"),
    "skipped": N_("{n} of no activity"),
    "failed": N_("{n} failed"),
    "open": N_("{n} to come"),
}
NOT_WANTED = N_("{n} not wanted")
STATUSES = {
    "running": N_("running"), "finished": N_("finished"), "stopped": N_("stopped"), "failed": N_("failed"),
}  # fmt: skip
OUTCOMES = {
    "failed": N_("failed"), "skipped": N_("of no activity"), "cut_short": N_("cut short"),
    "unreadable": N_("unreadable"), "read": N_("read"), "same_file": N_("stored before"), "new": N_("new"),
    "same_id": N_("known before"), "updated": N_("changed"),
}  # fmt: skip
KEYS = {
    "same_upload": N_("by the upload's number"),
    "same_recording": N_("by the device that made both"),
    "same_name": N_("by the file's name"),
    "alike": N_("by start, length and place"),
}

SUSPECTS = {
    "suspect_time_zone": N_("read, alike but for whole quarter hours, and not joined (is a clock wrong?)"),
    "overlaps": N_("read, at the same time as another activity, and not joined"),
}


def head(row: Row, tell: Teller) -> str:
    """Name the import, when it began and how it stands, as HTML that leads to its report."""
    told = [tell.minute(row["started_at"]), tell(str(STATUSES.get(row["status"], row["status"])))]
    if row["exported_at"]:
        told.append(tell("as of {day}", day=tell.day(tell.here(row["exported_at"]).date())))
    name = import_link(row["import_id"], row["source_name"])
    return f'<span lang="{tell.language}"><b>{name}</b> · {escape(" · ".join(told))}</span>'


def counts(row: Row, tell: Teller) -> list[str]:
    """Tell the activities, rows and files by what became of them, and what is not looked at.

    Rows and files add up to what there is.
    """
    told = []
    if all_of_them := int(row["activity_new_count"] + row["activity_known_count"]):
        total = tell.plural("{n} activity", "{n} activities", all_of_them)
        told.append(f"{total}: {_by_outcome(row, 'activity', ACTIVITIES, tell)}")
    if row["row_count"]:
        total = tell.plural("{n} row", "{n} rows", row["row_count"])
        told.append(f"{total}: {_by_outcome(row, 'row', ROWS, tell)}")
    if row["file_count"]:
        total = tell.plural("{n} file", "{n} files", row["file_count"])
        told.append(f"{total}: {_by_outcome(row, 'file', FILES, tell)}")
    if row["media_count"] or row["other_count"]:
        unread = {"media": tell.number(row["media_count"]), "others": tell.number(row["other_count"])}
        told.append(tell("Not looked at: {media} photos and videos, {others} other files", **unread))
    return told


def _by_outcome(row: Row, kind: str, words: dict[str, str], tell: Teller) -> str:
    found = {outcome: int(row[f"{kind}_{outcome}_count"]) for outcome in words}
    words = words | {"open": NOT_WANTED} if row["status"] == "finished" else words
    return " · ".join(tell(words[outcome], n=tell.number(number)) for outcome, number in found.items() if number)


def progress(row: Row, tell: Teller) -> tuple[float, str] | None:
    """Return how far a running import is, from 0 to 1, and in words with its end as it goes on; None of others."""
    if row["status"] != "running":
        return None
    of = row["row_count"] + row["file_count"]
    done = of - row["row_open_count"] - row["file_open_count"]
    files_done = row["file_count"] - row["file_open_count"]
    told = tell("{done} of {of} rows and files are done.", done=tell.number(done), of=tell.number(of))
    took = row["updated_at"] - row["started_at"]
    if files_done and row["file_open_count"] and took > timedelta(0):
        ends_at = row["updated_at"] + took * (row["file_open_count"] / files_done)
        told += " " + tell("At this pace it ends {when}.", when=tell.about(ends_at))
    return (done / of if of else 0.0), told


def items(rows: Iterable[Row], tell: Teller) -> list[dict[str, str]]:
    """One row of the table per problem, and per file that was not read whole, is doubtful, or has a twin."""
    return [
        {
            tell("File"): row["file_name"] or (str(row["activity_id"]) if row["activity_id"] else ""),
            tell("Result"): _result(row, tell),
            tell("Twin"): row["twin"] or "",
            tell("Reason"): import_reasons.because(row["reason"] or "", tell),
        }
        for row in rows
    ]


def _result(row: Row, tell: Teller) -> str:
    if row["item_kind"] == "problem":
        return tell("left out or doubtful")
    if row["item_kind"] == "suspect":
        return tell(str(SUSPECTS.get(row["outcome"], row["outcome"])))
    told = tell(str(OUTCOMES.get(row["outcome"], row["outcome"])))
    if (key := row["matched_by"]) in KEYS:
        told += ", " + tell("matched {key}", key=tell(KEYS[key]))
    return told


def why(rows: Sequence[Row], tell: Teller) -> Why:
    """What the numbers of an import count; the newest is the first of the rows."""
    newest = [tell("Of the newest import: {counts}.", counts="; ".join(counts(row, tell))) for row in rows[:1]]
    return Why(
        formula=tell(
            "**Each row of the export's list and each recording has one outcome**, so the outcomes add up to the rows "
            "and the files."
        ),
        inputs=newest,
        excluded=[tell("Photos, videos and what else is personal: it is not opened.")],
        models=["import", "import_item", "import_suspect"],
    )
