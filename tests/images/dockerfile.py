"""Reads the Dockerfiles of the project: stages, and what stands in them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = ("service", "worker", "dashboard", "athlete")


@dataclass(frozen=True)
class Dockerfile:
    """The instructions of the stage that builds and of the one that is kept, and what stands before both."""

    arguments: list[tuple[str, str]]
    build: list[tuple[str, str]]
    final: list[tuple[str, str]]

    def copied(self) -> list[list[str]]:
        """Return the sources of each COPY from the project."""
        copies = [text.split()[:-1] for word, text in self.build + self.final if word == "COPY"]
        return [sources for sources in copies if not sources[0].startswith("--from=")]

    def rooms(self) -> set[str]:
        """Return the packages that the image holds."""
        return {source for sources in self.copied() for source in sources if "." not in source}

    def lock(self) -> str:
        """Return the lock file whose packages it holds."""
        return next(sources[0] for sources in self.copied() if sources[0].startswith("requirements/"))

    def command(self) -> list[str]:
        """Return the program and its arguments."""
        return _exec_form(self.one("CMD"))

    def health_check(self) -> list[str]:
        """Return the places that the health check asks."""
        command = _exec_form(self.one("HEALTHCHECK").partition("CMD ")[2])
        assert command[:3] == ["python", "-m", "runtime.health_probe"]
        return command[3:]

    def one(self, word: str) -> str:
        """Return what follows the only instruction of that name in the final stage."""
        [text] = [text for each, text in self.final if each == word]
        return text


def read(project_root: Path, program: str) -> Dockerfile:
    """Read the Dockerfile of a program."""
    text = (project_root / f"Dockerfile.{program}").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    instructions = [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line)]
    starts = [number for number, (word, _) in enumerate(instructions) if word == "FROM"]
    assert len(starts) == 2
    before, build, final = (instructions[begin:end] for begin, end in zip([0, *starts], [*starts, None], strict=True))
    return Dockerfile(before, build, final)


def _exec_form(text: str) -> list[str]:
    """Read a command that is run as it is, so that a signal reaches the program and no shell."""
    command: Any = json.loads(text)
    assert isinstance(command, list)
    return command
