"""What all programs of `athlete up` cost together while nothing happens."""

import tempfile
import time
from pathlib import Path

import psutil

from athlete.supervisor import free_port
from benchmarks.servers import running

SETTLES_S = 20.0  # after the first build of the marts
WATCHED_S = 60.0


def measure() -> dict[str, float]:
    """Start the process tree on an empty folder, let it settle, and watch it for a minute."""
    ports = {name: str(free_port()) for name in ("SERVICE_PORT", "WORKER_PORT", "DASHBOARD_PORT")}
    word = "of-no-account-at-all-0123456789abcdef"
    app = dict.fromkeys(("STRAVA_CLIENT_SECRET", "WEBHOOK_PATH_SECRET", "STRAVA_VERIFY_TOKEN"), word)
    with tempfile.TemporaryDirectory() as folder:
        environment = {"DATA_DIR": f"{folder}/data", "STRAVA_CLIENT_ID": "1", "LOG_LEVEL": "warning", **ports, **app}
        url = f"http://127.0.0.1:{ports['DASHBOARD_PORT']}/"
        with running(["-m", "athlete", "up"], url, environment, folder) as supervisor:
            while not Path(folder, "data/mart.duckdb").exists():
                time.sleep(1)
            time.sleep(SETTLES_S)
            programs = [supervisor, *supervisor.children(recursive=True)]
            began = _cpu_s(programs)
            time.sleep(WATCHED_S)
            used_s = _cpu_s(programs) - began
            rss = sum(program.memory_info().rss for program in programs)
    return {"idle_rss_mb": rss / 2**20, "idle_cpu_percent": 100 * used_s / WATCHED_S}


def _cpu_s(programs: list[psutil.Process]) -> float:
    return float(sum(times.user + times.system for times in (program.cpu_times() for program in programs)))
