"""`athlete demo` from outside: its options, its last line, and what its programs are told."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from athlete.demo.command import DemoOptions, demo_config, how_to_ask
from athlete.demo.config import DemoConfig
from athlete.demo.export import demo_state
from athlete.main import app
from backends.athlete_file.reading import read_documents
from dashboard.settings import DashboardSettings
from simulator.journal import Journal
from simulator.world.world import Origin, World
from strava.archive.archive import open_archive

# What a person who runs the real thing may have exported.
EXPORTED = {
    "STRAVA_SUBSCRIPTION_ID": "999",
    "SERVICE_HOST": "192.0.2.1",
    "WORKER_HOST": "192.0.2.1",
    "WEBHOOK_MAX_BODY_BYTES": "1",
    "NOT_FOUND_GRACE_S": "0",
    "QUEUE_CONCURRENCY": "1",
    "QUEUE_MAX_DELIVERY_ATTEMPTS": "1",
    "TRANSFORM_DEBOUNCE_S": "3600",
    "SIMULATOR_HOST": "192.0.2.1",
    "SIMULATOR_DENSITY": "40",
    "DISPLAY_TIMEZONE": "Asia/Tokyo",
}
PRINT_SETTINGS = """
from athlete.settings import DelivererSettings
from dashboard.settings import DashboardSettings
from simulator.journal import Journal
from simulator.world.world import Origin, World
from service.settings import ServiceSettings
from simulator.settings import SimulatorSettings
from worker.settings import WorkerSettings
from worker.dbt_runner.settings import TransformSettings
service, worker, deliverer = ServiceSettings(), WorkerSettings(), DelivererSettings()
print(worker.strava_subscription_id, service.service_host, service.webhook_max_body_bytes)
print(worker.worker_host, worker.not_found_grace_s)
print(deliverer.worker_url, deliverer.queue_concurrency, deliverer.queue_max_delivery_attempts)
print(TransformSettings().transform_debounce_s, DashboardSettings().display_timezone)
print(SimulatorSettings().host, SimulatorSettings().density)
"""


@pytest.fixture
def config(tmp_path: Path) -> DemoConfig:
    """A config in the test's folder, seen from Lisbon."""
    settings = DashboardSettings(data_dir=tmp_path, display_timezone=ZoneInfo("Europe/Lisbon"), dashboard_refresh_s=9)
    return demo_config(settings, DemoOptions(dashboard_port=1001, service_port=1002, simulator_port=1003), once=False)


def test_the_shell_s_settings_do_not_reach_the_demo_s_programs(config: DemoConfig) -> None:
    """With any exports, the programs listen on loopback, take every subscription and queue as by default."""
    told = {**os.environ, **EXPORTED, **config.environment, **config.simulator().environment}
    told["WORKER_PORT"] = "1004"
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_SETTINGS],
        env=told,
        cwd=config.data_dir,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.splitlines() == [
        "None 127.0.0.1 16384",
        "127.0.0.1 300.0",
        "http://127.0.0.1:1004 16 100",
        "0.1 Europe/Lisbon",
        "127.0.0.1 1",
    ]


def test_ports_and_the_dashboard_s_settings_are_taken_over(config: DemoConfig) -> None:
    """Given ports are used, free ones are found; time zone and refresh reach the demo's dashboard."""
    assert (config.ports.dashboard, config.ports.service, config.simulator_port) == (1001, 1002, 1003)
    assert config.ports.worker > 0
    dashboard = next(program for program in config.pipeline() if program.name == "dashboard")
    assert dashboard.environment["DISPLAY_TIMEZONE"] == "Europe/Lisbon"
    assert float(dashboard.environment["DASHBOARD_REFRESH_S"]) == 9


def test_a_scenario_that_cannot_begin_ends_with_its_line_too(tmp_path: Path) -> None:
    """Where no folder can be made, standard output is one JSON line that says so, and the exit code is 1."""
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["demo", "--once"], env={"DATA_DIR": str(tmp_path / "file")})
    assert result.exit_code == 1
    assert json.loads(result.stdout.splitlines()[-1]) == {"ok": False}
    assert result.stderr.startswith("athlete: ")


@pytest.mark.parametrize("options", [("--seed", "9"), ("--years", "2"), ("--seed", "9", "--years", "2")])
def test_a_demo_does_not_mix_two_athletes(options: tuple[str, ...], config: DemoConfig, tmp_path: Path) -> None:
    """Where a demo with another athlete has run, it says which, and what to do, and starts nothing."""
    result = CliRunner().invoke(app, ["demo", *options], env={"DATA_DIR": str(tmp_path)})
    assert (config.seed, config.years) == (7, 3)
    assert result.exit_code == 1
    assert result.stderr == (
        f"athlete: {tmp_path / 'demo'} holds another simulated athlete, that of --seed 7 --years 3: give these options "
        f"again, or remove {tmp_path / 'demo'}, or set another DATA_DIR.\n"
    )
    assert not list(tmp_path.rglob("*.log"))


def test_a_scenario_may_be_with_another_athlete_s_each_time(tmp_path: Path) -> None:
    """It starts afresh, so there is nobody to mix with."""
    settings = DashboardSettings(data_dir=tmp_path)
    (tmp_path / "demo-once").mkdir()
    seeds = [demo_config(settings, DemoOptions(seed=seed), once=True).seed for seed in (7, 9)]
    assert seeds == [7, 9]


def test_a_demo_goes_on_with_its_secrets(config: DemoConfig, tmp_path: Path) -> None:
    """The next start has the first one's path secret and verify token."""
    again = demo_config(DashboardSettings(data_dir=tmp_path), DemoOptions(), once=False)
    assert (again.path_secret, again.verify_token) == (config.path_secret, config.verify_token)


@pytest.mark.parametrize("name", ["demo.json", "athlete.json"])
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"seed'])
def test_a_damaged_file_of_the_demo_is_named(name: str, content: str, config: DemoConfig, tmp_path: Path) -> None:
    """What cannot be read is named, with what to do."""
    (config.data_dir / name).write_text(content)
    result = CliRunner().invoke(app, ["demo"], env={"DATA_DIR": str(tmp_path)})
    assert result.exit_code == 1
    assert f"{name} is damaged: remove " in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scenario_says_so(number: signal.Signals, tmp_path: Path) -> None:
    """One sentence on standard error, one JSON line on standard output, exit code 1."""
    with subprocess.Popen(
        [sys.executable, "-m", "athlete", "demo", "--once", "--years", "1"],
        env={**os.environ, "DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        while not (tmp_path / "demo-once" / "logs" / "simulator.log").exists():
            assert demo.poll() is None
            time.sleep(0.05)
        demo.send_signal(number)
        printed, complaint = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert complaint == "athlete: The scenario was interrupted before it was checked; run it again.\n"
    assert json.loads(printed.splitlines()[-1]) == {"ok": False}


def test_how_to_ask_is_a_command_that_names_the_demo_s_folder(tmp_path: Path) -> None:
    """A folder below the current one is named from here, another one in full, each as a shell reads it."""
    assert "DATA_DIR=data/demo " in how_to_ask(Path.cwd() / "data" / "demo")
    assert f"DATA_DIR='{tmp_path}/my data' " in how_to_ask(tmp_path / "my data")


def test_the_demo_s_athlete_has_settings_and_goals_of_their_own(config: DemoConfig, tmp_path: Path) -> None:
    """They are a file that can be read; what a person changes in it stays."""
    path = config.files.athlete_file_path
    assert len(read_documents(path, [7])[7].payload["goals"]) == 3
    path.write_text("weight = 61")
    demo_config(DashboardSettings(data_dir=tmp_path), DemoOptions(), once=False)
    assert path.read_text() == "weight = 61"


@pytest.mark.slow
def test_the_export_is_that_of_the_demo_that_has_run(tmp_path: Path) -> None:
    """Its history ends where the demo's began, without what was deleted; another athlete knows nothing of it."""
    path, folder = tmp_path / "export.zip", tmp_path / "demo"
    folder.mkdir()
    (folder / "athlete.json").write_text('{"seed": 7, "years": 1}')
    planned = World(Origin(seed=7, athlete_id=4242424242, years=1, until=date(2025, 11, 30)), Journal()).ids()
    told: list[list[object]] = [["origin", "until", "2025-11-30"]]
    told += [["deleted", str(activity_id), True] for activity_id in planned[20:]]
    (folder / "simulator.json").write_text("".join(f"{json.dumps(line)}\n" for line in told))
    options = ("--export", str(path), "--years", "1", "--language", "de", "--version", "2020")
    result = CliRunner().invoke(app, ["demo", *options], env={"DATA_DIR": str(tmp_path)})
    with open_archive(path) as archive:
        assert [row.activity_id for row in archive.rows] == planned[:20]
        assert (archive.language, archive.athlete_id, archive.problems) == ("de", 4242424242, [])
        assert all(archive.file_of(row) for row in archive.rows if row.upload_id)
    assert result.stdout.startswith(f"{path} is the export of the simulated athlete 4242424242 as Strava would send it")
    assert " 20 activities, " in result.stdout
    assert demo_state(folder, seed=8, years=1) is None
    assert sorted(each.name for each in tmp_path.iterdir()) == ["demo", "export.zip"]


def test_an_export_is_a_zip(tmp_path: Path) -> None:
    """A file of another kind is not overwritten."""
    (tmp_path / "activities.csv").write_text("mine")
    options = ("--export", str(tmp_path / "activities.csv"))
    result = CliRunner().invoke(app, ["demo", *options], env={"DATA_DIR": str(tmp_path)})
    assert result.exit_code == 1
    assert "is no name of a ZIP" in result.stderr
    assert (tmp_path / "activities.csv").read_text() == "mine"
