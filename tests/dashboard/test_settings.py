"""The dashboard's settings: what is wrong with one is said, by the commands and on the page."""

import os
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from dashboard.__main__ import options
from dashboard.settings import DashboardSettings
from runtime.settings import settings_complaint

OPEN_THE_PAGE = """
import sys
from streamlit.testing.v1 import AppTest

page = AppTest.from_file(sys.argv[1], default_timeout=60).run()
assert not page.exception, page.exception
print(page.error[0].value)
"""


@pytest.mark.parametrize("zone", ["Nowhere/X", "../etc/passwd", "/etc/passwd", "Asia", "x" * 300, "a\0b"])
def test_a_time_zone_that_is_none_is_told_in_a_sentence(zone: str) -> None:
    """The setting is named, and what it may be; its value is not repeated."""
    with pytest.raises(ValidationError) as caught:
        DashboardSettings.model_validate({"display_timezone": zone})
    sentence = settings_complaint(caught.value)
    assert "DISPLAY_TIMEZONE" in sentence
    assert "no time zone of the IANA list; write one such as Europe/Berlin" in sentence
    assert zone not in sentence


def test_a_time_zone_is_read_by_its_name() -> None:
    """As the environment gives it, and as the program does."""
    for zone in ("Asia/Tokyo", ZoneInfo("Asia/Tokyo")):
        assert DashboardSettings.model_validate({"display_timezone": zone}).display_timezone.key == "Asia/Tokyo"


@pytest.mark.parametrize("url", ["mapbox://styles/a/b", "tiles.example.org/style.json", "https://", "http://a b/"])
def test_a_map_style_that_cannot_be_asked_is_told_in_a_sentence(url: str) -> None:
    """The setting is named, and what it may be; an address of the web, or none, is taken."""
    with pytest.raises(ValidationError) as caught:
        DashboardSettings.model_validate({"map_style_url": url})
    sentence = settings_complaint(caught.value)
    assert "MAP_STYLE_URL" in sentence
    assert "no web address; write one such as https://tiles.example.org/style.json" in sentence
    for one in ("", "http://127.0.0.1:8080/style.json"):
        assert DashboardSettings.model_validate({"map_style_url": one}).map_style_url == one


@pytest.mark.slow
def test_the_page_says_what_is_wrong_with_a_setting(tmp_path: Path, project_root: Path) -> None:
    """A page opened with a wrong time zone shows the sentence instead of a traceback."""
    told = {**os.environ, "PYTHONPATH": str(project_root), "DATA_DIR": str(tmp_path), "DISPLAY_TIMEZONE": "Nowhere/X"}
    command = [sys.executable, "-c", OPEN_THE_PAGE, str(project_root / "dashboard/main.py")]
    ended = subprocess.run(command, cwd=tmp_path, env=told, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "DISPLAY_TIMEZONE: " in ended.stdout
    assert "no time zone of the IANA list" in ended.stdout


def test_viewers_are_read_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty list of viewers is not the same as none: with it nobody sees anything."""
    for text, viewers in (
        ("", None),
        ("{}", {}),
        ('{"me@example.org": [7001]}', {"me@example.org": frozenset({7001})}),
    ):
        monkeypatch.setenv("DASHBOARD_VIEWERS", text)
        assert DashboardSettings().dashboard_viewers == viewers


def test_streamlit_is_told_where_to_listen_and_keeps_other_origins_out() -> None:
    """Streamlit's own checks of origin and of forged posts are on, and by default it listens on loopback alone."""
    told = options(DashboardSettings())
    assert told["server.enableCORS"] is told["server.enableXsrfProtection"] is True
    assert told["server.address"] == "127.0.0.1"
    told = options(DashboardSettings(dashboard_host="0.0.0.0", dashboard_port=83))  # noqa: S104 - not bound
    assert (told["server.address"], told["server.port"]) == ("0.0.0.0", 83)  # noqa: S104 - as above
