"""How a program of ours ends when it cannot begin: with one sentence for whoever started it, instead of a traceback."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from backends.settings import settings_complaint
from backends.sqlite import SchemaMismatch

CANNOT_BEGIN = 2


@contextmanager
def clear_refusal(program: str, *expected: type[Exception]) -> Iterator[None]:
    """Leave with code 2 and one sentence when the body raises what wrong settings or an unusable file raise.

    `expected` are the errors of the program's own adapters; their texts are sentences already.
    """
    sentences: tuple[type[Exception], ...] = (SchemaMismatch, OSError, *expected)
    try:
        yield
    except ValidationError as error:
        _leave(program, settings_complaint(error))
    except sqlite3.Error as error:
        _leave(program, f"The pipeline's file in DATA_DIR cannot be used: {error}.")
    except sentences as error:
        _leave(program, str(error))


def _leave(program: str, sentence: str) -> None:
    print(f"{program}: {sentence}", file=sys.stderr)  # noqa: T201 - how it is to be logged may be what is wrong
    sys.exit(CANNOT_BEGIN)
