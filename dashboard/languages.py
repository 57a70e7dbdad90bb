"""The languages of the pages: the texts in the code are English, `translations/<language>.po` has the others.

A text is marked where it stands: `tell("…")` and `tell.plural("…", "…", n)` translate at once, `N_("…")` marks a text
of a constant, which is given to `tell(…)` later. A test fails for a marked text that has no German.
"""

from functools import cache
from importlib.resources import files

from babel.messages.catalog import Catalog
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
    message = None if language == SOURCE else catalogue(language).get(text)
    return str(message.string) if message and message.string else text


def translate_plural(one: str, many: str, number: float, language: str) -> str:
    """Return the form of a text for a number; English and German have two, for 1 and for all others."""
    message = None if language == SOURCE else catalogue(language).get((one, many))
    found = message.string if message else None
    singular, plural = found if isinstance(found, tuple) and all(found) else (one, many)
    return singular if number == 1 else plural


@cache
def catalogue(language: str) -> Catalog:
    """Read the translations of a language, once."""
    with (files("dashboard") / "translations" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)
