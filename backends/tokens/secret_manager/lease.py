"""The right to refresh as a lease: noted on a secret without a value, taken where its etag still fits, and renewed.

Of several who ask, one gets its UpdateSecret through, however old the state was that they read.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

import structlog

from backends.tokens import TokensUnavailable
from backends.tokens.secret_manager.client import Secret, SecretClient
from runtime.clock import utc_text

_HOLDER, _ENDS_AT = "holder", "ends_at"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class LeasePolicy:
    """How long a lease lasts and is waited for, in seconds; `skew_s` is what two machines' clocks may differ by."""

    lease_s: float = 30.0
    skew_s: float = 5.0
    wait_s: float = 60.0  # longer than the lease of a holder that has died
    poll_s: float = 0.5


class Lease:
    """Held inside `async with`. Raises TokensUnavailable; who wants to wait no longer cancels the entry."""

    def __init__(
        self, client: SecretClient, secret_id: str, *, policy: LeasePolicy, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._lease = timedelta(seconds=policy.lease_s)
        self._skew = timedelta(seconds=policy.skew_s)
        self._poll_s = policy.poll_s
        self._clock = clock
        self._holder = uuid4().hex
        self._etag = ""
        self._ends_at: datetime | None = None
        self._has_ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        while not await self._take():  # noqa: ASYNC110 - its holder may be on another machine
            await asyncio.sleep(self._poll_s)
        self._renewal = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._has_ended.set()
        await self._renewal
        try:
            await self._client.annotate(self._secret_id, self._etag, {})
        except TokensUnavailable as error:
            _log.warning("tokens.lease_not_returned", reason=str(error))  # it ends by itself

    async def is_held(self) -> bool:
        """Whether nobody else can take it before a save that begins now has ended."""
        if self._ends_at is not None and self._ends_at - self._clock() >= self._lease / 3:
            return True
        return await self._renew()

    async def _take(self) -> bool:
        """Take the lease if it is free: no secret yet, nobody noted on it, or one whose time is over."""
        secret = await self._client.get(self._secret_id)
        noted, ends_at = self._note()
        if secret is None:
            return self._got(await self._client.create(self._secret_id, noted), ends_at)
        if not self._is_mine(secret) and self._is_running(secret):
            return False
        return self._got(await self._client.annotate(self._secret_id, secret.etag, noted), ends_at)

    async def _renew(self) -> bool:
        noted, ends_at = self._note()
        if self._got(await self._client.annotate(self._secret_id, self._etag, noted), ends_at):
            return True
        # An earlier renewal whose answer was lost has changed the etag, or somebody has taken over.
        secret = await self._client.get(self._secret_id)
        if secret is None or not self._is_mine(secret):
            return False
        return self._got(await self._client.annotate(self._secret_id, secret.etag, noted), ends_at)

    async def _keep(self) -> None:
        """Renew until the end: a purge may take longer than a lease."""
        while not self._has_ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._has_ended.wait(), (self._lease / 3).total_seconds())
                return
            try:
                if not await self._renew():
                    _log.warning("tokens.lease_lost")
                    return
            except TokensUnavailable as error:
                _log.warning("tokens.lease_not_renewed", reason=str(error))

    def _note(self) -> tuple[dict[str, str], datetime]:
        ends_at = self._clock() + self._lease
        return {_HOLDER: self._holder, _ENDS_AT: utc_text(ends_at)}, ends_at

    def _got(self, changed: Secret | None, ends_at: datetime) -> bool:
        if changed is None:
            return False
        self._etag, self._ends_at = changed.etag, ends_at
        return True

    def _is_mine(self, secret: Secret) -> bool:
        return secret.annotations.get(_HOLDER) == self._holder

    def _is_running(self, secret: Secret) -> bool:
        try:
            ends_at = datetime.fromisoformat(secret.annotations[_ENDS_AT])
            return self._clock() < ends_at + self._skew
        except (KeyError, ValueError, TypeError):  # nobody is noted, or nothing that a lease has written
            return False
