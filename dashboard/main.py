"""The dashboard's composition root, which Streamlit runs: the only file that reads settings and opens the marts."""

import streamlit as st
from pydantic import ValidationError

from backends.engine import built_every, is_on_gcp
from backends.engine.marts import open_mart_console, open_marts
from backends.warehouse.marts import MartConsole, MartLimits
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


@st.cache_resource(show_spinner=False, hash_funcs={DashboardSettings: DashboardSettings.model_dump_json})
def open_console(settings: DashboardSettings) -> MartConsole | None:
    """Open the marts for readers' own SQL once for all sessions.

    Athletes' rows are not told apart there and routes have their ends, so nobody asks where each reader may see some
    athletes, or where home is hidden on every map. Raises PartMissing.
    """
    is_hidden = settings.dashboard_viewers is not None or bool(settings.privacy_radius_m)
    return None if is_hidden else open_mart_console(settings, MartLimits())


def main() -> None:
    """Show the pages that the environment asks for."""
    try:
        settings = DashboardSettings()
        mart, console = open_mart(settings), open_console(settings)
    except (ValidationError, UnicodeDecodeError) as error:
        st.error(settings_complaint(error))
        return
    except PartMissing as error:
        st.error(str(error))
        return
    is_own = not is_on_gcp(settings) and settings.dashboard_viewers is None
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
        inbox=settings.inbox_path if is_own else None,
        console=console,
        own_file=settings.athlete_file_path if is_own else None,
        documents=settings.docs_path if is_own else None,
        queries=settings.queries_path if is_own else None,
        map_style_url=settings.map_style_url,
    )
    navigation.show(context)


if __name__ == "__main__":
    main()
