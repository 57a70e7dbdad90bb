"""An athlete's OAuth tokens, and the store that a refresh saves them in."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenSet:
    """One athlete's tokens; the secrets are kept out of `repr`, so out of logs and error texts."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scope: frozenset[str] = frozenset()


class TokenStore(Protocol):
    """Keeps tokens by athlete. `save` is durable when it returns."""

    async def load(self, athlete_id: int) -> TokenSet | None:
        """Return the newest saved tokens, or None when the athlete has none."""

    async def save(self, athlete_id: int, tokens: TokenSet) -> None:
        """Replace the athlete's tokens, all or nothing, before returning."""

    async def delete(self, athlete_id: int) -> None:
        """Remove the athlete's tokens; removing none is success."""

    def refreshing(self, athlete_id: int) -> AbstractAsyncContextManager[None]:
        """Hold the right to refresh this athlete's tokens, alone among all processes."""
