"""`athlete connect`: connects an athlete, who is asked by Strava in a browser or whose refresh token is at hand."""

import asyncio
import os
import sys
import threading
import webbrowser
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import httpx
import typer
from rich.console import Console

from athlete.backends import open_store
from athlete.connect_token import connect_by_token, pending_token
from athlete.data_dir import require_pipeline, require_usable
from athlete.errors import CommandError, exit_on_error
from athlete.output import minute, say
from athlete.own_service import own_service
from athlete.ports import LOOPBACK
from athlete.programs import askable
from backends.connect.connections import Connected
from backends.connect.links import CALLBACK_PATH, ConnectLinks, Invite
from backends.engine import is_on_gcp
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now
from runtime.http_client import is_loopback, loopback_client
from runtime.logs import configure_logs
from service.settings import ServiceSettings

LIFETIME = timedelta(hours=1)
LIFETIME_FOR_OTHERS = timedelta(days=7)
LOOK_EVERY_S = 1.0
LONGEST_USE = timedelta(minutes=2)  # from the claim of an invitation to its athlete


@exit_on_error
def connect(
    *,
    invite: Annotated[
        bool, typer.Option("--invite", help="Print a link for somebody else, good once within seven days.")
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the link and wait; open nothing.")] = False,
    token: Annotated[
        bool, typer.Option("--token", help="Connect by a refresh token, which is asked for and not shown.")
    ] = False,
) -> None:
    """Connect an athlete: Strava asks them in a browser what this program may see, and they say what is missing.

    Needs STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET, and the service (athlete up; with BACKEND=gcp one on this machine
    is started for the time being). A refresh token is read from a hidden prompt (--token) or a file: athlete connect <
    token.txt. Connecting again repairs a broken token and keeps the data.
    """
    settings = ServiceSettings()
    if not settings.has_strava_app:
        raise CommandError("Set STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET (environment or .env) before connecting.")
    if token and (invite or no_browser):
        raise CommandError("Choose one: --token reads a refresh token, --invite and --no-browser print a link.")
    require_usable(settings.data_dir)
    chosen = settings.log_level if "log_level" in settings.model_fields_set else "ERROR"  # what failed is told below
    configure_logs(settings.log_format, chosen)
    wants_link = invite or no_browser
    has_token = token or not sys.stdin.isatty() or pending_token(settings).read() is not None
    if has_token and not wants_link:
        say(connect_by_token(settings))
    else:
        by_link = _connect_here if is_on_gcp(settings) else _connect_by_link
        by_link(settings, is_for_others=invite, opens_browser=not wants_link and can_open_browser())


def can_open_browser() -> bool:
    """Whether a browser would open in a window of its own: on Linux a text browser would take this terminal."""
    has_window = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return has_window or sys.platform in {"darwin", "win32"}


def _connect_here(settings: ServiceSettings, *, is_for_others: bool, opens_browser: bool) -> None:
    """Connect by a link to this machine, where the service on Google Cloud has no right to. Raises CommandError."""
    if is_for_others:
        raise CommandError(
            "BACKEND=gcp has no invitations, for the public service may only publish: have the athlete use `athlete "
            "connect` on this machine."
        )
    settings = settings.model_copy(update={"public_url": "", "service_host": LOOPBACK})
    with own_service(settings, _local_address(settings)):
        _connect_by_link(settings, is_for_others=False, opens_browser=opens_browser)


def _connect_by_link(settings: ServiceSettings, *, is_for_others: bool, opens_browser: bool) -> None:
    local = _local_address(settings)
    links = ConnectLinks(settings.strava_client_secret.get_secret_value())
    expires_at = utc_now() + (LIFETIME_FOR_OTHERS if is_for_others else LIFETIME)
    base_url = settings.public_url or local
    invite, link = links.invite(base_url, expires_at=expires_at)
    asyncio.run(_require_accepted(link.replace(base_url, local), local, way_back=f"{base_url}{CALLBACK_PATH}"))
    require_pipeline(settings)
    until = minute(invite.expires_at, DashboardSettings().display_timezone)
    say(link)
    if is_for_others:
        say(f"Good once, until {until}. `athlete athletes` shows who connected.")
        if not settings.public_url:
            say("It leads to this machine alone: for somebody elsewhere set PUBLIC_URL and make a new one.")
        return
    if opens_browser:
        threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()  # some return when it is closed
    elif not settings.public_url and is_loopback(local):
        port, host = settings.service_port, askable(settings.service_host)
        say(f"The link leads to this machine alone. From another one, first: ssh -L {port}:{host}:{port} THIS-MACHINE")
    after = "leads nowhere then" if is_on_gcp(settings) else "stays good"
    say(f"Open this link, if no browser has. Waiting until {until}; Ctrl-C ends the waiting, and the link {after}.")
    _wait(settings, invite)


def _local_address(settings: ServiceSettings) -> str:
    if not settings.service_port:
        raise CommandError("SERVICE_PORT is 0, so the service's address is not known here: set a port of its own.")
    return f"http://{askable(settings.service_host)}:{settings.service_port}"


async def _require_accepted(link: str, address: str, *, way_back: str) -> None:
    """Open the link as a browser would, which does not use it up; Strava must lead back here. Raises CommandError."""
    async with loopback_client(timeout=10) as http:
        try:
            answer = await http.get(link)
        except httpx.TransportError as error:
            raise CommandError(
                f"The service does not answer at {address}: start it with `athlete up`, and run this again. "
                "SERVICE_HOST and SERVICE_PORT say where it is."
            ) from error
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise CommandError(
            f"The service at {address} does not take the invitation (status {answer.status_code}): start it again, so "
            "that it has the same STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET as this command."
        )
    if parse_qs(urlsplit(answer.headers.get("location", "")).query).get("redirect_uri") != [way_back]:
        raise CommandError(f"The running service at {address} has another PUBLIC_URL: start it again.")


def _wait(settings: ServiceSettings, invite: Invite, *, longest_use: timedelta = LONGEST_USE) -> None:
    """Wait until the invitation has connected somebody, and say whom.

    Raises CommandError when it expires, and when its use was cut short.
    """
    try:
        with Console().status("Waiting for the athlete to authorise at Strava …"):
            connected = asyncio.run(_connected(settings, invite, longest_use))
    except KeyboardInterrupt:
        after = "leads nowhere now" if is_on_gcp(settings) else "stays good"
        say(f"The waiting has ended. The link {after}; `athlete athletes` shows who is connected.")
        return
    if connected is None:
        raise CommandError("Nobody connected in time, and the link has expired: run `athlete connect` for a new one.")
    say(str(connected))


async def _connected(settings: ServiceSettings, invite: Invite, longest_use: timedelta) -> Connected | None:
    cut_short_at: datetime | None = None
    made_at = invite.expires_at - LIFETIME  # an older row is of an earlier connect
    async with open_store(settings, read_only=True) as store:
        while (now := utc_now()) < invite.expires_at:
            use = await store.invite_use(invite.invite_id)
            connected_since = [each for each in await store.athletes() if each.updated_at >= made_at]
            found = [each for each in connected_since if use is not None and each.athlete_id == use.athlete_id]
            if found:
                return Connected(athlete_id=found[0].athlete_id, scope=found[0].scope, taken_up=0)
            cut_short_at = (cut_short_at or now + longest_use) if use is not None else None
            if cut_short_at is not None and now >= cut_short_at:
                raise CommandError("The connection was begun, but it was cut short; run `athlete connect` again.")
            await asyncio.sleep(LOOK_EVERY_S)
    return None
