"""A pipeline of real processes on loopback, against the simulator, in a folder of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright

from athlete.demo.config import DemoConfig, demo_secrets
from athlete.demo.session import DemoSession, open_session
from athlete.programs import Ports
from athlete.supervisor import free_port
from tests.parsed_project import give_built

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


def make_config(data_dir: Path, **options: Any) -> DemoConfig:
    """A config on free ports; `options` are more of its fields."""
    path_secret, verify_token = demo_secrets(data_dir)
    return DemoConfig(
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
async def start(tmp_path: Path, built_project: Path) -> AsyncIterator[Callable[..., Awaitable[DemoSession]]]:
    """What starts the named programs (None: all) on a config with the given fields; they stop with the test."""
    give_built(built_project, tmp_path)
    async with AsyncExitStack() as stack:

        async def _start(programs: set[str] | None = None, **options: Any) -> DemoSession:
            return await stack.enter_async_context(open_session(make_config(tmp_path, **options), programs))

        yield _start


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, headless=True, args=QUIET)
        yield browser
        await browser.close()
