"""A process of its own for the tests: waits for a line, then makes calls, 16 at once. Prints what came of them.

Arguments: the budget's file, the address of the simulator, how many calls, and `die` to be killed in the midst of them.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from itertools import count
from pathlib import Path

import httpx

from backends.budget.file import FileBudgetStore
from strava.budget import RateBudget
from strava.client import StravaClient
from strava.errors import StravaError


def say(line: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(path: str, url: str, calls: str, *how: str) -> None:
    """Make the calls, as the worker does under load."""
    budget = RateBudget(FileBudgetStore(Path(path)))
    at_once, made, ends = asyncio.Semaphore(16), count(1), Counter[str]()
    async with httpx.AsyncClient(timeout=30) as http:
        client = StravaClient(http, None, api_url=url, budget=budget)

        async def call() -> None:
            async with at_once:
                if how == ("die",) and next(made) == 20:
                    os.kill(os.getpid(), signal.SIGKILL)
                try:
                    await client.gear("g1")
                    ends["answered"] += 1
                except StravaError as error:
                    ends[type(error).__name__] += 1

        say("ready")
        sys.stdin.readline()
        await asyncio.gather(*(call() for _ in range(int(calls))))
    say(" ".join(f"{end}={number}" for end, number in sorted(ends.items())))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
