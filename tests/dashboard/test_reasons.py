"""Why something waits or failed, in the reader's language: each word of the backend has its sentence."""

import ast
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backends.queue.envelope import UnreadableEnvelope
from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from dashboard import pipeline_status, reasons
from dashboard.formatting import Teller
from strava import errors
from strava.events import UnreadableEvent
from tests.dashboard.conftest import NOW
from worker.reason_kinds import OWN_FAULT, kind_of

GERMAN = Teller(now=NOW, zone=ZoneInfo("Europe/Berlin"), language="de")
OTHERS = (TokensUnavailable, WarehouseBusy, UnreadableEvent, UnreadableEnvelope)
# Never raised themselves, or by what reads files, of which no reason of these is made.
NO_REASON = {errors.Retryable, errors.Refused, errors.UnreadableArchive}


def below(kind: type[Exception]) -> Iterator[type[Exception]]:
    """Yield every class that derives from it in the tree of errors."""
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
        yield from below(each)


def written(root: Path) -> set[str]:
    """Return the words that the code gives itself: to what is tried later, parked, or put off."""
    found: set[str] = set()
    for path in sorted(each for room in ("worker", "athlete", "backends") for each in (root / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            first = node.args[:1] if node.func.id in {"TryLater", "_parked"} else []
            named = [each.value for each in node.keywords if each.arg == "reason_kind"]
            named += [each.value for each in node.keywords if each.arg == "kind" and node.func.id == "Result"]
            values = [each.value for each in (*first, *named) if isinstance(each, ast.Constant)]
            found |= {value for value in values if isinstance(value, str)}
    return found


@pytest.mark.slow
def test_every_word_has_its_sentence(project_root: Path) -> None:
    """Those of errors that end a delivery, a check or a history, and those that the code writes; none is left over."""
    of_errors = {kind_of(Exception.__new__(each)) for each in {*below(errors.StravaError), *OTHERS} - NO_REASON}
    assert {"rate_limited", "app_inactive", "unreadable_envelope"} <= of_errors
    assert {"not_shown_yet", "unknown_athlete", "taken_up", "replayed", "foreign_activity"} <= written(project_root)
    assert of_errors | written(project_root) | {OWN_FAULT, "never_finished"} == set(reasons.REASONS)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            {"result": "incomplete", "unreadable_count": 1, "left_count": 12, "stopped_kind": "rate_limited"},
            (
                "1 Eintrag in Stravas Liste war nicht lesbar oder gehört einem anderen Sportler. 12 Abweichungen sind "
                "noch nicht behoben. Die Aufrufe, die Strava dafür erlaubt, sind verbraucht."
            ),
        ),
        (
            {"result": "incomplete", "unreadable_count": 0, "left_count": 0, "stopped_kind": None},
            "Keine Zeile weicht ab, aber die Liste änderte sich beim Lesen; die nächste Prüfung sagt mehr.",
        ),
        (
            {"result": "cut_short", "stopped_kind": "warehouse_busy", "reason": "It is busy."},
            "Stravas Liste wurde nicht zu Ende gelesen. Das Warehouse ist beschäftigt.",
        ),
        ({"result": "cut_short", "stopped_kind": None, "reason": "No answer."}, "No answer."),
        ({"result": "cut_short", "stopped_kind": "new_word", "reason": "No *answer*."}, r"No \*answer\*."),
        ({"result": "complete", "reason": None}, ""),
    ],
)
def test_a_run_says_why_in_the_readers_language(row: dict[str, Any], sentence: str) -> None:
    """With its numbers; a row of an older version, or a word that the page does not know, has the backend's words."""
    assert reasons.of_run(row, GERMAN) == sentence


def test_what_waits_says_why_in_the_readers_language() -> None:
    """A deferred event, the history and the refused app; no word of the English sentence is left."""
    at = datetime.fromisoformat("2026-11-18T19:45:00")
    event = {"wait_kind": "deferred", "reason_kind": "unreachable", "reason": "English.", "event_count": 1,
             "is_unassigned": False, "oldest_at": at, "first_retry_at": at, "last_retry_at": at}  # fmt: skip
    [waiting] = pipeline_status.waits({"queued_count": 0}, [event], GERMAN)
    assert "Strava ist nicht erreichbar; prüfe das Netz und STRAVA_API_URL, oder warte." in waiting
    closed = {"closed_until": None, "lapsed_since": at, "closed_kind": "app_inactive", "closed_because": "English."}
    assert "Strava nennt die App inaktiv" in pipeline_status.refusal(closed, GERMAN)
    backfill = {"has_details": True, "has_streams": False, "failed_count": 0, "retry_at": None, "finished_at": None,
                "started_at": at, "listed_at": at, "expected_at": None, "waits_because": "English.",
                "waits_kind": "rate_limited", "waits_until": None}  # fmt: skip
    history = pipeline_status.history({"detailed_count": 1, "activity_count": 2}, backfill, [], GERMAN)
    assert history.endswith("Die Aufrufe, die Strava dafür erlaubt, sind verbraucht.")
    assert "English" not in waiting + history
