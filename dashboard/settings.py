"""What the dashboard can be told from outside."""

from collections.abc import Mapping

from pydantic import Field, field_validator

from dashboard.units import Units
from runtime.settings import HOST, ZonedSettings, is_web_address, port_or


class DashboardSettings(ZonedSettings):
    """Settings of the dashboard."""

    dashboard_host: str = Field(
        "127.0.0.1",
        pattern=HOST,
        description="Address that the dashboard listens on; it asks for no password, so who reaches it sees the pages.",
    )
    dashboard_port: int = Field(
        default_factory=port_or(8501), ge=0, le=65535, description="Port of the dashboard's page."
    )
    dashboard_refresh_s: float = Field(
        2.0, gt=0, description="Seconds between two looks of an open page for new marts."
    )
    dashboard_viewers: Mapping[str, frozenset[int]] | None = Field(
        None,
        description=(
            'Behind Identity-Aware Proxy: who sees which athletes, as JSON such as `{"me@example.org": [1234567]}`; '
            "who is not in it sees nobody, and private activities have no name. Empty: everybody sees all."
        ),
    )
    display_units: Units = Field(
        Units.METRIC, description="Units of the pages, `metric` or `imperial`; each reader can choose others."
    )

    privacy_radius_m: float | None = Field(
        None,
        ge=0,
        description=(
            "Metres around both ends of each route that maps leave out; the page SQL, which cuts nothing, is then not "
            "there. Empty: 200 where DASHBOARD_VIEWERS is set or the page's *Shared view* is on, else none."
        ),
    )
    upload_limit_mb: int = Field(
        200,
        ge=1,
        le=4096,
        description=(
            "Most MiB of a file on the page Import, which holds it in memory; a larger one is imported by command or "
            "from the inbox."
        ),
    )
    map_style_url: str = Field(
        "",
        description=(
            "Style of a background for the Map page's interactive view, such as that of a tile server of yours. Who "
            "looks at the page tells that server their address and the area. Empty: no server is asked."
        ),
    )

    @field_validator("map_style_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not is_web_address(value):
            raise ValueError("it is no web address; write one such as https://tiles.example.org/style.json")
        return value
