"""What tests of every room share: the recorded answers, the browser, and no silent skip where all must run."""

import asyncio
import gc
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import hypothesis
import pytest
import structlog
import uvloop
from pydantic_settings import DotEnvSettingsSource

from backends.sqlite import open_database

pytest_plugins = ["tests.bigquery_emulator", "tests.parsed_project", "tests.pubsub_emulator", "tests.schedule"]

# A process of a run holds millions of objects, for the most part thousands of collected tests and what dbt parsed. By
# default Python's collector looks through them so often that it takes a seventh of the time of a dbt build, and a third
# of the collection of the tests.
gc.set_threshold(200_000, 20, 100)

hypothesis.settings.register_profile("no clock", deadline=None)  # a slow machine is no fault of the code
hypothesis.settings.load_profile("no clock")

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MAIN = sys.modules["__main__"]

# Tests ask this machine alone, and each client of theirs and of the programs that they start would take 20 ms to load
# every authority that the world trusts.
os.environ["SSL_CERT_FILE"] = str(ROOT / "tests/fixtures/no_authority.pem")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_checkout() -> Iterator[None]:
    """Read no `.env` of the checkout in the tests' own process: it may be of somebody's real account."""
    read = DotEnvSettingsSource._read_env_files

    def elsewhere(source: DotEnvSettingsSource) -> Mapping[str, str | None]:
        return {} if Path.cwd() == ROOT else read(source)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DotEnvSettingsSource, "_read_env_files", elsewhere)
        yield


@pytest.fixture(autouse=True)
def _own_main_module() -> Iterator[None]:
    """Streamlit's AppTest leaves the page as the main module, which a process started later would run."""
    yield
    sys.modules["__main__"] = MAIN


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Log to the error stream, as programs do, and undo what a command that ran inside the test made of it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    yield
    structlog.reset_defaults()
    root.setLevel(level)
    root.handlers[:] = handlers


def pytest_collection_finish() -> None:
    """Keep the collected tests from the collector: they stay until the end."""
    gc.freeze()


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run async tests on asyncio's own loop, and those that are marked so on the services' too."""
    own = {"asyncio": asyncio.new_event_loop}
    return {**own, "uvloop": uvloop.new_event_loop} if item.get_closest_marker("uvloop_too") else own


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty pipeline's file, to be copied: to bring one to the newest schema takes longer than many a test."""
    file = tmp_path_factory.mktemp("migrated") / "pipeline.sqlite"
    open_database(file).close()
    return file


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium that is installed on this machine."""
    if CHROMIUM:
        return CHROMIUM
    if os.environ.get("CI"):
        pytest.fail("no Chromium: install the package chromium")
    pytest.skip("no Chromium on this machine: install it (Debian: apt-get install chromium) to run the browser tests")
