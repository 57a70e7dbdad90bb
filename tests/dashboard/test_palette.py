"""The colours can be read and told apart: contrast by WCAG 2.2 and distances by CIEDE2000, from the theme itself."""

from itertools import combinations, pairwise

import pytest

from dashboard.palette import SERIES, SPORTS, THEMES, colour, on_any_ground, stylesheet, theme
from tests.dashboard.colour_vision import VISIONS, Lab, distance, seen

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


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ],
)
def test_distances_are_those_of_the_papers_table(one: Lab, other: Lab, apart: float) -> None:
    """Pairs 1, 16, 17, 25 and 31 of Sharma, Wu and Dalal, both ways round."""
    assert distance(one, other) == pytest.approx(apart, abs=5e-5)
    assert distance(other, one) == pytest.approx(apart, abs=5e-5)


# Names that meet in one chart, and how far apart each two are at least: by day, and by night.
TOGETHER = {
    SPORTS: (15, 14),
    ("fitness", "fatigue", "form"): (12, 20),
    ("accent", "last"): (16, 18),
    ("accent", "form"): (12, 20),  # the two quantiles of a latency, whose marks differ as well
    ("good", "bad", "neutral"): (9, 20),  # each beside a word or an icon of its own
}


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("names", TOGETHER, ids=" ".join)
def test_colours_that_meet_are_told_apart(names: tuple[str, ...], vision: str) -> None:
    """By those who see no red, green or blue, too; the limits are a little under what the palette was made for."""
    for name, least in zip(THEMES, TOGETHER[names], strict=True):
        for one, other in combinations(names, 2):
            apart = distance(*(seen(colour(each, name), vision) for each in (one, other)))
            assert apart >= least, (name, one, other, apart)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("name", THEMES)
def test_neighbouring_amounts_are_told_apart(name: str, vision: str) -> None:
    """The five classes of a calendar, steps 2, 4, 6, 8 and 10."""
    steps = theme(name)["chartSequentialColors"][1::2]
    assert min(distance(seen(one, vision), seen(other, vision)) for one, other in pairwise(steps)) >= 10
