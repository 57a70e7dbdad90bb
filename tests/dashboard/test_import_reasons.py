"""Reasons of imports in the reader's language: each sentence that a reader of files writes has its German."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dashboard.formatting import Teller
from dashboard.import_reasons import because
from strava.errors import UnreadableArchive

READERS = ("strava/archive", "strava/recordings", "worker/importing")
RAISED = {"UnreadableRecording", "UnreadableArchive", "Problem"}
NAMED = {"reason", "remarks", "doubled", "ODD_NAME", "NO_FILE", "NO_LIST", "NOT_WHOLE", "_KINDS"}
ACTIVITY = "activity"  # the one kind of FIT file that is no reason
ZONE = ZoneInfo("Europe/Berlin")
GERMAN = Teller(now=datetime(2026, 5, 4, tzinfo=UTC), zone=ZONE, language="de")


def texts(node: ast.AST | None) -> Iterator[str]:
    """Yield the sentences that an expression may be, with 7 for what it fills in."""
    match node:
        case ast.JoinedStr():
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from (*texts(node.body), *texts(node.orelse))
        case ast.List(elts=several) | ast.Dict(values=several) | ast.BoolOp(values=several):
            for each in several:
                yield from texts(each)
        case ast.DictComp():
            yield from texts(node.value)


def told_by(node: ast.AST) -> Iterator[str]:
    """Yield the reasons that a statement or a call gives: raises, notes, names, or returns."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[*_, last]) if name in RAISED:
            yield from texts(last)
        case ast.Call(func=ast.Attribute(attr="append") as func, args=[one]) if "remarks" in ast.unparse(func):
            yield from texts(one)
        case ast.Assign(targets=[ast.Name(id="_KINDS")]):
            yield from (f"not an activity: {kind}" for kind in texts(node.value) if kind != ACTIVITY)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)) if name in NAMED:
            yield from texts(node.value)
        case ast.keyword(arg="remarks"):
            yield from texts(node.value)
        case ast.FunctionDef(name=name) if name.endswith("_fault") or name == "read_xml":
            for each in ast.walk(node):
                if isinstance(each, ast.Return):
                    yield from texts(each.value)


@pytest.mark.slow
def test_each_reason_of_a_reader_has_its_german(project_root: Path) -> None:
    """As the code writes it, in whichever way: raised, noted down, named or returned."""
    paths = [path for folder in READERS for path in sorted((project_root / folder).glob("*.py"))]
    nodes = (node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    reasons = {text for node in nodes for text in told_by(node)} - {"", ": 7"}
    assert len(reasons) > 80
    assert [text for text in sorted(reasons) if because(text, GERMAN) == text] == []


@pytest.mark.parametrize(
    ("reason", "german"),
    [
        ("more than 100,000 points", "mehr als 100.000 Punkte"),
        ("cut short: line 3: not XML", "abgebrochen: Zeile 3: kein XML"),
        ("its checksum is missing; it holds a session twice", "die Prüfsumme fehlt; eine Einheit steht zweimal darin"),
        ("line 7: the id of an earlier line", "Zeile 7: die Nummer einer früheren Zeile"),
        ("not an activity: course", "keine Aktivität: Strecke zum Nachfahren"),
        ("not an activity: kind 99", "keine Aktivität: kind 99"),
        ("120700: its date cannot be read, and no file tells it",
         "120700: Das Datum ist nicht lesbar, und keine Datei nennt es"),
        ("cannot be read: No such {file}", "lässt sich nicht lesen: No such {file}"),
        ("of a later version; no times", "of a later version; keine Zeiten"),
        (str(UnreadableArchive("my export.zip", "is damaged: it does not unpack")),
         "my export.zip ist beschädigt: Es lässt sich nicht entpacken."),
        ("is of athlete 7, who was purged meanwhile; nothing of it is kept.",
         "gehört Athlet 7, der unterdessen gelöscht wurde; nichts davon bleibt."),
        ("", ""),
    ],
)  # fmt: skip
def test_a_reason_is_told_with_its_numbers_and_words(reason: str, german: str) -> None:
    """Numbers are grouped as the language does, sentences within sentences are translated; what is unknown stays."""
    assert because(reason, GERMAN) == german
    assert because(reason, Teller(now=GERMAN.now, zone=ZONE)) == reason
