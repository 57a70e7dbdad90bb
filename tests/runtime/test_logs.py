"""Logs in both formats: what an unexpected error tells, and what it must not tell."""

import json
import subprocess
import sys
from functools import cache

import pytest
import structlog
from structlog.testing import capture_logs

from runtime.logs import configure_logs, logged_object
from runtime.settings import LogFormat

log = structlog.get_logger(__name__)

FAIL = """
import sys, structlog
from runtime.logs import configure_logs
from runtime.settings import LogFormat

def fail(refresh_token):
    raise ValueError("an unexpected answer for athlete 4605555801")

configure_logs(LogFormat(sys.argv[1]))
try:
    fail("s3cr" + "3t")
except ValueError:
    reason = "Athlete 4605555801 left."
    structlog.get_logger().exception("worker.failed", activity_id=7, athlete_id=4605555801, reason=reason)
"""


@cache
def failed(log_format: str) -> str:
    """What the failing program logs."""
    return subprocess.run([sys.executable, "-c", FAIL, log_format], capture_output=True, text=True, check=True).stderr


@pytest.mark.parametrize("log_format", ["console", "json", "google"])
def test_a_traceback_shows_no_values(log_format: str) -> None:
    """An unexpected error is logged with its traceback and without the values of local variables."""
    said = failed(log_format)
    assert "an unexpected answer" in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize("log_format", ["console", "json", "google"])
def test_no_athlete_can_be_found_by_number(log_format: str) -> None:
    """A log outlives a purge: fields, sentences and tracebacks keep three digits, enough to tell ten apart."""
    assert "4605555801" not in failed(log_format)
    text = failed(log_format).replace("\\u2026", "…")
    assert text.count("…801") == (4 if log_format == "google" else 3)


def test_json_is_one_object_a_line() -> None:
    """A machine reads each record, its traceback included, as one line."""
    [record] = [json.loads(line) for line in failed("json").splitlines()]
    assert (record["event"], record["activity_id"], record["level"]) == ("worker.failed", 7, "error")


def test_google_finds_severity_message_trace_and_errors() -> None:
    """Cloud Logging's field names; an error without a traceback is marked as one, with one it is found by that."""
    program = FAIL.replace("configure_logs(LogFormat(sys.argv[1]))", CONFIGURED) + TRACED
    told = subprocess.run([sys.executable, "-c", program, "google"], capture_output=True, text=True, check=True)
    failed, warned, erred = [json.loads(line) for line in told.stderr.splitlines()]
    assert (failed["severity"], failed["event"], failed["activity_id"]) == ("ERROR", "worker.failed", 7)
    assert failed["exception"].startswith("Traceback (most recent call last):\n")
    assert failed["message"] == "worker.failed: Athlete …801 left."
    assert (warned["severity"], warned["message"]) == ("WARNING", "worker.slow")
    assert warned["logging.googleapis.com/trace"] == "projects/my-project/traces/4bf92f3577b34da6a3ce929d0e0e4736"
    marked = ["@type" in each for each in (failed, warned, erred)]
    assert (marked, erred["@type"].rpartition(".")[2]) == ([False, False, True], "ReportedErrorEvent")
    assert not {"level", "trace"} & {*failed, *warned, *erred}


CONFIGURED = "configure_logs(LogFormat(sys.argv[1]), project='my-project')"
TRACED = """
structlog.contextvars.bind_contextvars(trace="4bf92f3577b34da6a3ce929d0e0e4736")
structlog.get_logger().warning("worker.slow")
structlog.get_logger().error("event.dead")
"""

UVICORN = """
import logging
from runtime.logs import configure_logs
from runtime.settings import LogFormat

configure_logs(LogFormat.JSON)
logging.getLogger("uvicorn.error").info("Started [%d]", 7, extra={"color_message": "Started [coloured]"})
"""


def test_uvicorns_lines_say_it_once() -> None:
    """The copy of the message that uvicorn makes for its own colours is left out; other extras are kept."""
    started = subprocess.run([sys.executable, "-c", UVICORN], capture_output=True, text=True, check=True)
    [record] = [json.loads(line) for line in started.stderr.splitlines()]
    assert record["event"] == "Started [7]"
    assert "color_message" not in record


@pytest.mark.parametrize(
    ("object_type", "name"), [("activity", "activity_id"), ("athlete", "athlete_id"), ("other", "object_id")]
)
def test_only_an_activity_has_an_activity_id(object_type: str, name: str) -> None:
    """One name for an activity's id in every program's lines, and it is never an athlete's."""
    assert logged_object(object_type, 7) == {name: 7}


HOSTILE = """
import logging, sys, structlog
from runtime.logs import configure_logs
from runtime.settings import LogFormat

configure_logs(LogFormat(sys.argv[1]))
hostile = "a\\x1b[2Jb\\rc\\nd\\x07\\x9be\\u202ef\\u2028g"
structlog.get_logger().info(f"{hostile}.stored", object_type=hostile, nested={"k": [hostile]})
logging.getLogger("uvicorn.error").warning("%s", hostile)
try:
    raise ValueError(hostile)
except ValueError:
    structlog.get_logger().exception("worker.failed")
"""


@pytest.mark.parametrize("log_format", ["console", "json", "google"])
def test_control_characters_stay_out_of_the_log(log_format: str) -> None:
    """The text of a stranger's event moves no cursor, begins no line and turns no writing around.

    Event names, fields, other libraries' messages and tracebacks alike; what it was can still be read.
    """
    told = subprocess.run([sys.executable, "-c", HOSTILE, log_format], capture_output=True, check=True)
    text = told.stderr.decode()
    assert not set(text) & set("\x1b\r\x07\x9b\u202e\u2028")
    assert not [line for line in text.splitlines() if line.startswith("d")]
    assert text.count("x1b[2Jb") == 5 if log_format == "console" else 4


def test_letters_of_every_script_stay_in_the_log() -> None:
    """What is escaped are control characters, not names in another alphabet."""
    program = HOSTILE.partition("hostile =")[0] + 'structlog.get_logger().info("größe", name="日本 שלום 🚴")'
    told = subprocess.run([sys.executable, "-c", program, "console"], capture_output=True, check=True)
    assert "größe" in told.stderr.decode()
    assert "日本 שלום 🚴" in told.stderr.decode()


def test_a_logger_in_use_follows_the_last_configuration() -> None:
    """A quiet command leaves no logger silent in the process that ran it."""
    configure_logs(LogFormat.JSON, "CRITICAL")
    log.warning("worker.slow")
    configure_logs(LogFormat.JSON)
    with capture_logs() as lines:
        log.warning("worker.slow")
    assert [line["event"] for line in lines] == ["worker.slow"]
