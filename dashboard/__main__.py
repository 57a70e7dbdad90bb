"""Starts the dashboard: Streamlit on our pages, at the address and port of the settings."""

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path

from pydantic import ValidationError
from starlette.middleware import Middleware
from streamlit.starlette import App

from dashboard.document import Documents
from dashboard.settings import DashboardSettings
from runtime.settings import settings_complaint


def options(settings: DashboardSettings) -> dict[str, object]:
    """Return Streamlit's options, which go before its environment and its files."""
    return {
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,  # it names this machine's address on the internet, and asks for it there
        "server.address": settings.dashboard_host,
        "server.enableCORS": True,  # no page of another origin opens a session
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": settings.upload_limit_mb,
        "server.port": settings.dashboard_port,
    }


def main() -> None:
    """Start the program."""
    told = "Settings come from the environment, then from .env; the README lists every one."
    ArgumentParser(prog="python -m dashboard", description=__doc__, epilog=told).parse_args()
    try:
        settings = DashboardSettings()
    except (ValidationError, UnicodeDecodeError) as error:
        sys.exit(f"dashboard: {settings_complaint(error)}")
    for each in (signal.SIGINT, signal.SIGTERM):  # once the server has ended it raises the signal again
        signal.signal(each, lambda *_: sys.exit(0))
    App(Path(__file__).with_name("main.py"), middleware=[Middleware(Documents)]).run(config=options(settings))


if __name__ == "__main__":
    main()
