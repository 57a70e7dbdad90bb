"""What the cards of the Map page share: what is asked, whether others look on, and how a picture is shown."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import address, formatting, map_picture
from dashboard.areas import Area
from dashboard.map_picture import Frame
from dashboard.mart import Row, Rows
from dashboard.page import Page
from dashboard.units import LONG

AREA_WIDTH = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The filters' days and sport as the page's queries take them, and what is hidden for privacy."""

    page: Page
    is_shared: bool
    cut_m: float

    @property
    def asked(self) -> tuple[object, ...]:
        """First and last day, and the sport twice."""
        asked = self.page.filters
        return asked.first, asked.last, asked.sport, asked.sport

    def rows(self, query: str, *before: object) -> Rows:
        """Ask a query of this page that leaves out private activities where others look on."""
        return self.page.rows(query, self.page.athlete_id, *before, *self.asked, not self.is_shared)

    @property
    def hidden(self) -> Row:
        """How many routes are left out."""
        return self.page.rows("map/hidden", self.page.athlete_id, *self.asked)[0]

    def left_out(self) -> str:
        """Say how many routes are left out."""
        return self.page.tell(
            "Left out: {private} private and {virtual} virtual routes.",
            private=self.page.tell.number(self.hidden["private_count"] if self.is_shared else 0),
            virtual=self.page.tell.number(self.hidden["virtual_count"]),
        )


def pick_area(page: Page, found: Sequence[Area]) -> Area:
    """Draw the choice of an area, where there are several; the one with the most routes until another is chosen."""
    if len(found) == 1:
        return found[0]
    by_word = {area.word: area for area in found}
    words = list(by_word)
    chosen = address.pick(
        "area", words, words[0], page.tell("Area"), lambda word: by_word[word].title(page.tell), width=AREA_WIDTH
    )
    return by_word[chosen]


def say_hidden(choice: Choice, *, is_cut: bool = True) -> None:
    """Say what is hidden for privacy; `is_cut` says that lines are shown, whose ends are cut."""
    tell, said = choice.page.tell, []
    if choice.is_shared:
        count = choice.hidden["private_count"]
        said.append(
            tell.plural(
                "{n} private activity is not on this map.", "{n} private activities are not on this map.", count
            )
        )
    if choice.cut_m and is_cut:
        radius = tell.elevation(choice.cut_m)
        said.append(tell("{radius} around both ends of each route are cut.", radius=radius))
    if said:
        st.caption(" ".join(said))


def show_picture(page: Page, key: str, numbers: map_picture.Numbers, frame: Frame, finding: str) -> None:
    """Show a picture by day and by night, of which the style sheet leaves one."""
    tell = page.tell
    unit = LONG[tell.units].size
    metres = map_picture.round_number(frame.metres / 5 / unit) * unit
    title = tell.distance(metres, 0 if metres >= unit else 2).replace(formatting.NARROW, " ")
    with st.container(key=f"picture-{key}", gap=None):
        for name, picture in map_picture.pictures(numbers, frame, (metres, title)).items():
            with st.container(key=f"map-{name}"):
                st.image(picture, width="stretch", alt=finding)
