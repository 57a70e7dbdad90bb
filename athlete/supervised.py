"""Runs one program's module and ends it when the parent is gone, even by kill -9: the parent holds its stdin."""

import os
import runpy
import signal
import sys
import threading


def end_with_parent() -> None:
    """Ask this process to end (SIGTERM) once standard input closes."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run `python -m athlete.supervised MODULE [ARGUMENT …]`."""
    sys.argv = sys.argv[1:]
    threading.Thread(target=end_with_parent, daemon=True).start()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
