"""What is wrong with athlete.toml, in sentences that name the line and say what to do."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence

from pydantic import ValidationError

_HEADER = re.compile(r"^\s*\[(\[?)\s*([\w.\-]+)\s*\]")
_KEY = re.compile(r"^\s*([\w.\-]+)\s*=")
_GUIDE = "docs/athlete-toml.md lists what can be said"
# pydantic's own sentences speak to a programmer.
_SAID: Mapping[str, str] = {
    "extra_forbidden": f"nothing is called so here; {_GUIDE}",
    "float_type": "write a number, without quotes",
    "int_type": "write a whole number, without quotes",
    "missing": f"it is missing; {_GUIDE}",
    "list_type": "write a list in square brackets",
    "model_type": "write a table",
    "int_parsing": "write an athlete's number, as Strava's address of the profile ends with",
}

Path = tuple[str | int, ...]


class AthleteFileFault(ValueError):
    """The file cannot be taken; the sentence says why, and what to do."""

    def told_of(self, file: object) -> str:
        """Say of which file, and what holds meanwhile."""
        return f"{file} is not taken, and what it said before stays in force: {self}."


def fault_of_syntax(error: tomllib.TOMLDecodeError) -> AthleteFileFault:
    """Return what a file says that is no TOML; the parser names line and column."""
    return AthleteFileFault(f"it is no TOML: {error}; correct the line")


def faults_of(error: ValidationError, text: str) -> AthleteFileFault:
    """Return what is wrong with each value, line by line."""
    places = list(_places(text))
    told = [(_line_of(fault["loc"], places), fault["loc"], _sentence(fault)) for fault in error.errors()]
    return AthleteFileFault(
        "; ".join(
            f"line {line}: {'.'.join(map(str, loc))}: {sentence}" for line, loc, sentence in sorted(told, key=str)
        )
    )


def _sentence(fault: Mapping[str, object]) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    return _SAID.get(str(fault["type"]), message[:1].lower() + message[1:])


def _places(text: str) -> Iterator[tuple[Path, int]]:
    """Yield where each table and each key stands; tables of an array are counted."""
    table: Path = ()
    counts: dict[str, int] = {}
    for line, content in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(content):
            name = header[2]
            table = tuple(name.split("."))
            if header[1]:
                table = (*table, counts.setdefault(name, 0))
                counts[name] += 1
            yield table, line
        elif key := _KEY.match(content):
            yield (*table, *key[1].split(".")), line


def _line_of(wanted: Sequence[str | int], places: Sequence[tuple[Path, int]]) -> int:
    """Return the line of the most of the path that stands in the file."""
    texts = [str(each) for each in wanted]
    best, best_length = 1, 0
    for path, line in places:
        length = len(path)
        if best_length < length <= len(texts) and [str(each) for each in path] == texts[:length]:
            best, best_length = line, length
    return best
