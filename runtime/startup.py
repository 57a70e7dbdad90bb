"""Ends a program that cannot start with one sentence that says what to do, instead of a traceback."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from pydantic import ValidationError

from runtime.http_client import ProxyUnusable
from runtime.settings import PartMissing, settings_complaint

log = structlog.get_logger(__name__)

FAILED = 1
CANNOT_BEGIN = 2


def _no_sentence(_: Exception) -> str | None:
    return None


@contextmanager
def exit_on_startup_error(
    program: str,
    *expected: type[Exception],
    explain: Callable[[Exception], str | None] = _no_sentence,
    settings_prefix: str = "",
) -> Iterator[Callable[[], None]]:
    """Leave with code 2 and one sentence when the start raises what wrong settings or an unusable file raise.

    The body calls what it is given once the program has started. From then on every error is a fault of the program:
    it is logged with its traceback, and the code is 1. `expected` are the errors of the program's own adapters, whose
    texts are sentences already; `explain` returns the sentence for an error whose text is none, and None for any other.
    `settings_prefix` is what the names of its own settings begin with.
    """
    has_started = False

    def started() -> None:
        nonlocal has_started
        has_started = True

    try:
        yield started
    except Exception as error:
        if has_started:
            log.exception("program.failed", program=program)
            sys.exit(FAILED)
        sentence = explain(error) or _sentence(error, expected, settings_prefix)
        if sentence is None:
            raise
        print(f"{program}: {sentence}", file=sys.stderr)  # noqa: T201 - how it is to be logged may be what is wrong
        sys.exit(CANNOT_BEGIN)


def _sentence(error: Exception, expected: tuple[type[Exception], ...], settings_prefix: str) -> str | None:
    """Return what to tell of an error that a person can do something about; None for any other."""
    if isinstance(error, ValidationError | UnicodeDecodeError):
        return settings_complaint(error, settings_prefix)
    if isinstance(error, FileExistsError | NotADirectoryError) and error.filename:
        return f"DATA_DIR cannot be used, for {error.filename} is a file or is inside one; set it to a folder."
    if isinstance(error, (OSError, PartMissing, ProxyUnusable, *expected)):
        return str(error)
    return None
