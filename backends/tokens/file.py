"""Tokens in one JSON file: replaced whole, readable by its owner alone, refreshed by one process at a time."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import AsyncFileLock, FileLock, Timeout

from backends.data_folder import make_private
from backends.durable_file import put_in_place
from backends.tokens import TokensUnavailable
from strava.tokens import TokenSet

OWNER_ONLY = 0o600
REFRESH_WAIT_S = 60.0
REFRESH_SLOTS = 16

_Athletes = dict[str, TokenSet]


class FileTokenStore:
    """Implements `TokenStore` on one file; several processes may share it.

    A reader sees the file as it was before or after a save, never in between, whenever the writer dies.
    Raises TokensUnavailable when the file is damaged, or cannot be read or written.
    """

    def __init__(self, path: Path, *, refresh_wait_s: float = REFRESH_WAIT_S) -> None:
        self._path = path
        self._refresh_wait_s = refresh_wait_s

    async def load(self, athlete_id: int) -> TokenSet | None:
        """Return the newest saved tokens, or None when the athlete has none."""
        athletes = await asyncio.to_thread(self._read)
        return athletes.get(str(athlete_id))

    async def save(self, athlete_id: int, tokens: TokenSet) -> None:
        """Replace the athlete's tokens; on disk when this returns."""
        await self._change(lambda athletes: athletes.update({str(athlete_id): tokens}))

    async def delete(self, athlete_id: int) -> None:
        """Remove the athlete's tokens; removing none is success."""
        await self._change(lambda athletes: athletes.pop(str(athlete_id), None))

    @asynccontextmanager
    async def refreshing(self, athlete_id: int) -> AsyncIterator[None]:
        """Hold the right to refresh this athlete's tokens, alone among all tasks and processes.

        A holder that dies gives it up. Raises TokensUnavailable when another holds it for too long.
        """
        # A slot rather than the id: a file name must not outlive a purge and tell who was here.
        slot = self._beside(f".refresh-{athlete_id % REFRESH_SLOTS}.lock")
        lock = AsyncFileLock(slot, timeout=self._refresh_wait_s, mode=OWNER_ONLY)
        try:
            make_private(self._path.parent)
            await lock.acquire()
        except (Timeout, OSError) as error:
            raise TokensUnavailable(
                f"Another process has been refreshing the tokens of athlete {athlete_id} for more than "
                f"{self._refresh_wait_s:g} s, or {slot} cannot be written; try again later."
            ) from error
        try:
            yield
        finally:
            await lock.release()

    async def _change(self, edit: Callable[[_Athletes], object]) -> None:
        work = asyncio.ensure_future(asyncio.to_thread(self._rewrite, edit))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            # Whoever holds `refreshing` must not let go of it while the rotated token is still on its way to the disk.
            await asyncio.wait({work})
            raise

    def _rewrite(self, edit: Callable[[_Athletes], object]) -> None:
        try:
            make_private(self._path.parent)
            with FileLock(self._beside(".lock"), mode=OWNER_ONLY):
                athletes = self._read()
                edit(athletes)
                self._replace(_to_json(athletes))
        except OSError as error:
            raise TokensUnavailable(
                f"The tokens in {self._path} cannot be saved ({error.strerror}); check the disk and the folder's owner."
            ) from error

    def _read(self) -> _Athletes:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise TokensUnavailable(
                f"The tokens in {self._path} cannot be read ({error.strerror}); check the file's owner and rights."
            ) from error
        except UnicodeDecodeError:
            text = ""
        athletes = _from_json(text)
        if athletes is None:  # raised out here: the decoder's own errors carry the text, so the secrets, with them
            raise TokensUnavailable(
                f"The token file {self._path} is damaged; restore it from a backup, or move it away and "
                "run `athlete connect` for each athlete again."
            )
        return athletes

    def _replace(self, content: bytes) -> None:
        # The name is fixed and ours alone under the lock, so a killed writer's leftover is cleared by the next.
        draft = self._beside(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        put_in_place(draft, self._path)

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(f"{self._path.name}{suffix}")


def _to_json(athletes: _Athletes) -> bytes:
    rows = {athlete_id: _to_row(tokens) for athlete_id, tokens in athletes.items()}
    return json.dumps({"athletes": rows}, indent=2).encode()


def _from_json(text: str) -> _Athletes | None:
    """Read the file's text; None when it is not what `_to_json` writes."""
    try:
        return {athlete_id: _from_row(row) for athlete_id, row in json.loads(text)["athletes"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _to_row(tokens: TokenSet) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": tokens.expires_at.astimezone(UTC).isoformat(),
        "scope": sorted(tokens.scope),
    }


def _from_row(row: dict[str, Any]) -> TokenSet:
    access_token, refresh_token = row["access_token"], row["refresh_token"]
    if not (isinstance(access_token, str) and isinstance(refresh_token, str)):
        raise TypeError("a token is text")
    return TokenSet(
        access_token=access_token,
        refresh_token=refresh_token,
        expires_at=datetime.fromisoformat(row["expires_at"]),
        scope=frozenset(row["scope"]),
    )
