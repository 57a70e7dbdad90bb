"""What a check finds: how grave it is, what it is, and what to do."""

import re
from dataclasses import dataclass
from enum import StrEnum

REPORT = "Mend what this names; if it names nothing, report it as a fault of this program."


class Status(StrEnum):
    """Green is well, yellow wants a look or time, red needs somebody."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's; `fix` says in one sentence what to do, and is empty where nothing is."""

    status: Status
    what: str
    fix: str = ""


def green(what: str) -> Finding:
    """Return a finding that needs nothing."""
    return Finding(Status.GREEN, what)


def yellow(what: str, fix: str) -> Finding:
    """Return a finding that wants a look."""
    return Finding(Status.YELLOW, what, fix)


def red(what: str, fix: str) -> Finding:
    """Return a finding that stops something."""
    return Finding(Status.RED, what, fix)


def red_of(error: Exception | str) -> Finding:
    """Return a finding from a sentence of ours, which says what happened first and then what to do."""
    what, fix = in_two(str(error))
    return red(what, fix)


def in_two(sentence: str) -> tuple[str, str]:
    """Divide a sentence into what happened and what to do."""
    for divider in (r"(?<=\)): |; |\. (?=[A-Z`])", r": "):
        parts = re.split(divider, sentence, maxsplit=1)
        if len(parts) == 2:  # noqa: PLR2004 - two parts
            what, fix = parts
            return f"{what}.", fix[:1].upper() + fix[1:]
    return sentence, REPORT


def spoken_age(seconds: float) -> str:
    """Return an age in one unit."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"
