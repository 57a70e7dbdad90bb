"""The dashboard's composition root, run by `streamlit run`: the only file that reads settings and picks the adapter."""

from pathlib import Path

import streamlit as st
from pydantic import ValidationError

from backends.warehouse.duckdb.marts import DuckdbMartReader
from dashboard import navigation
from dashboard.context import PageContext
from dashboard.mart import Mart
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now
from runtime.settings import settings_complaint


@st.cache_resource(show_spinner=False)
def open_mart(path: Path) -> Mart:
    """Open the published marts once for all sessions."""
    return Mart(DuckdbMartReader(path))


def main() -> None:
    """Show the pages that the environment asks for."""
    try:
        settings = DashboardSettings()
    except (ValidationError, UnicodeDecodeError) as error:
        st.error(settings_complaint(error))
        return
    context = PageContext(
        mart=open_mart(settings.mart_path),
        zone=settings.display_timezone,
        refresh_s=settings.dashboard_refresh_s,
        clock=utc_now,
        viewers=settings.dashboard_viewers,
    )
    navigation.show(context)


if __name__ == "__main__":
    main()
