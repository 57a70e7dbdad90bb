"""Logs in both formats: what an unexpected error tells, and what it must not tell."""

import json
import subprocess
import sys

import pytest

FAIL = """
import sys, structlog
from backends.logs import configure_logs
from backends.settings import LogFormat

def fail(refresh_token):
    raise ValueError("an unexpected answer")

configure_logs(LogFormat(sys.argv[1]))
try:
    fail("s3cr" + "3t")
except ValueError:
    structlog.get_logger().exception("worker.failed", activity_id=7)
"""


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_shows_no_values(log_format: str) -> None:
    """An unexpected error is logged with its traceback and without the values of local variables."""
    failed = subprocess.run([sys.executable, "-c", FAIL, log_format], capture_output=True, text=True, check=True)
    assert "an unexpected answer" in failed.stderr
    assert "s3cr3t" not in failed.stderr


def test_json_is_one_object_a_line() -> None:
    """A machine reads each record, its traceback included, as one line."""
    failed = subprocess.run([sys.executable, "-c", FAIL, "json"], capture_output=True, text=True, check=True)
    [record] = [json.loads(line) for line in failed.stderr.splitlines()]
    assert (record["event"], record["activity_id"], record["level"]) == ("worker.failed", 7, "error")
