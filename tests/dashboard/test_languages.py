"""The languages of the pages: each text of the code has its German, and says the same names and marks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.languages import LANGUAGES, SOURCE, catalogue, translate, translate_plural

Text = str | tuple[str, ...]
SHOWN = {"caption", "code", "error", "info", "markdown", "metric", "success", "text", "title", "warning", "write"}
AS_IT_IS = {"SQL"}


def constants(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an argument may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)


def calls(root: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call of the dashboard's code by the name that is called."""
    for path in sorted((root / "dashboard").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node


def marked(root: Path) -> set[Text]:
    """Return the texts of the code that a reader sees."""
    texts: set[Text] = set()
    for name, node in calls(root):
        if name in {"tell", "self", "N_"} and node.args:
            texts |= set(constants(node.args[0]))
        elif name == "plural" and all(isinstance(each, ast.Constant) for each in node.args[:2]):
            one, many = (str(text) for each in node.args[:2] for text in constants(each))
            texts.add((one, many))
    return texts


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != SOURCE])
def test_every_text_is_translated_and_no_translation_is_left_over(project_root: Path, language: str) -> None:
    """What is missing is named, and so is what no code says any more."""
    texts, found = marked(project_root), catalogue(language)
    assert len(texts) > 100
    assert texts - set(found) == set(), "add them to dashboard/translations"
    assert set(found) - texts == set(), "remove them from dashboard/translations"


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != SOURCE])
def test_a_translation_fills_in_the_same_names_and_keeps_commands_and_addresses(language: str) -> None:
    """No `{name}` is lost or misspelt, and what is to be typed is the same in every language."""
    kept = re.compile(r"\{\w*\}|`athlete[^`]*`|https?://[\w./]+\w|[A-Z]+_[A-Z]+")
    for source, translated in catalogue(language).items():
        pairs = [(source, translated)] if isinstance(source, str) else list(zip(source, translated, strict=True))
        for text, other in pairs:
            assert sorted(kept.findall(str(other))) == sorted(kept.findall(str(text))), text
            assert str(other).count("**") == str(text).count("**"), text


@pytest.mark.slow
def test_no_text_goes_to_the_page_untranslated(project_root: Path) -> None:
    """Streamlit is never given a sentence of the code as it stands."""
    raw = {
        text
        for name, node in calls(project_root)
        if name in SHOWN and node.args and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "st"
        for text in constants(node.args[0])
        if re.search(r"[A-Za-z]{2}", text)
    }
    assert raw - AS_IT_IS == set()


def test_a_text_without_a_translation_stays_as_it_is() -> None:
    """An unknown text is shown in English; forms with a number go by 1 and the others."""
    assert translate("No such text.", "de") == "No such text."
    assert [translate_plural("{n} row", "{n} rows", n, "de") for n in (0, 1, 2)] == [
        "{n} Zeilen",
        "{n} Zeile",
        "{n} Zeilen",
    ]
    assert [translate_plural("{n} x", "{n} xs", n, "de") for n in (1, 2)] == ["{n} x", "{n} xs"]
