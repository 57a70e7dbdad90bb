"""A BigQuery emulator, started once in a test run that needs it; every test has a dataset of its own.

It runs on DuckDB, in an environment of its own that `make test` sets up. It judges the adapter, never the SQL:
`tests/transforms/test_bigquery.py` runs that on Google's own engine.
"""

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from athlete.supervisor import free_port

if TYPE_CHECKING:
    from tests.bigquery_stores import EmptiedDataset

ENVIRONMENT = Path(__file__).parent.parent / ".venv" / "bigquery-emulator"
PROGRAM = Path(__file__).parent / "bigquery_emulator_program.py"
MISSING = "no BigQuery emulator: to run its tests, `make .venv/bigquery-emulator/.made` sets it up"
EXTENSIONS = "lib/python3*/site-packages/duckdb_extension_*/extensions/*/*.duckdb_extension"
STARTS_WITHIN_S = 300.0
# Else it fetches an extension from the internet, and counts what nobody asks for.
OPTIONS = {"BQEMU_ENABLE_FORMAT_EXTENSIONS": "false", "BQEMU_METRICS_ENABLED": "false"}


@pytest.fixture(scope="session")
def bigquery_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running emulator."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    home = tmp_path_factory.mktemp("bigquery_emulator")
    for extension in ENVIRONMENT.glob(EXTENSIONS):
        place = home / ".duckdb" / "extensions" / extension.parent.name / "linux_amd64"
        place.mkdir(parents=True, exist_ok=True)
        (place / extension.name).symlink_to(extension)
    port, grpc_port = free_port(), free_port()
    ports = ["--rest-port", str(port), "--grpc-port", str(grpc_port)]
    command = [str(python), str(PROGRAM), "start", *ports, "--log-level", "error"]
    environment = {**OPTIONS, "HOME": str(home), "PATH": os.environ["PATH"]}
    log = home / "log"
    with (
        log.open("wb") as told,
        subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT, env=environment) as process,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, process, log)
            yield address
        finally:
            process.kill()


@pytest.fixture(scope="session")
def bigquery_dataset(bigquery_emulator: str) -> "EmptiedDataset":
    """A dataset with the tables of `raw`, for one test after the other."""
    from tests.bigquery_stores import EmptiedDataset  # noqa: PLC0415 - Google's SDK

    return EmptiedDataset(bigquery_emulator)


def wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until it answers."""
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            with urlopen(f"{address}/discovery/v1/apis/bigquery/v2/rest", timeout=5):  # noqa: S310 - on this machine
                return
        except OSError as error:
            if getattr(error, "code", None):  # an answer, if not the one that was asked for
                return
            time.sleep(0.1)
    pytest.fail(f"the BigQuery emulator did not start: {log.read_text()}")


def new_dataset() -> str:
    """Name a dataset that no other test has."""
    return f"raw_{uuid.uuid4().hex[:12]}"
