"""The programs of the embedded engine, as one list: who listens where, and what its environment tells it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic_settings import BaseSettings

from athlete.ports import LOOPBACK
from athlete.supervisor import Program


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the programs of one run listen: addresses and ports, none of them 0."""

    service: int
    worker: int
    dashboard: int
    service_host: str = LOOPBACK
    worker_host: str = LOOPBACK
    dashboard_host: str = LOOPBACK

    @property
    def dashboard_url(self) -> str:
        """Where a person looks."""
        return f"http://{askable(self.dashboard_host)}:{self.dashboard}"

    @property
    def service_url(self) -> str:
        """Where Strava's events arrive."""
        return f"http://{askable(self.service_host)}:{self.service}"

    @property
    def worker_url(self) -> str:
        """Where the deliverer pushes to."""
        return f"http://{askable(self.worker_host)}:{self.worker}"


def askable(host: str) -> str:
    """Return how a URL names a host that a program listens on: one that listens everywhere is asked on loopback."""
    named = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"[{named}]" if ":" in named else named


def pipeline_programs(ports: Ports, environment: Mapping[str, str], *, folder: Path | None = None) -> list[Program]:
    """List service, worker, deliverer, transformer and dashboard, all under the same settings.

    They start in `folder` (default: where we are), which decides whose `.env` they read. Worker and deliverer share a
    word that is made here, so that nobody else can push.
    """
    shared = {
        **environment,
        "SERVICE_HOST": ports.service_host,
        "SERVICE_PORT": str(ports.service),
        "WORKER_HOST": ports.worker_host,
        "WORKER_PORT": str(ports.worker),
        "DASHBOARD_HOST": ports.dashboard_host,
        "DASHBOARD_PORT": str(ports.dashboard),
    }
    pushing = {**shared, "PUSH_TOKEN": secrets.token_urlsafe(32)}
    return [
        Program(name=name, module=module, environment=told, folder=folder, health_url=health_url)
        for name, module, told, health_url in (
            ("service", "service.main", shared, f"{ports.service_url}/health"),
            ("worker", "worker.main", pushing, f"{ports.worker_url}/health"),
            ("deliverer", "athlete.deliverer", {**pushing, "WORKER_HOST": askable(ports.worker_host)}, None),
            ("transformer", "worker.dbt_runner.main", shared, None),
            ("dashboard", "dashboard", shared, f"{ports.dashboard_url}/_stcore/health"),
        )
    ]


def at_defaults(*settings: type[BaseSettings]) -> dict[str, str]:
    """Return an environment that leaves all these settings empty, so at their defaults even if exported."""
    return {
        f"{each.model_config.get('env_prefix', '')}{name}".upper(): ""
        for each in settings
        for name in each.model_fields
    }


def room_folder(room: str) -> Path:
    """Return the folder that one of our packages was installed to."""
    spec = find_spec(room)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package {room} is not installed")
    return Path(spec.origin).parent
