"""A port that somebody else has is named before anything starts, with what chooses another."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from athlete.errors import CommandError
from athlete.main import app
from athlete.ports import Listener, require_free
from athlete.supervisor import free_port

CREDENTIALS = dict.fromkeys(
    ("STRAVA_CLIENT_ID", "STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "STRAVA_VERIFY_TOKEN"), "not-a-real-credential"
)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("option", "program"),
    [("--port", "dashboard"), ("--service-port", "service"), ("--simulator-port", "simulator")],
)
@pytest.mark.parametrize("once", [(), ("--once",)])
def test_a_demo_names_the_option_of_a_port_in_use(
    option: str, program: str, once: tuple[str, ...], taken: int, tmp_path: Path
) -> None:
    """One sentence says which program wanted which port, and how to choose another; nothing was started."""
    result = CliRunner().invoke(app, ["demo", *once, option, str(taken)], env={"DATA_DIR": str(tmp_path)})
    assert result.exit_code == 1
    assert result.stderr == f"athlete: Port {taken} ({program}) is in use; choose another with {option}.\n"
    assert not list(tmp_path.rglob("*.log"))


@pytest.mark.parametrize("program", ["service", "worker", "dashboard"])
def test_up_names_the_setting_of_a_port_in_use(program: str, taken: int, tmp_path: Path) -> None:
    """One sentence says which program wanted which port, and which setting chooses another."""
    setting = f"{program.upper()}_PORT"
    free = {"SERVICE_PORT": "0", "WORKER_PORT": "0", "DASHBOARD_PORT": "0"}
    environment = {**CREDENTIALS, **free, "DATA_DIR": str(tmp_path), setting: str(taken)}
    result = CliRunner().invoke(app, ["up"], env=environment)
    assert result.exit_code == 1
    assert result.stderr == f"athlete: Port {taken} ({program}) is in use; choose another with {setting}.\n"


def test_two_programs_cannot_have_one_port() -> None:
    """A port that was chosen twice is not said to be somebody else's."""
    port = free_port()
    twice = [Listener(program=name, port=port, chosen_by=f"--{name}") for name in ("one", "two")]
    with pytest.raises(
        CommandError, match=rf"Port {port} \(two\) is also wanted for the one; choose another with --two"
    ):
        require_free(twice)
    require_free(twice[:1])


def test_an_address_of_another_machine_is_named() -> None:
    """Where nobody here can listen, the sentence names the address and its setting."""
    elsewhere = Listener(
        program="service", host="192.0.2.1", port=8080, chosen_by="SERVICE_PORT", host_chosen_by="SERVICE_HOST"
    )
    with pytest.raises(CommandError, match=r"of 192\.0\.2\.1 cannot be opened .* with SERVICE_HOST or SERVICE_PORT"):
        require_free([elsewhere])


def test_a_port_whose_last_talk_just_ended_is_free() -> None:
    """A restart need not wait until the system has forgotten the connections of the run before."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # the side that closes first is the one that lingers
    require_free([Listener(program="service", port=port, chosen_by="SERVICE_PORT")])
