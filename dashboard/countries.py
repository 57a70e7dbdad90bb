"""How countries are called in the reader's language: https://babel.pocoo.org/ has the names of Unicode's CLDR."""

from babel import Locale

from dashboard.formatting import Teller


def title(code: str, tell: Teller) -> str:
    """Return the country of a code of ISO 3166-1 in words; one that Babel does not know keeps its code."""
    return str(Locale(tell.language).territories.get(code, code))
