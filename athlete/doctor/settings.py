"""Whether the settings can be read, are complete, and do not contradict one another."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from athlete.doctor.context import Context, Settings
from athlete.doctor.findings import Finding, green, red, yellow
from athlete.settings import DelivererSettings, ScheduleSettings
from athlete.subscription.callback import STRAVA_WAITS_S
from athlete.subscription.command import is_private
from athlete.up import are_imports_alone, listeners, missing_settings
from backends.engine import is_on_gcp
from dashboard.settings import DashboardSettings
from runtime.http_client import is_loopback
from runtime.http_guard import split_hosts
from service.settings import ServiceSettings
from strava.budget_state import falling
from worker.dbt_runner.settings import TransformSettings
from worker.settings import WorkerSettings

S = TypeVar("S", bound=BaseSettings)

DOTENV = Path(".env")
_APP = "https://www.strava.com/settings/api shows it"
_MADE = "`openssl rand -hex 24` makes one"
_SOURCES = {
    "STRAVA_CLIENT_ID": _APP,
    "STRAVA_CLIENT_SECRET": _APP,
    "WEBHOOK_PATH_SECRET": _MADE,
    "STRAVA_VERIFY_TOKEN": _MADE,
}


def read_settings() -> Settings:
    """Read every program's settings; what is wrong is noted, and its default takes its place."""
    faults: dict[str, str] = {}
    return Settings(
        service=_read(ServiceSettings, faults),
        worker=_read(WorkerSettings, faults),
        dashboard=_read(DashboardSettings, faults),
        deliverer=_read(DelivererSettings, faults),
        schedule=_read(ScheduleSettings, faults),
        transform=_read(TransformSettings, faults),
        faults=faults,
    )


def _read(kind: type[S], faults: dict[str, str]) -> S:
    given: dict[str, Any] = {}
    while True:
        try:
            return kind(**given)
        except (UnicodeDecodeError, OSError):
            faults[str(DOTENV)] = "it cannot be read as text in UTF-8"
            given["_env_file"] = None
        except ValidationError as error:
            wrong = {str(fault["loc"][0]): fault["msg"].removeprefix("Value error, ") for fault in error.errors()}
            if wrong.keys() <= given.keys():
                raise
            faults.update({name.upper(): message for name, message in wrong.items()})
            given.update({name: kind.model_fields[name].get_default(call_default_factory=True) for name in wrong})


async def check_settings(context: Context) -> list[Finding]:
    """Name each setting that is wrong or missing, and those that contradict one another."""
    settings = context.settings
    found = [red(f"{name} is wrong: {fault}.", _correction(name)) for name, fault in settings.faults.items()]
    told = yellow if await _has_imports_alone(context) else red
    found += [
        told(f"{name} is not set.", f"Set {name} in the environment or .env; {_SOURCES[name]}.")
        for name in missing_settings(settings.service, settings.worker)
        if name not in settings.faults and (name.startswith("STRAVA_CLIENT_") or not is_on_gcp(settings.worker))
    ]
    found += _contradictions(settings)
    found += _doubtful(settings)
    return found or [green("Every setting that is needed is there and can be read.")]


async def _has_imports_alone(context: Context) -> bool:
    """Whether nothing is expected of Strava, because all that is stored was imported."""
    return context.store is not None and are_imports_alone(await context.store.athletes())


def _correction(name: str) -> str:
    if name == str(DOTENV):
        return "Save .env as text in UTF-8, as your own file."
    return f"Correct {name} in the environment or .env; the README lists every setting."


def _contradictions(settings: Settings) -> Iterator[Finding]:
    worker, service, deliverer = settings.worker, settings.service, settings.deliverer
    is_simulated = is_loopback(worker.strava_api_url)
    if is_simulated != is_loopback(worker.strava_oauth_url):
        yield red(
            "Of STRAVA_API_URL and STRAVA_OAUTH_URL one leads to this machine and the other does not.",
            "Set STRAVA_API_URL and STRAVA_OAUTH_URL both to Strava, or both to the simulator.",
        )
    if service.public_url and is_private(service.public_url) and not is_simulated:
        yield red(
            f"PUBLIC_URL names {urlsplit(service.public_url).hostname}, which Strava cannot reach.",
            "Set PUBLIC_URL to the public https address that leads to the service (docs/public-address.md).",
        )
    if (host := _shut_out(service)) is not None:
        yield red(
            f"SERVICE_ALLOWED_HOSTS leaves out {host}, the host of PUBLIC_URL, so Strava's events are refused.",
            f"Add {host} to SERVICE_ALLOWED_HOSTS, or leave that setting empty.",
        )
    taken: dict[int, str] = {}
    for each in listeners(service, worker, settings.dashboard):
        if each.port and each.port in taken:
            yield red(
                f"{taken[each.port]} and {each.chosen_by} are both {each.port}.",
                f"Set {each.chosen_by} to a free port.",
            )
        taken[each.port] = each.chosen_by
    if deliverer.queue_min_backoff_s > deliverer.queue_max_backoff_s:
        yield red(
            "QUEUE_MIN_BACKOFF_S is longer than QUEUE_MAX_BACKOFF_S.", "Set QUEUE_MIN_BACKOFF_S to less, such as 0.5."
        )


def _shut_out(service: ServiceSettings) -> str | None:
    host, allowed = urlsplit(service.public_url).hostname, split_hosts(service.service_allowed_hosts)
    return host if host and allowed and not is_loopback(service.public_url) and host not in allowed else None


def _doubtful(settings: Settings) -> Iterator[Finding]:
    shares = settings.worker.budget_shares
    if (lowered := falling(shares)) != shares:
        [name, *_] = [lane for lane in shares if shares[lane] != lowered[lane]]
        setting = f"BUDGET_SHARE_{name.upper()}"
        yield yellow(
            f"{setting} is larger than the share of the lane before it, so it counts as {lowered[name]:g}.",
            f"Set {setting} to {lowered[name]:g} or less.",
        )
    if settings.service.publish_timeout_s >= STRAVA_WAITS_S:
        yield yellow(
            f"PUBLISH_TIMEOUT_S is {settings.service.publish_timeout_s:g}, and Strava waits for {STRAVA_WAITS_S:g} s.",
            "Set PUBLISH_TIMEOUT_S to 1.5.",
        )
    if DOTENV.is_file() and DOTENV.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield yellow(".env holds the app's secrets, and others on this machine may open it.", "Run `chmod 600 .env`.")
