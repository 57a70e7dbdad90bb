"""The colours by their names: what a name looks like by day and by night stands once, in `.streamlit/config.toml`."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

SPORTS = ("run", "ride", "swim", "walk", "winter", "water", "strength", "other")
# The order of the theme's `chartCategoricalColors`: a chart whose scale has this domain needs no colour of its own.
SERIES = (*SPORTS, "fitness", "fatigue", "form", "accent", "good", "bad", "neutral", "last")
THEMES = ("light", "dark")


@cache
def theme(name: str) -> dict[str, Any]:
    """Return Streamlit's options of the theme `light` or `dark`."""
    text = (files("dashboard") / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    options: dict[str, Any] = tomllib.loads(text)["theme"][name]
    return options


def colour(name: str, theme_name: str) -> str:
    """Return the colour `#RRGGBB` of a name of SERIES."""
    return str(theme(theme_name)["chartCategoricalColors"][SERIES.index(name)])


@cache
def stylesheet() -> str:
    """Return the page's one `<style>`: `style.css`, and a class `ad-<sport>` for each sport."""
    css = (files("dashboard") / "style.css").read_text(encoding="utf-8")
    sports = [f".ad-{one} {{ --c: light-dark({', '.join(colour(one, each) for each in THEMES)}); }}" for one in SPORTS]
    return "<style>\n" + css + "\n".join(sports) + "\n</style>"
