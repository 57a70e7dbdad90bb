"""Tokens in Google's Secret Manager: a secret for each athlete, whose newest version counts.

docs/decisions/0017-tokens-in-secret-manager.md has the order of the calls, and what a kill between two of them leaves.
"""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

import structlog

from backends.tokens import TokensGone, TokensUnavailable
from backends.tokens.secret_manager.client import SecretClient, Version
from backends.tokens.secret_manager.lease import Lease, LeasePolicy
from backends.tokens.shielded import shielded
from backends.tokens.token_row import DamagedRow, from_row, to_row
from runtime.clock import utc_now
from strava.tokens import TokenSet

REFRESH_SLOTS = 16

_log = structlog.get_logger(__name__)


class SecretManagerTokenStore:
    """Implements `AthleteTokens` on Secret Manager; programs on several machines may share it.

    Raises TokensUnavailable when Google does not answer or refuses, and TokensGone when the newest tokens cannot be
    read any more. Used on one event loop.
    """

    def __init__(
        self,
        client: SecretClient,
        prefix: str,
        *,
        lease_policy: LeasePolicy | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._lease_policy = lease_policy or LeasePolicy()
        self._clock = clock
        self._numbers: dict[int, int] = {}  # a version of each athlete that was the newest once
        self._here = defaultdict[int, asyncio.Lock](asyncio.Lock)
        self._leases: dict[int, Lease] = {}

    async def load(self, athlete_id: int) -> TokenSet | None:
        """Return the newest saved tokens, or None when the athlete has none."""
        version = await self._newest(athlete_id)
        if version is None:
            self._numbers.pop(athlete_id, None)
            return None
        self._numbers[athlete_id] = version.number
        try:
            return _from_version(version)
        except DamagedRow as error:
            fault = str(error)
        # Raised out here: the decoder's own errors carry the text, so the secrets, with them.
        raise TokensGone(
            f"Version {version.number} of the secret {self._secret(athlete_id)}, the newest, cannot be used ({fault}): "
            "enable it if it is disabled, or run `athlete connect` for this athlete again."
        )

    async def athlete_ids(self) -> list[int]:
        """Return the athletes who have tokens, in a fixed order; a new one may be missing for minutes."""
        listed = [re.fullmatch(rf"{re.escape(self._prefix)}-(\d+)", each) for each in await self._client.ids()]
        athlete_ids = sorted(int(match[1]) for match in listed if match)
        has_tokens = await asyncio.gather(*(self._client.has(self._secret(each), 1) for each in athlete_ids))
        return [athlete_id for athlete_id, has_some in zip(athlete_ids, has_tokens, strict=True) if has_some]

    async def save(self, athlete_id: int, tokens: TokenSet) -> None:
        """Replace the athlete's tokens; stored and read back when this returns."""
        await shielded(self._save(athlete_id, tokens))

    async def delete(self, athlete_id: int) -> None:
        """Remove the athlete's tokens; removing none is success."""
        await self._client.delete(self._secret(athlete_id))
        self._numbers.pop(athlete_id, None)

    @asynccontextmanager
    async def refreshing(self, athlete_id: int) -> AsyncIterator[None]:
        """Hold the right to refresh this athlete's tokens, alone among all tasks and machines.

        A holder that dies gives it up when its lease ends. Raises TokensUnavailable when another holds it for too long.
        """
        # A slot rather than the athlete's own secret: the right must outlast the secret in a purge, and leave no id.
        slot, policy = athlete_id % REFRESH_SLOTS, self._lease_policy
        lease = Lease(self._client, f"{self._prefix}-refresh-{slot:02}", policy=policy, clock=self._clock)
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(policy.wait_s):
                    await held.enter_async_context(self._here[slot])  # or tasks of one program would all ask Google
                    await held.enter_async_context(lease)
            except TimeoutError as error:
                raise TokensUnavailable(
                    f"Another program has been refreshing the tokens of athlete {athlete_id} for more than "
                    f"{policy.wait_s:g} s; try again later."
                ) from error
            self._leases[athlete_id] = lease
            try:
                yield
            finally:
                del self._leases[athlete_id]

    async def close(self) -> None:
        """Close the connection to Google."""
        await self._client.close()

    def _secret(self, athlete_id: int) -> str:
        return f"{self._prefix}-{athlete_id}"

    async def _newest(self, athlete_id: int) -> Version | None:
        """Find the version with the highest number: numbers have no gaps, and by number a new one is seen at once.

        The search starts at any version that is known to exist; where it is gone, the secret was made once more.
        """
        secret_id = self._secret(athlete_id)
        known = self._numbers.get(athlete_id)
        newest = await self._upwards(secret_id, known) if known else None
        if newest is None and (latest := await self._client.latest(secret_id)):
            newest = await self._upwards(secret_id, latest)
        return newest or await self._upwards(secret_id, 0)

    async def _upwards(self, secret_id: str, number: int) -> Version | None:
        here, above = await asyncio.gather(
            self._client.access(secret_id, number) if number else _no_version(),
            self._client.access(secret_id, number + 1),
        )
        while above is not None:
            here, above = above, await self._client.access(secret_id, above.number + 1)
        return here

    async def _save(self, athlete_id: int, tokens: TokenSet) -> None:
        lease = self._leases.get(athlete_id)
        if lease is not None and not await lease.is_held():
            raise TokensUnavailable(
                f"The tokens of athlete {athlete_id} were not saved, because another program has taken over their "
                "refresh meanwhile; try again later."
            )
        secret_id, data = self._secret(athlete_id), json.dumps(to_row(tokens), indent=2).encode()
        number = await self._add(secret_id, data)
        added = await self._client.access(secret_id, number)
        if added is None or added.data != data:
            raise TokensUnavailable(
                f"Version {number} of the secret {secret_id} does not hold what was saved; try again later."
            )
        self._numbers[athlete_id] = number
        await self._destroy_older(secret_id, number)

    async def _add(self, secret_id: str, data: bytes) -> int:
        number = await self._client.add(secret_id, data)
        if number is None:
            await self._client.create(secret_id)
            number = await self._client.add(secret_id, data)
        if number is None:
            raise TokensUnavailable(f"The secret {secret_id} has just been made or deleted; try again later.")
        return number

    async def _destroy_older(self, secret_id: str, number: int) -> None:
        """Destroy what was replaced. What fails is left to the next save: the new tokens are stored already."""
        try:
            for each in await self._client.not_destroyed(secret_id):
                if each < number:
                    await self._client.destroy(secret_id, each)
        except TokensUnavailable as error:
            _log.warning("tokens.old_versions_left", newest=number, reason=str(error))


async def _no_version() -> Version | None:
    return None


def _from_version(version: Version) -> TokenSet:
    """Read what `save` wrote. Raises DamagedRow."""
    if version.data is None:
        raise DamagedRow("it is disabled or destroyed")
    try:
        row = json.loads(version.data)
    except (ValueError, RecursionError):
        raise DamagedRow("it is not JSON") from None
    return from_row(row, "tokens")
