"""The programs of the embedded engine, as one list: who listens where, and what its environment tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from athlete.processes import Program


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The loopback ports of one run."""

    service: int
    worker: int
    dashboard: int

    @property
    def dashboard_url(self) -> str:
        """Where a person looks."""
        return f"http://127.0.0.1:{self.dashboard}"

    @property
    def service_url(self) -> str:
        """Where Strava's events arrive."""
        return f"http://127.0.0.1:{self.service}"


def pipeline_programs(ports: Ports, environment: Mapping[str, str], *, folder: Path | None = None) -> list[Program]:
    """List service, worker, deliverer, transformer and dashboard, all under the same settings.

    They start in `folder` (default: where we are), which decides whose `.env` they read.
    """
    shared = {
        **environment,
        "SERVICE_PORT": str(ports.service),
        "WORKER_PORT": str(ports.worker),
        "DASHBOARD_PORT": str(ports.dashboard),
    }
    modules = {
        "service": ("service.main", f"{ports.service_url}/health"),
        "worker": ("worker.main", f"http://127.0.0.1:{ports.worker}/health"),
        "deliverer": ("athlete.deliverer", None),
        "transformer": ("worker.transform.main", None),
    }
    programs = [
        Program(name=name, module=module, environment=shared, folder=folder, health_url=health_url)
        for name, (module, health_url) in modules.items()
    ]
    return [*programs, dashboard_program(ports, shared, folder)]


def dashboard_program(ports: Ports, environment: Mapping[str, str], folder: Path | None) -> Program:
    """Streamlit on our page, without its telemetry and its welcome questions."""
    options = {
        "server.port": ports.dashboard,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    return Program(
        name="dashboard",
        module="streamlit",
        arguments=("run", str(room_folder("dashboard") / "main.py"), *(f"--{k}={v}" for k, v in options.items())),
        environment=environment,
        folder=folder,
        health_url=f"{ports.dashboard_url}/_stcore/health",
    )


def room_folder(room: str) -> Path:
    """Return the folder that one of our packages was installed to."""
    spec = find_spec(room)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package {room} is not installed")
    return Path(spec.origin).parent
