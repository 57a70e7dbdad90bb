"""What the simulator remembers between starts: an append-only file, compacted in one atomic step at each start.

A kill at any point loses at most the line in hand.
"""

import os
from collections import defaultdict
from pathlib import Path
from typing import Any, BinaryIO

import orjson


class StateUnusable(Exception):
    """The file that keeps the state cannot be read or written; the sentence names it and says what to do."""


class Journal:
    """Keeps JSON values by kind and key. Without a path it forgets everything at the end. Raises StateUnusable."""

    def __init__(self, path: Path | None = None) -> None:
        self._values: dict[str, dict[str, Any]] = defaultdict(dict)
        self._file: BinaryIO | None = None
        if path is not None:
            try:
                self._replay(path)
                self._file = self._compact(path)
            except OSError as error:
                raise StateUnusable(
                    f"SIMULATOR_STATE cannot be used ({error.strerror}: {error.filename}); set it to a file."
                ) from error

    @classmethod
    def remembered(cls, path: Path) -> "Journal":
        """Return what a file holds, which another program may be writing; nothing is written. Raises StateUnusable."""
        journal = cls()
        try:
            journal._replay(path)
        except OSError as error:
            raise StateUnusable(f"{path} cannot be read: {error.strerror}.") from error
        return journal

    def of(self, kind: str) -> dict[str, Any]:
        """Return all values of a kind by key, in the order in which their keys first came."""
        return dict(self._values[kind])

    def put(self, kind: str, key: str, value: Any) -> None:
        """Remember the value in place of any earlier one."""
        self._values[kind][key] = value
        self._append([kind, key, value])

    def drop(self, kind: str, key: str) -> None:
        """Forget the value; forgetting none is success."""
        if self._values[kind].pop(key, None) is not None:
            self._append([kind, key])

    def section(self, name: str) -> "Journal":
        """Return a part of this journal whose kinds are its own; it is closed with the whole."""
        return _Section(self, name)

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, line: list[Any]) -> None:
        if self._file is not None:
            self._file.write(orjson.dumps(line) + b"\n")
            self._file.flush()

    def _replay(self, path: Path) -> None:
        *lines, last = path.read_bytes().split(b"\n") if path.exists() else [b""]
        if last and not last.startswith(b"["):  # what a kill has cut off begins so
            raise _foreign(path)
        for line in lines:
            kind, key, *value = _entry(line, path)
            if value:
                self._values[kind][key] = value[0]
            else:
                self._values[kind].pop(key, None)

    def _compact(self, path: Path) -> BinaryIO:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            for kind, values in self._values.items():
                file.writelines(orjson.dumps([kind, key, value]) + b"\n" for key, value in values.items())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        return path.open("ab")


def _entry(line: bytes, path: Path) -> list[Any]:
    """Read one line: a kind, a key, and the value unless it was dropped. Raises StateUnusable."""
    try:
        match orjson.loads(line):
            case [str(kind), str(key), *value] if len(value) <= 1:
                return [kind, key, *value]
    except orjson.JSONDecodeError:
        pass
    raise _foreign(path)


def _foreign(path: Path) -> StateUnusable:
    return StateUnusable(
        f"SIMULATOR_STATE names {path}, which holds something else; it is left as it is. "
        "Name a file of the simulator's own, or one that does not exist yet."
    )


class _Section(Journal):
    def __init__(self, whole: Journal, name: str) -> None:
        super().__init__()
        self._whole, self._name = whole, name

    def of(self, kind: str) -> dict[str, Any]:
        return self._whole.of(f"{self._name}:{kind}")

    def put(self, kind: str, key: str, value: Any) -> None:
        self._whole.put(f"{self._name}:{kind}", key, value)

    def drop(self, kind: str, key: str) -> None:
        self._whole.drop(f"{self._name}:{kind}", key)
