"""Choices that are kept in the page's address, by words that stay the same in every language.

Streamlit's own `bind="query-params"` writes the option as it is shown, so a link from a German page would not open on
an English one. A default leaves no parameter; the choice outlives a change of the page, a reload and a shared link.
"""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def pick(key: str, options: Sequence[str], default: str, label: str, shown: Callable[[str], str], **widget: Any) -> str:
    """Draw a selectbox and return the word chosen; `?<key>=<word>` chooses too, and an unknown word is left out."""
    chosen = follow(key, options.__contains__, default)
    st.selectbox(
        label, options, key=key, format_func=shown, on_change=_picked, args=(key, default),
        label_visibility="collapsed", **widget,
    )  # fmt: skip
    return chosen


def follow(key: str, is_valid: Callable[[str], bool], default: str) -> str:
    """Take a word from the address, else from this visit, else the default; and write it where it is not told.

    A widget of this key shows it. Streamlit forgets a widget that a page does not draw, and a link of the sidebar drops
    the address; the word of this visit outlives both.
    """
    told = st.query_params.get(key)
    known = (word for word in (told, st.session_state.get(_kept(key))) if word is not None and is_valid(word))
    chosen = str(next(known, default))
    st.session_state[key] = chosen
    if told != (None if chosen == default else chosen) or st.session_state.get(_kept(key)) != told:
        put(key, chosen, default)
    return chosen


def put(key: str, word: str, default: str) -> None:
    """Choose a word; for the `on_click` of a button, before the page is drawn again."""
    for place, name in ((st.query_params, key), (st.session_state, _kept(key))):
        if word != default:
            place[name] = word
        elif name in place:
            del place[name]


def _kept(key: str) -> str:
    return f"chosen-{key}"


def _picked(key: str, default: str) -> None:
    put(key, str(st.session_state[key]), default)
