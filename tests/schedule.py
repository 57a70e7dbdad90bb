"""Which process of a test run gets which tests: files that share a slow fixture go together, slow tests go first."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Files whose tests share a slow fixture, by the name of what they share: one process makes it, once.
TOGETHER = {
    "tests/transforms/test_bigquery.py": "twin",
    "tests/transforms/test_bigquery_cost.py": "twin",
    "tests/transforms/test_bigquery_statements.py": "twin",  # Google's engine, which takes long to compile
    "tests/transforms/test_activities.py": "life",
    "tests/transforms/test_aggregates.py": "life",
    "tests/transforms/test_staging.py": "life",
    "tests/transforms/test_built_life.py": "life",
    "tests/athlete/test_doctor.py": "doctor",
    "tests/dashboard/test_main.py": "browser",
    "tests/end_to_end/test_wheel.py": "wheel",
    "tests/backends/test_queue_pubsub.py": "google",
    "tests/backends/test_marts_bigquery.py": "google",
    "tests/backends/test_marks.py": "google",
    "tests/backends/test_warehouse_bigquery.py": "google",
    "tests/backends/test_warehouse_bigquery_errors.py": "google",
    "tests/backends/test_warehouse_bigquery_workers.py": "google",
    "tests/contracts/test_queue.py": "google",
    "tests/end_to_end/test_google_cloud.py": "google",
    "tests/end_to_end/test_pubsub.py": "google",
    "tests/end_to_end/test_whole_way.py": "google",
}
GOOGLE = ("bigquery", "google_cloud")  # what the name of a test has that needs the emulator
BIGQUERY = "[bigquery"  # how it goes on where it is one of several
EMULATED = (BIGQUERY, "pubsub]")
EMULATORS = {"bigquery_emulator", "pubsub_emulator"}
SLOW = ("tests/transforms/", "tests/end_to_end/")


class ByFixture(LoadScopeScheduling):  # type: ignore[misc]  # its package has no types
    """Sends each test to the next free process, and those that share a slow fixture to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, name = nodeid.partition("::")
        return TOGETHER.get(file) or ("google" if any(word in name for word in GOOGLE) else nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFixture:
    """Deal out the tests in the order in which they were collected."""
    config.option.loadscopereorder = False
    return ByFixture(config, log)


def needs_emulator(item: pytest.Item) -> bool:
    """Whether it asks a server of Google's protocols, which takes longer to start than a test."""
    names: list[str] = getattr(item, "fixturenames", [])
    return any(part in item.nodeid for part in EMULATED) or not EMULATORS.isdisjoint(names)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark as slow what waits for an emulator."""
    if needs_emulator(item):
        item.add_marker("slow")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is shared, and with what takes long: a slow test that begins last ends alone."""

    def rank(item: pytest.Item) -> int:
        file = item.location[0]
        if file in TOGETHER or BIGQUERY in item.nodeid:
            return 0
        return 1 if file.startswith(SLOW) or any(item.iter_markers("slow")) or any(item.iter_markers("browser")) else 2

    items.sort(key=rank)
