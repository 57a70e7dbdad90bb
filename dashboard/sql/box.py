"""The box: a statement out of the address, saved, of an example or typed in; it runs when the reader says so."""

from functools import cache
from importlib.resources import files

import streamlit as st

from backends.saved_queries import SavedQueries
from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartConsole, MartMissing, QueryFailed
from dashboard import address
from dashboard.card import card
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.page import Page
from dashboard.sql import saved
from dashboard.sql.question import Asking

EXAMPLES = {
    "years": N_("What each year came to"),
    "weeks": N_("Kilometres per week"),
    "longest": N_("The furthest activities"),
    "gear": N_("What gear cost"),
    "hours": N_("Hours of starts"),
}
FIRST = "years"
FOLDER = N_("What you save is a file in the folder `queries` of DATA_DIR, yours to edit and to copy.")
NO_FOLDER = N_("Nothing is saved by name where others may look, or on Google Cloud: no folder there is yours.")
POLL_S = 0.15


def draw(page: Page, console: MartConsole) -> None:
    """Draw the box and its buttons; while a question runs, the reader may cancel it."""
    tell = page.tell
    with card(page, "sql-box", tell("Question"), tell("one select over mart; nothing can be changed")):
        kept = SavedQueries(page.context.queries) if page.context.queries else None
        _choice(kept, tell)
        saved.draw_outcome("question-taken", tell)
        if "question-text" not in st.session_state:
            st.session_state["question-text"] = st.query_params.get("query") or st.session_state.get(
                "sql-kept", example(FIRST)
            )
        text = st.text_area(tell("SQL"), key="question-text", height=240, label_visibility="collapsed")
        st.session_state["sql-kept"] = text  # a widget that a page does not draw is forgotten
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            asked = st.button(tell("Run it"), key="question-run", type="primary", icon=":material/play_arrow:")
            place = st.empty()
            if kept:
                saved.draw(kept, tell)
        where = FOLDER if kept else NO_FOLDER
        st.caption(f"{tell(where)} {tell('The address keeps the question: a bookmark saves it, a link shares it.')}")
        if asked:
            address.put("query", text, example(FIRST))
        _ask(page, console, text, place, asked=asked)


@cache
def example(name: str) -> str:
    """Return a question that comes with the program."""
    return (files("dashboard") / "queries/sql" / f"{name}.sql").read_text(encoding="utf-8")


def _choice(kept: SavedQueries | None, tell: Teller) -> None:
    """Draw the choice of a question: what the reader saved, then the examples."""
    titles = {saved.OPTION.format(name): tell("Saved: {name}", name=name) for name in (kept.names() if kept else ())}
    titles |= {name: tell("Example: {title}", title=tell(title)) for name, title in EXAMPLES.items()}
    st.selectbox(
        tell("Saved questions and examples"), list(titles), index=None, placeholder=tell("Take a question …"),
        key="question-example", format_func=lambda option: titles.get(option, option), on_change=_taken, args=(kept,),
        label_visibility="collapsed",
    )  # fmt: skip


def _taken(kept: SavedQueries | None) -> None:
    option = st.session_state["question-example"]
    if option in EXAMPLES:
        st.session_state["question-text"] = example(option)
    elif option and kept:
        saved.take(kept, option.partition("/")[2])


def _ask(page: Page, console: MartConsole, text: str, place: st.delta_generator.DeltaGenerator, *, asked: bool) -> None:
    """Run what was asked; where reading is billed, tell the bytes first and ask again."""
    tell = page.tell
    try:
        size = console.bytes_of(text) if asked else None
        if size is not None:
            st.session_state["sql-billed"] = text
            place.button(tell("Read {size}", size=tell.size(size)), key="question-read")
            return
        confirmed = st.session_state.get("question-read", False) and st.session_state.pop("sql-billed", None) == text
        if asked or confirmed:
            _run(page, Asking(console.asking(text)), text, place)
    except (MartMissing, QueryFailed, WarehouseBusy) as error:
        st.session_state["sql-answer"] = (text, None, str(error), 0.0)


def _run(page: Page, asking: Asking, text: str, place: st.delta_generator.DeltaGenerator) -> None:
    """Wait for the answer. A click on Cancel, as any other, ends this run of the page at the next look."""
    try:
        place.button(page.tell("Cancel"), key="question-cancel")
        waited = st.empty()
        while not asking.is_done(POLL_S):
            waited.caption(page.tell("asking …"))
        waited.empty()
    finally:
        asking.cancel()  # of one that has ended this is nothing
    place.empty()
    st.session_state["sql-answer"] = (text, asking.answer, asking.fault, asking.milliseconds)
