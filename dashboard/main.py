"""The dashboard's composition root, run by `streamlit run`: the only file that reads settings and opens the marts."""

import streamlit as st
from pydantic import ValidationError

from backends.engine import built_every, is_on_gcp
from backends.engine.marts import open_marts
from dashboard import navigation
from dashboard.context import PageContext
from dashboard.mart import Mart
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now
from runtime.settings import PartMissing, settings_complaint


@st.cache_resource(show_spinner=False, hash_funcs={DashboardSettings: DashboardSettings.model_dump_json})
def open_mart(settings: DashboardSettings) -> Mart:
    """Open the published marts once for all sessions. Raises PartMissing."""
    return Mart(open_marts(settings))


def main() -> None:
    """Show the pages that the environment asks for."""
    try:
        settings = DashboardSettings()
        mart = open_mart(settings)
    except (ValidationError, UnicodeDecodeError) as error:
        st.error(settings_complaint(error))
        return
    except PartMissing as error:
        st.error(str(error))
        return
    context = PageContext(
        mart=mart,
        zone=settings.display_timezone,
        refresh_s=settings.dashboard_refresh_s,
        clock=utc_now,
        built_every=built_every(settings),
        units=settings.display_units,
        engine="BigQuery" if is_on_gcp(settings) else "DuckDB",
        viewers=settings.dashboard_viewers,
        privacy_radius_m=settings.privacy_radius_m,
        inbox=None if is_on_gcp(settings) or settings.dashboard_viewers is not None else settings.inbox_path,
        map_style_url=settings.map_style_url,
    )
    navigation.show(context)


if __name__ == "__main__":
    main()
