"""Starts the dashboard: Streamlit on our pages, at the address and port of the settings."""

import sys
from pathlib import Path

from pydantic import ValidationError
from streamlit.web import cli

from dashboard.settings import DashboardSettings
from runtime.settings import settings_complaint


def arguments(settings: DashboardSettings) -> list[str]:
    """Return Streamlit's command line, which goes before its environment and its files."""
    options = {
        "browser.gatherUsageStats": "false",
        "logger.hideWelcomeMessage": "true",  # it names this machine's address on the internet, and asks for it there
        "server.address": settings.dashboard_host,
        "server.enableCORS": "true",  # no page of another origin opens a session
        "server.enableXsrfProtection": "true",
        "server.fileWatcherType": "none",
        "server.headless": "true",
        "server.maxUploadSize": settings.upload_limit_mb,
        "server.port": settings.dashboard_port,
    }
    return ["run", str(Path(__file__).with_name("main.py")), *(f"--{name}={value}" for name, value in options.items())]


def main() -> None:
    """Start the program."""
    try:
        settings = DashboardSettings()
    except (ValidationError, UnicodeDecodeError) as error:
        sys.exit(f"dashboard: {settings_complaint(error)}")
    cli.main(arguments(settings), prog_name="streamlit")


if __name__ == "__main__":
    main()
