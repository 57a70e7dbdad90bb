"""The questions that the reader saves by name: taken again in the choice of the box, written over, and deleted."""

import logging
from collections.abc import Callable

import streamlit as st

from backends.saved_queries import LONGEST, SavedQueries, is_name
from dashboard import empty_states
from dashboard.formatting import Teller, plain
from dashboard.languages import N_

LOG = logging.getLogger(__name__)
OPTION = "saved/{}"  # in the choice, beside the examples
NAME = N_("A name has letters, digits and underscores, and within it spaces and hyphens.")


def take(saved: SavedQueries, name: str) -> None:
    """Put what is saved into the box, and its name where it is saved again; in a callback."""

    def taken() -> None:
        st.session_state["question-text"] = saved.read(name)
        st.session_state["question-name"] = name

    _attempt("question-taken", taken)


def draw_outcome(key: str, tell: Teller) -> None:
    """Say once what became of the last click: of taking (`question-taken`) or of saving (`question-saved`)."""
    fault, told = st.session_state.pop(key, ("", ""))
    if fault:
        empty_states.warning(key, tell("The folder of saved questions refuses it."), fault)
    elif told:
        st.caption(told)


def draw(saved: SavedQueries, tell: Teller) -> None:
    """Draw what saves the question in the box under a name, writes over one, and deletes one."""
    with st.popover(tell("Save"), key="question-save", icon=":material/save:"):
        name = st.text_input(tell("Under the name"), key="question-name", max_chars=LONGEST).strip()
        before = saved.saved_as(name)
        if name and not is_name(name):
            st.caption(tell(NAME))
        with st.container(horizontal=True, gap="small"):
            st.button(
                tell("Write over {name}", name=plain(before)) if before else tell("Save it"), key="question-keep",
                type="primary", disabled=not is_name(name), on_click=_save, args=(saved, before or name, tell),
            )  # fmt: skip
            if before:
                st.button(tell("Delete it"), key="question-forget", on_click=_delete, args=(saved, before, tell))
        draw_outcome("question-saved", tell)


def _save(saved: SavedQueries, name: str, tell: Teller) -> None:
    def save() -> None:
        saved.save(name, st.session_state["question-text"])
        st.session_state["question-example"] = OPTION.format(name)

    _attempt("question-saved", save, tell("Saved as **{name}**.", name=plain(name)))


def _delete(saved: SavedQueries, name: str, tell: Teller) -> None:
    def delete() -> None:
        saved.delete(name)
        st.session_state["question-example"] = None

    _attempt("question-saved", delete, tell("**{name}** is deleted; the question stays in the box.", name=plain(name)))


def _attempt(key: str, work: Callable[[], None], told: str = "") -> None:
    """Do it in a callback, and keep what to say of it."""
    try:
        work()
    except OSError as error:
        LOG.exception("dashboard.saved_queries_failed")
        st.session_state[key] = (str(error), "")
    else:
        st.session_state[key] = ("", told)
