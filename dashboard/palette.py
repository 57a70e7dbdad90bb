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
def on_any_ground(name: str) -> str:
    """Return the colour for what cannot follow the theme: by day, by night or between, which is seen best on both."""
    day, night = (bytes.fromhex(colour(name, each)[1:]) for each in THEMES)
    between = bytes((one + other) // 2 for one, other in zip(day, night, strict=True))
    grounds = [bytes.fromhex(str(theme(each)["backgroundColor"])[1:]) for each in THEMES]
    best = max((day, night, between), key=lambda one: min(contrast(one, ground) for ground in grounds))
    return f"#{best.hex().upper()}"


def contrast(one: bytes, other: bytes) -> float:
    """Return the contrast ratio of two colours, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    low, high = sorted(_luminance(each) for each in (one, other))
    return (high + 0.05) / (low + 0.05)


def _luminance(rgb: bytes) -> float:
    parts = [part / 255 for part in rgb]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]  # noqa: PLR2004 - sRGB
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@cache
def stylesheet() -> str:
    """Return the page's one `<style>`: `style.css`, and a class `ad-<sport>` for each sport."""
    css = (files("dashboard") / "style.css").read_text(encoding="utf-8")
    sports = [f".ad-{one} {{ --c: light-dark({', '.join(colour(one, each) for each in THEMES)}); }}" for one in SPORTS]
    return "<style>\n" + css + "\n".join(sports) + "\n</style>"
