"""`athlete connect` in a browser, with the real service and a simulator: the link, the waiting, and what is told."""

import asyncio
import os
import pty
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from athlete.connect import _require_accepted, _wait
from athlete.demo.config import CLIENT_ID, CLIENT_SECRET
from athlete.demo.simulator_client import SCOPES
from athlete.errors import CommandError
from athlete.main import app
from athlete.supervisor import free_port
from backends.connect.links import Invite
from backends.warehouse.athletes import Athlete
from backends.warehouse.sqlite.store import SqliteRawStore
from service.main import guard
from service.settings import ServiceSettings
from tests.backends.test_queue_pubsub import running_publish_server
from tests.bigquery_emulator import new_dataset
from tests.secret_manager_server import running_server
from tests.serving import serving

ATHLETE_ID = 4242424242


def settings_for(strava: str, data_dir: Path, port: int) -> dict[str, str]:
    """The settings of service and command."""
    return {
        "DATA_DIR": str(data_dir),
        "SERVICE_PORT": str(port),
        "STRAVA_API_URL": f"{strava}/api/v3",
        "STRAVA_OAUTH_URL": f"{strava}/oauth",
        "STRAVA_CLIENT_ID": CLIENT_ID,
        "STRAVA_CLIENT_SECRET": CLIENT_SECRET,
        "LOG_LEVEL": "",
        "PUBLIC_URL": "",
    }


@contextmanager
def running_service(environment: dict[str, str]) -> Iterator[None]:
    """A service with these settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        settings = ServiceSettings()

    @asynccontextmanager
    async def make() -> AsyncIterator[Any]:
        yield guard(settings)

    with serving(make, port=settings.service_port):
        yield


@pytest.fixture
async def environment(strava: str, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """The settings of a service that runs."""
    environment = settings_for(strava, tmp_path, free_port())
    with running_service(environment):
        yield environment


async def command(environment: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    """Start `athlete connect` without a terminal."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "athlete", "connect", *arguments,
        env=os.environ | environment, cwd=environment["DATA_DIR"], stdin=PIPE, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip


async def said_until(process: asyncio.subprocess.Process, words: str) -> str:
    """Read what the command says, up to the line that holds the words."""
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(60):
        while words not in said:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
    return said


def link_in(text: str) -> str:
    """The link that was printed."""
    [link] = re.findall(r"https?://\S+/connect\?invite=\S+", text)
    return str(link)


async def decide(link: str, *, decision: str) -> httpx.Response:
    """Go the way of a browser: open the link, submit Strava's page, come back."""
    async with httpx.AsyncClient(follow_redirects=True) as browser:
        page = await browser.get(link)
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        address = str(page.url.copy_with(query=None))
        return await browser.post(address, data=form | {"decision": decision, "scope": SCOPES.split(",")})


@pytest.mark.slow
async def test_the_link_is_waited_for_until_the_athlete_is_connected(environment: dict[str, str]) -> None:
    """Without a browser the link is printed, and the way to it from another machine; authorising ends the waiting."""
    process = await command(environment, "--no-browser")
    said = await said_until(process, "Waiting until")
    port = environment["SERVICE_PORT"]
    assert f"leads to this machine alone. From another one, first: ssh -L {port}:127.0.0.1:{port} " in said
    link = link_in(said)
    assert link.startswith(f"http://127.0.0.1:{environment['SERVICE_PORT']}/connect?invite=")
    assert (await decide(link, decision="deny")).status_code == 403
    assert (await decide(link, decision="allow")).status_code == 200
    output, _ = await process.communicate()
    assert output.decode().strip() == f"Connected athlete {ATHLETE_ID}. All scopes are granted."
    assert process.returncode == 0


def hear_ctrl_c() -> None:
    """Undo what a shell does to its background jobs, of which the tests may be one: there Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
async def test_a_browser_is_opened_from_a_terminal(environment: dict[str, str], tmp_path: Path) -> None:
    """In a terminal the browser gets the link, which is printed as well; Ctrl-C ends the waiting and not the link."""
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o700)
    ours, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "athlete", "connect", cwd=tmp_path, start_new_session=True,
        env=os.environ | environment | {"BROWSER": str(browser), "COLUMNS": "400"},
        stdin=terminal, stdout=terminal, stderr=terminal, preexec_fn=hear_ctrl_c,
    )  # fmt: skip
    os.close(terminal)
    said = b""
    while b"Waiting for the athlete" not in said:
        said += await asyncio.to_thread(os.read, ours, 4096)
    async with asyncio.timeout(30):
        while not opened.exists():  # noqa: ASYNC110 - what is asked is the disk
            await asyncio.sleep(0.05)
    process.send_signal(signal.SIGINT)
    with suppress(OSError):  # the terminal's end
        while chunk := await asyncio.to_thread(os.read, ours, 4096):
            said += chunk
    os.close(ours)
    assert await process.wait() == 0, said
    assert b"The waiting has ended. The link stays good" in said
    link = opened.read_text().strip()
    assert link.encode() in said
    assert f"Connected athlete {ATHLETE_ID}" in (await decide(link, decision="allow")).text


@pytest.mark.slow
async def test_an_invitation_for_somebody_else_is_printed_with_its_end(environment: dict[str, str]) -> None:
    """The command does not wait, and a link that leads nowhere from outside is told."""
    process = await command(environment, "--invite")
    output, _ = await process.communicate()
    assert process.returncode == 0, output
    assert re.search(r"Good once, until \d{4}-\d\d-\d\d \d\d:\d\d\.", output.decode())
    assert "set PUBLIC_URL" in output.decode()


@pytest.mark.slow
async def test_a_service_that_does_not_know_the_public_address_is_told(environment: dict[str, str]) -> None:
    """Strava would send the athlete back to where this machine is not: no link until the service is started again."""
    public = environment | {"PUBLIC_URL": "https://my.example.org/athlete"}
    output, _ = await (await command(public, "--invite")).communicate()
    assert "has another PUBLIC_URL: start it again" in output.decode()
    assert "invite=" not in output.decode()
    public["SERVICE_PORT"] = str(free_port())
    with running_service(public):
        output, _ = await (await command(public, "--invite")).communicate()
    assert link_in(output.decode()).startswith("https://my.example.org/athlete/connect?invite=")
    assert "set PUBLIC_URL" not in output.decode()


@pytest.mark.slow
async def test_a_service_with_another_secret_is_told(environment: dict[str, str]) -> None:
    """A link that would be refused is not handed out."""
    process = await command(environment | {"STRAVA_CLIENT_SECRET": "another"}, "--no-browser")
    output, _ = await process.communicate()
    assert process.returncode == 1
    assert "does not take the invitation (status 403): start it again" in output.decode()
    assert "invite=" not in output.decode()


@pytest.mark.parametrize(
    ("arguments", "settings", "sentence"),
    [
        (["--no-browser"], {}, "The service does not answer at http://127.0.0.1:"),
        (["--no-browser"], {"SERVICE_PORT": "0"}, "SERVICE_PORT is 0"),
        (["--no-browser"], {"STRAVA_CLIENT_SECRET": ""}, "Set STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET"),
        (["--no-browser", "--token"], {}, "Choose one"),
    ],
)
def test_what_stands_in_the_way_is_told(
    tmp_path: Path, arguments: list[str], settings: dict[str, str], sentence: str
) -> None:
    """One sentence with what to do, and no link."""
    environment = settings_for("http://127.0.0.1:9", tmp_path, free_port()) | settings
    result = CliRunner().invoke(app, ["connect", *arguments], env=environment)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "invite=" not in result.output


async def sent_on(scope: Any, receive: Any, send: Any) -> None:
    """Answer as the service does to an invitation: on to Strava, and from there back to where we know."""
    del scope, receive
    location = (b"location", b"http://strava.test/oauth/authorize?redirect_uri=http%3A%2F%2Fback")
    await send({"type": "http.response.start", "status": 303, "headers": [location]})
    await send({"type": "http.response.body", "body": b""})


async def test_this_machine_s_service_is_asked_past_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it listens on an address that other machines reach; a proxy need not reach it."""
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")

    @asynccontextmanager
    async def make() -> AsyncIterator[Any]:
        yield sent_on

    with serving(make) as url:
        address = url.replace("127.0.0.1", "0.0.0.0")  # noqa: S104 - no loopback address, though it leads there
        await _require_accepted(f"{address}/connect?invite=1", address, way_back="http://back")


@pytest.mark.slow
async def test_on_google_cloud_the_command_runs_a_service_of_its_own(
    bigquery_emulator: str, strava: str, tmp_path: Path
) -> None:
    """The public one has no right to tokens: the athlete comes back to this machine, and the service ends with it."""
    with running_server() as secrets:
        async with running_publish_server() as pubsub:
            cloud = settings_for(strava, tmp_path, port := free_port()) | {
                "BACKEND": "gcp",
                "BIGQUERY_API_ENDPOINT": bigquery_emulator,
                "GOOGLE_CLOUD_PROJECT": new_dataset().replace("_", "-"),
                "PUBLIC_URL": "https://athlete-service.test",
                "PUBSUB_EMULATOR_HOST": pubsub.host,
                "SECRET_MANAGER_ENDPOINT": secrets.endpoint,
            }
            process = await command(cloud, "--no-browser")
            said = await said_until(process, "Waiting until")
            assert "the link leads nowhere then" in said
            link = link_in(said)
            assert link.startswith(f"http://127.0.0.1:{port}/connect?invite=")
            assert (await decide(link, decision="allow")).status_code == 200
            output, _ = await process.communicate()
            assert f"Connected athlete {ATHLETE_ID}. All scopes are granted." in output.decode()
            async with httpx.AsyncClient() as http:
                with pytest.raises(httpx.ConnectError):
                    await http.get(link)
            output, _ = await (await command(cloud, "--invite")).communicate()
            assert "BACKEND=gcp has no invitations" in output.decode()


def test_the_waiting_ends_with_the_link(tmp_path: Path) -> None:
    """Once it has expired, a new one is advised."""
    settings = ServiceSettings(data_dir=tmp_path)
    asyncio.run(SqliteRawStore(settings.pipeline_path).close())
    with pytest.raises(CommandError, match="the link has expired: run `athlete connect` for a new one"):
        _wait(settings, Invite(invite_id="a", expires_at=datetime.now(UTC)))


async def used_by(settings: ServiceSettings, invite: Invite, *, recorded_at: datetime) -> None:
    """Have the invitation used by an athlete whose row is of that time."""
    store = SqliteRawStore(settings.pipeline_path)
    await store.claim_invite(invite.invite_id, invite.expires_at)
    await store.settle_invite(invite.invite_id, ATHLETE_ID)
    await store.put_athlete(
        Athlete(athlete_id=ATHLETE_ID, scope=frozenset({"read"}), status="connected", updated_at=recorded_at)
    )
    await store.close()


@pytest.mark.slow
def test_an_earlier_connect_of_the_athlete_is_not_taken_for_this_one(tmp_path: Path) -> None:
    """While the athlete's row is still the old one, nothing is told of it."""
    settings = ServiceSettings(data_dir=tmp_path)
    invite = Invite(invite_id="a", expires_at=datetime.now(UTC) + timedelta(seconds=2))
    asyncio.run(used_by(settings, invite, recorded_at=datetime.now(UTC) - timedelta(days=1)))
    with pytest.raises(CommandError, match="Nobody connected in time"):
        _wait(settings, invite)


def test_a_use_that_was_cut_short_ends_the_waiting(tmp_path: Path) -> None:
    """An invitation that was claimed and connects nobody is not waited for until it expires."""
    settings = ServiceSettings(data_dir=tmp_path)
    invite = Invite(invite_id="a", expires_at=datetime.now(UTC) + timedelta(seconds=5))

    async def claimed() -> None:
        store = SqliteRawStore(settings.pipeline_path)
        await store.claim_invite(invite.invite_id, invite.expires_at)
        await store.close()

    asyncio.run(claimed())
    with pytest.raises(CommandError, match="it was cut short; run `athlete connect` again"):
        _wait(settings, invite, longest_use=timedelta(0))
