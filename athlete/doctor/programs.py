"""Whether the programs run, and answer where the settings say."""

import httpx

from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, red, yellow
from athlete.programs import Ports

START = "Run `athlete up`."
_AGAIN = "Stop `athlete up` and start it again; what it prints says why a program does not answer."


async def check_programs(context: Context) -> list[Finding]:
    """Look whether somebody holds the data folder, and ask each program that listens."""
    folder = context.settings.data_dir.absolute()
    if context.running is None:
        return [yellow(f"No pipeline runs on {folder}, so nothing that is saved now arrives.", START)]
    silent = [told for name, url in _places(context).items() if (told := await _silence(context, name, url))]
    if silent:
        return [red(each, _AGAIN) for each in silent]
    names = ", ".join(_places(context)) or "no program has a port of its own"
    return [green(f"A pipeline runs on {folder} (process {context.running}); these answer: {names}.")]


def ports(context: Context) -> Ports:
    """Return where the settings say that the programs listen; 0 is a port that only the programs know."""
    settings = context.settings
    return Ports(
        service=settings.service.service_port,
        worker=settings.worker.worker_port,
        dashboard=settings.dashboard.dashboard_port,
        service_host=settings.service.service_host,
        worker_host=settings.worker.worker_host,
        dashboard_host=settings.dashboard.dashboard_host,
    )


def _places(context: Context) -> dict[str, str]:
    at = ports(context)
    places = {
        "service": (at.service, f"{at.service_url}/health"),
        "worker": (at.worker, f"{at.worker_url}/health"),
        "dashboard": (at.dashboard, f"{at.dashboard_url}/_stcore/health"),
    }
    return {name: url for name, (port, url) in places.items() if port}


async def _silence(context: Context, name: str, url: str) -> str | None:
    """Return what is wrong with a program's answer; None where nothing is."""
    try:
        async with context.machine.http_for(url) as http:
            status = (await http.get(url)).status_code
    except httpx.RequestError as error:
        return f"The {name} does not answer at {url} ({type(error).__name__})."
    return None if status == httpx.codes.OK else f"The {name} answers at {url} with status {status}."
