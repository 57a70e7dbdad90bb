"""The languages of the pages: the texts in the code are English, `translations/<language>/*.po` have the others.

A text is marked where it stands: `tell("…")` and `tell.plural("…", "…", n)` translate at once, `N_("…")` marks a text
of a constant, which is given to `tell(…)` later. A test fails for a marked text that has no German.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "de": "Deutsch"}
SOURCE = "en"


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a text for translation, and return it as it is."""
    return text


def preferred(locale: str | None) -> str:
    """Return the language of a browser's locale, such as `de-AT`; English for one that there is not."""
    language = (locale or "").replace("_", "-").split("-")[0].lower()
    return language if language in LANGUAGES else SOURCE


def translate(text: str, language: str) -> str:
    """Return the text in a language; a text without a translation stays English."""
    found = catalogue(language).get(text)
    return found if isinstance(found, str) else text


def translate_plural(one: str, many: str, number: float, language: str) -> str:
    """Return the form of a text for a number; English and German have two, for 1 and for all others."""
    found = catalogue(language).get((one, many), (one, many))
    return translate(found[0 if number == 1 else 1], language)


@cache
def catalogue(language: str) -> Mapping[str | tuple[str, ...], str | tuple[str, ...]]:
    """Read the translations of a language, once: by the text, or by the two forms of one with a number."""
    if language == SOURCE:
        return {}
    found: dict[str | tuple[str, ...], str | tuple[str, ...]] = {}
    folder = files("dashboard") / "translations" / language
    for name in sorted(each.name for each in folder.iterdir() if each.name.endswith(".po")):
        with (folder / name).open("rb") as file:
            messages = [each for each in read_po(file, locale=language) if each.id]
        found |= {_key(each.id): _key(each.string or each.id) for each in messages}
    return found


def _key(text: str | tuple[str, ...] | list[str]) -> str | tuple[str, ...]:
    return text if isinstance(text, str) else tuple(text)
