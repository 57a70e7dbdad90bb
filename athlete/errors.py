"""What a person at the terminal is told when a command cannot do its work: one sentence, with what to do."""

import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import pydantic
import typer
from rich.console import Console
from rich.text import Text

from athlete.supervisor import ProgramFailed
from backends.database_errors import explain_database_error
from backends.engine import is_on_gcp
from backends.queue import QueueUnavailable
from backends.tokens import TokensUnavailable
from backends.warehouse import StatementRejected, WarehouseBusy
from backends.warehouse.marts import MartMissing, QueryFailed
from runtime.http_client import ProxyUnusable
from runtime.settings import PartMissing, SharedSettings, settings_complaint
from strava.errors import StravaError

P = ParamSpec("P")
R = TypeVar("R")


class CommandError(Exception):
    """A command cannot go on; the text says why and what to do."""


EXPECTED = (
    CommandError,
    MartMissing,
    OSError,
    PartMissing,
    ProgramFailed,
    QueryFailed,
    QueueUnavailable,
    StatementRejected,
    StravaError,
    TokensUnavailable,
    ProxyUnusable,
    WarehouseBusy,
)


def exit_on_error(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the expected errors of a command into one clear sentence on stderr and exit code 1."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (pydantic.ValidationError, UnicodeDecodeError) as error:
            _say(settings_complaint(error))
        except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or closing it would complain again
        except EXPECTED as error:
            _say(str(error))
        except Exception as error:
            if (sentence := explain_database_error(error)) is None:
                raise
            _say(sentence)
        raise typer.Exit(1)

    return guarded


def require_this_machine(settings: SharedSettings, what: str) -> None:
    """Refuse what makes no sense on Google Cloud; `what` says what it is. Raises CommandError."""
    if is_on_gcp(settings):
        raise CommandError(f"BACKEND=gcp is Google Cloud, and {what}.")


def warn(sentence: str) -> None:
    """Tell on stderr what a command that goes on has noticed; nothing is told of nothing."""
    if sentence:
        _say(sentence)


def _say(sentence: str) -> None:
    Console(file=sys.stderr).print(Text("athlete: ", "bold red") + Text(sentence), soft_wrap=True)
