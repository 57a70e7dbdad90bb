"""The colours can be read and told apart: contrast by WCAG 2.2 and distances by CIEDE2000, from the theme itself."""

import pytest

from dashboard.palette import SERIES, SPORTS, THEMES, colour, on_any_ground, stylesheet, theme

TEXTS = ("textColor", "grayTextColor", "greenTextColor", "redTextColor", "primaryColor", "linkColor")


def luminance(hexadecimal: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(hexadecimal[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", THEMES)
def test_text_is_read_on_page_and_surface(name: str) -> None:
    """4.5 : 1 and more, as WCAG's level AA asks; a badge's text too, on the badge."""
    options = theme(name)
    for background in ("backgroundColor", "secondaryBackgroundColor"):
        for text in TEXTS:
            assert contrast(options[text], options[background]) >= 4.5, (text, background)
    for badge in ("green", "red", "gray"):
        assert contrast(options[f"{badge}TextColor"], options[f"{badge}BackgroundColor"]) >= 4.5, badge


@pytest.mark.parametrize("name", THEMES)
def test_every_series_is_seen_on_the_page(name: str) -> None:
    """3 : 1 and more, as WCAG asks of graphics; there is a colour for each name and none beside."""
    colours = theme(name)["chartCategoricalColors"]
    assert len(colours) == len(SERIES)
    assert min(contrast(each, theme(name)["backgroundColor"]) for each in colours) >= 3
    assert len({colour(sport, name) for sport in SPORTS}) == len(SPORTS)


def test_a_map_without_a_theme_is_seen_by_day_and_by_night() -> None:
    """3 : 1 and more on both pages, and a colour for each sport."""
    colours = {on_any_ground(sport) for sport in SPORTS}
    assert len(colours) == len(SPORTS)
    assert min(contrast(each, theme(name)["backgroundColor"]) for each in colours for name in THEMES) >= 3


@pytest.mark.parametrize("name", THEMES)
def test_amounts_grow_in_one_direction(name: str) -> None:
    """More is darker by day and lighter by night, so that the order is seen without colour."""
    steps = [luminance(each) for each in theme(name)["chartSequentialColors"]]
    assert len(steps) == 10
    assert steps == sorted(steps, reverse=name == "light")


def test_each_sport_has_a_class_of_its_own() -> None:
    """Dots and bars of the tables have the colours of the charts, by day and by night."""
    for sport in SPORTS:
        assert f".ad-{sport} {{ --c: light-dark({colour(sport, 'light')}, {colour(sport, 'dark')}); }}" in stylesheet()
