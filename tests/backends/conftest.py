"""A Secret Manager for the tests of the tokens in it. Only they load Google's SDK."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from backends.tokens.secret_manager.store import SecretManagerTokenStore as Store
    from tests.secret_manager_server import Project, SecretManagerServer
    from tests.secret_manager_stores import HandClock, OpenStore


@pytest.fixture(scope="module")
def server() -> "Iterator[SecretManagerServer]":
    """A Secret Manager for all tests; each has a project of its own."""
    from tests.secret_manager_server import running_server  # noqa: PLC0415 - Google's SDK

    with running_server() as running:
        yield running


@pytest.fixture
def clock() -> "HandClock":
    """The clock of every machine."""
    from tests.secret_manager_stores import HandClock  # noqa: PLC0415 - Google's SDK

    return HandClock()


@pytest.fixture
def project(server: "SecretManagerServer", request: pytest.FixtureRequest) -> "Project":
    """What the server keeps for this test."""
    return server.project(request.node.name)


@pytest.fixture
async def open_store(
    server: "SecretManagerServer", request: pytest.FixtureRequest, clock: "HandClock"
) -> "AsyncIterator[OpenStore]":
    """A way to open stores, each as another program would."""
    from tests.secret_manager_stores import open_stores  # noqa: PLC0415 - Google's SDK

    async with open_stores(server, request.node.name, clock) as open_one:
        yield open_one


@pytest.fixture
def store(open_store: "OpenStore") -> "Store":
    """The store, opened once."""
    return open_store()
