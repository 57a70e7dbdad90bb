"""A pipeline of real processes on loopback, against the simulator, in a folder of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from athlete.demo.scene import Scene, playing
from athlete.demo.stage import Stage, pretend_secrets
from athlete.programs import Ports
from athlete.supervisor import free_port


def make_stage(data_dir: Path, **options: Any) -> Stage:
    """A stage on free ports; `options` are more of its fields."""
    path_secret, verify_token = pretend_secrets(data_dir)
    return Stage(
        **{
            "data_dir": data_dir,
            "ports": Ports(service=free_port(), worker=free_port(), dashboard=free_port()),
            "simulator_port": free_port(),
            "seed": 11,
            "years": 0,
            "path_secret": path_secret,
            "verify_token": verify_token,
            **options,
        }
    )


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Scene]]]:
    """What starts the named programs (None: all) on a stage with the given fields; they stop with the test."""
    async with AsyncExitStack() as stack:

        async def _start(programs: set[str] | None = None, **options: Any) -> Scene:
            return await stack.enter_async_context(playing(make_stage(tmp_path, **options), programs))

        yield _start
