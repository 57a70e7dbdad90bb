"""Stores of tokens on the Secret Manager of the tests, and what the tests of several files do with them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import grpc

from backends.tokens import TokenSet
from backends.tokens.secret_manager.client import SecretClient
from backends.tokens.secret_manager.lease import LeasePolicy
from backends.tokens.secret_manager.store import SecretManagerTokenStore as Store
from runtime.clock import utc_now
from tests.secret_manager_server import Project, SecretManagerServer

ANNA, PREFIX = 101, "athlete-tokens"
SECRET, LEASE = f"{PREFIX}-{ANNA}", f"{PREFIX}-refresh-{ANNA % 16:02}"
OpenStore = Callable[[], Store]


class HandClock:
    """A clock that only moves when told."""

    now = datetime(2026, 5, 4, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_lease(self) -> None:
        """Go on until any lease has ended."""
        self.now += timedelta(seconds=36)


@asynccontextmanager
async def open_stores(
    server: SecretManagerServer, project: str, clock: Callable[[], datetime] = utc_now
) -> AsyncIterator[Callable[[], Store]]:
    """Give a way to open stores on one project, each with a connection of its own, as programs would."""
    opened: list[Store] = []

    def open_one() -> Store:
        client = SecretClient(project, server.endpoint)
        policy = LeasePolicy(wait_s=30, poll_s=0.01)
        opened.append(Store(client, PREFIX, lease_policy=policy, clock=clock))
        return opened[-1]

    yield open_one
    for each in opened:
        await each.close()


def tokens(number: int) -> TokenSet:
    """Tokens that tell their number."""
    expires_at = datetime(2026, 5, 4, 18, tzinfo=UTC)
    return TokenSet(access_token=f"s3cr3t-a{number}", refresh_token=f"s3cr3t-r{number}", expires_at=expires_at)


def only(*methods: str, code: grpc.StatusCode = grpc.StatusCode.INTERNAL) -> Callable[[str], grpc.StatusCode | None]:
    """Make some calls fail."""
    return lambda method: code if method in methods else None


def noted(project: Project) -> dict[str, str]:
    """Return what is noted on the lease."""
    return dict(project.secrets[LEASE].meta.annotations)


async def refresh(store: Store, number: int = 2) -> None:
    """Do what a refresh does: hold the right, read, save."""
    async with store.refreshing(ANNA):
        await store.load(ANNA)
        await store.save(ANNA, tokens(number))
