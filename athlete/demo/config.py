"""Where one demo runs: its folder, ports and secrets, and its programs."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from athlete.errors import CommandError
from athlete.programs import Ports, at_defaults, pipeline_programs
from athlete.settings import DelivererSettings
from athlete.supervisor import Program
from backends.atomic_file import write_private
from dashboard.settings import DashboardSettings
from runtime.data_dir import make_private
from runtime.settings import SharedSettings
from service.settings import ServiceSettings
from simulator.settings import SimulatorSettings
from worker.dbt_runner.settings import TransformSettings
from worker.settings import WorkerSettings

CLIENT_ID = "4242"
CLIENT_SECRET = "simulated-client-secret"  # noqa: S105 - the simulator knows no other
VERIFY_TOKEN_BYTES = 16
# The demo has no fifteen minutes to wait, so its simulator is generous; the limits themselves are simulated.
GENEROUS_LIMIT = "100000,1000000"
STREAMS_DAYS = 182  # curves of older activities would only make the first build longer
RETRY_SPACING_S = "1,2"  # Strava itself waits a minute or two between its three attempts

#: What the simulated athlete wrote; a person may change it while the demo runs, and see what comes of it.
ATHLETE_FILE = """\
sex = "F"
birth_year = 1988
resting_heart_rate = 52
max_heart_rate = 191

[run]
threshold_pace = "4:35"

[[goal]]
type = "distance"
period = "week"
sports = ["run"]
value = 30

[[goal]]
type = "distance"
period = "year"
value = 5000

[[goal]]
type = "time"
period = "month"
value = 20

[[gear]]
name = "Blue Racer"
cost = 2400
service = [{ what = "Chain", every_km = 3000 }, { what = "Check-up", every_hours = 400, every_days = 400 }]

[[gear]]
name = "Mud Donkey"
cost = 1650
service = [{ what = "Brake pads", every_km = 12000 }]

[[gear]]
name = "Kettlebell"
sports = ["strength"]
cost = 60
"""

LOGGING = {"LOG_FORMAT", "LOG_LEVEL"}  # may be as the person likes it
PIPELINE = (ServiceSettings, WorkerSettings, DelivererSettings, TransformSettings, DashboardSettings)
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """One demo's place on this machine. `recorded` is a folder of recorded answers that join the generated years."""

    data_dir: Path
    ports: Ports
    simulator_port: int
    seed: int
    years: int
    path_secret: str
    verify_token: str
    recorded: Path | None = None
    retry_spacing_s: str = RETRY_SPACING_S
    display_timezone: ZoneInfo = BERLIN
    dashboard_refresh_s: float = 2.0

    @cached_property
    def files(self) -> SharedSettings:
        """The paths of the programs' files."""
        return SharedSettings(data_dir=self.data_dir)

    @property
    def simulator_url(self) -> str:
        """Where the simulator answers."""
        return f"http://127.0.0.1:{self.simulator_port}"

    @property
    def api_url(self) -> str:
        """The simulator's API."""
        return f"{self.simulator_url}/api/v3"

    @property
    def oauth_url(self) -> str:
        """The simulator's OAuth pages."""
        return f"{self.simulator_url}/oauth"

    @property
    def callback_url(self) -> str:
        """Where the simulator sends its events."""
        return f"{self.ports.service_url}/webhook/{self.path_secret}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of the pipeline's programs: of the person's own shell, only how to log reaches them."""
        return {
            **{name: empty for name, empty in at_defaults(*PIPELINE).items() if name not in LOGGING},
            "BACKEND": "embedded",
            "DATA_DIR": str(self.data_dir),
            "STRAVA_API_URL": self.api_url,
            "STRAVA_OAUTH_URL": self.oauth_url,
            "STRAVA_CLIENT_ID": CLIENT_ID,
            "STRAVA_CLIENT_SECRET": CLIENT_SECRET,
            "STRAVA_VERIFY_TOKEN": self.verify_token,
            "WEBHOOK_PATH_SECRET": self.path_secret,
            "DISPLAY_TIMEZONE": self.display_timezone.key,
            "DASHBOARD_REFRESH_S": str(self.dashboard_refresh_s),
            "STREAMS": "all",
            "STREAMS_DAYS": str(STREAMS_DAYS),
        }

    def simulator(self) -> Program:
        """The simulator."""
        return Program(
            name="simulator",
            module="simulator.main",
            environment={
                **at_defaults(SimulatorSettings),
                "SIMULATOR_PORT": str(self.simulator_port),
                "SIMULATOR_SEED": str(self.seed),
                "SIMULATOR_YEARS": str(self.years),
                "SIMULATOR_STATE": str(self.data_dir / "simulator.json"),
                "SIMULATOR_CLIENT_ID": CLIENT_ID,
                "SIMULATOR_CLIENT_SECRET": CLIENT_SECRET,
                "SIMULATOR_READ_LIMIT": GENEROUS_LIMIT,
                "SIMULATOR_OVERALL_LIMIT": GENEROUS_LIMIT,
                "SIMULATOR_RETRY_SPACING": self.retry_spacing_s,
                **({"SIMULATOR_RECORDED_DIR": str(self.recorded)} if self.recorded else {}),
            },
            folder=self.data_dir,
            health_url=f"{self.simulator_url}/simulator/health",
        )

    def pipeline(self) -> list[Program]:
        """Our own programs."""
        return pipeline_programs(self.ports, self.environment, folder=self.data_dir)


def demo_secrets(data_dir: Path) -> tuple[str, str]:
    """Return the demo's path secret and verify token: made at its first start, kept for the next ones."""
    made = {"path_secret": secrets.token_urlsafe(24), "verify_token": secrets.token_urlsafe(VERIFY_TOKEN_BYTES)}
    kept = _kept(data_dir / "demo.json", made)
    return kept["path_secret"], kept["verify_token"]


def write_athlete_file(path: Path) -> None:
    """Write the athlete's own settings and goals, unless there are some. Raises OSError."""
    if not path.exists():
        write_private(path, ATHLETE_FILE.encode())


def require_same_athlete(data_dir: Path, *, seed: int, years: int) -> None:
    """Note down which athlete the folder is about, and refuse another one. Raises CommandError."""
    wanted = {"seed": seed, "years": years}
    kept = _kept(data_dir / "athlete.json", wanted)
    if kept != wanted:
        raise CommandError(
            f"{data_dir} holds another simulated athlete, that of {_options(kept)}: give these options again, "
            f"or remove {data_dir}, or set another DATA_DIR."
        )


def _options(kept: Mapping[str, Any]) -> str:
    return " ".join(f"--{name} {value}" for name, value in kept.items())


def _kept(path: Path, made: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the file holds; the first time that is what was made now. Raises CommandError where it is damaged."""
    if not path.exists():
        make_private(path.parent)
        write_private(path, json.dumps(made).encode())
    try:
        kept = json.loads(path.read_text())
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or kept.keys() != made.keys():
        raise CommandError(f"{path} is damaged: remove {path.parent} and start again.")
    return kept
