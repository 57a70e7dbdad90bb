"""How the programs log: events with fields, coloured on a terminal, one JSON object a line for machines."""

import io
import logging
import re
import sys
import textwrap
import unicodedata
from typing import TextIO

import structlog

from runtime.settings import LogFormat

_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})

# What would move a terminal's cursor, begin a line or turn the writing's direction, as it is written in Python.
_ESCAPES = {
    point: ascii(chr(point))[1:-1]
    for point in range(0x2070)
    if unicodedata.category(chr(point)) in {"Cc", "Zl", "Zp"} or unicodedata.bidirectional(chr(point)) in _TURNING
}
_ESCAPES_OF_LINES = {point: text for point, text in _ESCAPES.items() if chr(point) not in "\n\t"}
_ATHLETE = re.compile(r"\b([Aa]thletes? )(\d{4,})")


def configure_logs(log_format: LogFormat, level: str = "INFO", *, project: str = "") -> None:
    """Send structlog's and the standard library's records through one renderer to stderr.

    `project` is that of Google Cloud, where a line is found by its request's trace.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        _without_colour,
        _without_control_characters,
        _without_athletes,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(log_format, project)],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def logged_object(object_type: str, object_id: int) -> dict[str, int]:
    """Name an event's object for a log line: an activity's id is `activity_id` in every program's lines."""
    name = {"activity": "activity_id", "athlete": "athlete_id"}.get(object_type, "object_id")
    return {name: object_id}


def _without_colour(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Drop the second copy of the message that uvicorn adds for its own formatter."""
    event.pop("color_message", None)
    return event


def _without_control_characters(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Escape what a stranger's text could do to the reader's terminal, in the event's name and in every field."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = value.translate(_ESCAPES)
    return event


def _without_athletes(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Leave three digits of an athlete's number, which tell ten athletes apart: a log outlives a purge."""
    for name, value in event.items():
        if name == "athlete_id" and value is not None:
            event[name] = f"…{str(value)[-3:]}"
        elif isinstance(value, str):
            event[name] = _shortened(value)
    return event


def _shortened(text: str) -> str:
    return _ATHLETE.sub(lambda found: f"{found[1]}…{found[2][-3:]}", text)


def _traceback(stream: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    """Write a plain traceback: structlog's own choice prints the values of local variables, tokens among them.

    It is indented, so that no line of an error's text looks like a line of the log.
    """
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    stream.write(textwrap.indent(_shortened(plain.getvalue()).translate(_ESCAPES_OF_LINES), "  "))


class _ForGoogle:
    """Names fields as Cloud Logging and Error Reporting read them.

    https://cloud.google.com/logging/docs/structured-logging, .../error-reporting/docs/formatting-error-messages: an
    error is grouped by its traceback in `exception`, and one without a traceback has to be marked as an error.
    """

    def __init__(self, project: str) -> None:
        self._traces = f"projects/{project}/traces/" if project else ""

    def __call__(self, _logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        level, reason = event.pop("level", "info"), event.get("reason")
        event["severity"] = level.upper()
        event["message"] = f"{event['event']}: {reason}" if reason else event["event"]
        if level in {"error", "critical"} and "exception" not in event:
            event["@type"] = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
        if (trace := event.pop("trace", None)) is not None:
            event["logging.googleapis.com/trace"] = f"{self._traces}{trace}"
        return event


def _renderers(log_format: LogFormat, project: str) -> list[structlog.typing.Processor]:
    if log_format is not LogFormat.CONSOLE:
        named = [_ForGoogle(project)] if log_format is LogFormat.GOOGLE else []
        return [structlog.processors.format_exc_info, _without_athletes, *named, structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_traceback)]
