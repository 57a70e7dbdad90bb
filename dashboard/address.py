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
    if chosen not in options:
        chosen = st.session_state[key] = default
    st.selectbox(
        label, options, key=key, format_func=shown, on_change=_write, args=(key, default), label_visibility="collapsed",
        **widget,
    )  # fmt: skip
    return str(st.session_state[key])


def follow(key: str, is_valid: Callable[[str], bool], default: str) -> str:
    """Take a word from the address, else from this visit, else the default; and write it where it is not told."""
    told = st.query_params.get(key)
    if told is not None and is_valid(told):
        st.session_state[key] = told
    elif key not in st.session_state:
        st.session_state[key] = default
    chosen = str(st.session_state[key])
    if told != (None if chosen == default else chosen):
        _write(key, default)
    return chosen


def put(key: str, word: str, default: str) -> None:
    """Choose a word; for the `on_click` of a button, before the page is drawn again."""
    st.session_state[key] = word
    _write(key, default)


def _write(key: str, default: str) -> None:
    chosen = str(st.session_state[key])
    if chosen != default:
        st.query_params[key] = chosen
    elif key in st.query_params:
        del st.query_params[key]
