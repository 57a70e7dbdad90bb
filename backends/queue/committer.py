"""A process that makes published messages durable, batch by batch, for the process that started it.

It is one of its own since a thread would contend with its parent's event loop for the interpreter. Each line of the
input is a batch as `messages.batch` makes it; each line of the output answers one, in their order: the id of its last
message, or REFUSED and the reason when nothing of it was stored. The first line answers the opening of the file, with 0
or a reason. It ends when its input does, thus with its parent, however that ends.
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from backends.queue import messages
from backends.sqlite import SchemaMismatch, empty_log, file_identity, open_database, when_free

REFUSED = b"!"
_READ_BYTES = 1 << 20
_FAULTS = (SchemaMismatch, sqlite3.Error, OSError)


class _File:
    """The queue's file, opened anew when another one, or none, lies where it lay: there its messages would be lost."""

    def __init__(self, path: Path, patience_s: float) -> None:
        self._path = path
        self._patience_s = patience_s
        self._connection = self._open()
        self._identity = file_identity(path)

    def store(self, batch: bytes) -> int:
        """Return the id of the batch's last message. Raises what opening the file raises."""
        if file_identity(self._path) != self._identity:
            moved, self._connection = self._connection, self._open()
            moved.close()
            self._identity = file_identity(self._path)
        return when_free(partial(messages.publish, self._connection, batch), self._patience_s)

    def close(self) -> None:
        """Close it, and leave the write-ahead log empty where nobody else needs it."""
        empty_log(self._connection)
        self._connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = open_database(self._path, busy_timeout_s=self._patience_s)
        connection.execute("pragma busy_timeout = 0")  # waiting for the lock is done by `when_free`
        return connection


def serve(path: Path, busy_timeout_s: float, batches: Iterable[bytes], answer: Callable[[bytes], object]) -> None:
    """Store each batch and answer it at once, until there are no more."""
    try:
        file = _File(path, busy_timeout_s)
    except _FAULTS as error:
        answer(_refusal(error))
        return
    with closing(file):
        answer(b"0\n")
        for batch in batches:
            if not batch.endswith(b"\n"):  # the parent was killed while it wrote
                return
            answer(_attempt(file, batch))


def _attempt(file: _File, batch: bytes) -> bytes:
    try:
        return b"%d\n" % file.store(batch)
    except _FAULTS as error:
        return _refusal(error)


def _refusal(error: Exception) -> bytes:
    return b"%s%s\n" % (REFUSED, " ".join(str(error).split()).encode())


def main() -> None:
    """Serve what is piped in. SIGINT and SIGTERM, which may be sent to a whole group, are left to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    path, busy_timeout_s = sys.argv[1:]
    with (
        suppress(BrokenPipeError),  # the parent was killed
        open(0, "rb", buffering=_READ_BYTES, closefd=False) as batches,
    ):
        serve(Path(path), float(busy_timeout_s), batches, partial(os.write, 1))


if __name__ == "__main__":
    main()
