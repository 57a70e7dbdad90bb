"""Starts one server of a benchmark, and stops it also after an error."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psutil

START_TIMEOUT_S = 60


@contextmanager
def running(
    arguments: Sequence[str], url: str, environment: Mapping[str, str] | None = None, folder: str | None = None
) -> Iterator[psutil.Process]:
    """Run `python ARGUMENTS` until the block ends; it begins once `url` answers. The program's log goes nowhere."""
    process = subprocess.Popen(
        [sys.executable, *arguments], env={**os.environ, **(environment or {})}, cwd=folder, stderr=subprocess.DEVNULL
    )
    try:
        _until_answers(process, url)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _until_answers(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - loopback
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
