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
from backends.sqlite import DatabaseTooNew, open_database, when_free

REFUSED = b"!"
_READ_BYTES = 1 << 20


def serve(path: Path, busy_timeout_s: float, batches: Iterable[bytes], answer: Callable[[bytes], object]) -> None:
    """Store each batch and answer it at once, until there are no more."""
    try:
        connection = open_database(path, busy_timeout_s=busy_timeout_s)
    except (DatabaseTooNew, sqlite3.Error, OSError) as error:
        answer(_refusal(error))
        return
    with closing(connection):
        connection.execute("pragma busy_timeout = 0")  # waiting for the lock is done by `when_free`
        answer(b"0\n")
        for line in batches:
            if not line.endswith(b"\n"):  # the parent was killed while it wrote
                return
            answer(_attempt(partial(messages.publish, connection, line), busy_timeout_s))


def _attempt(store: Callable[[], int], patience_s: float) -> bytes:
    try:
        return b"%d\n" % when_free(store, patience_s)
    except sqlite3.Error as error:
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
