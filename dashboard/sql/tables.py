"""The tables beside the box: what each mart and each of its columns is."""

from html import escape
from pathlib import Path

import streamlit as st

from dashboard.card import Why, card
from dashboard.mart import Row
from dashboard.page import Page


def draw(page: Page) -> None:
    """Draw one table's columns; which table, the reader picks."""
    tell = page.tell
    with card(page, "sql-tables", tell("Tables"), tell("of mart")) as opened:
        rows = opened.rows("sql/documentation")
        models = list(dict.fromkeys(row["model"] for row in rows))
        if not models:
            return
        first = models.index("fct_activities") if "fct_activities" in models else 0
        model = st.selectbox(tell("Table"), models, index=first, key="sql-table", label_visibility="collapsed")
        own = [row for row in rows if row["model"] == model]
        st.caption(next((row["description"] for row in own if not row["column_name"]), ""))
        with st.container(key="sql-columns", height=420, border=False):
            st.html(f'<ul class="ad-list">{"".join(_item(row) for row in own if row["column_name"])}</ul>')
        _offer_documents(page)
        opened.why = Why(
            formula=tell("What a table and a column is, in English, as the models of this version describe it."),
            models=["documentation"],
        )


def _item(row: Row) -> str:
    return f"<li><code>{escape(row['column_name'])}</code><small>{escape(row['description'])}</small></li>"


def _offer_documents(page: Page) -> None:
    """Offer dbt's own pages where `athlete docs` has written them."""
    path = page.context.documents
    if path is None:
        return
    if path.is_file():
        st.download_button(
            page.tell("dbt's pages: SQL, tests and lineage of every model"), lambda: _read(path), "docs.html",
            mime="text/html", key="sql-documents", on_click="ignore", type="tertiary",
        )  # fmt: skip
    else:
        st.caption(page.tell("`athlete docs` writes dbt's pages: SQL, tests and lineage of every model."))


def _read(path: Path) -> bytes:
    return path.read_bytes()
