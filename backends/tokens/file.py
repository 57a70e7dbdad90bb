"""Tokens in one JSON file: replaced whole, readable by its owner alone, refreshed by one process at a time."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from filelock import AsyncFileLock, FileLock, Timeout

from backends.atomic_file import write_private
from backends.tokens import TokensGone, TokensUnavailable
from backends.tokens.shielded import shielded
from backends.tokens.token_row import DamagedRow, from_row, to_row
from runtime.data_dir import make_private
from strava.tokens import TokenSet

OWNER_ONLY = 0o600
REFRESH_WAIT_S = 60.0
REFRESH_SLOTS = 16

_Athletes = dict[str, TokenSet]
_log = structlog.get_logger(__name__)


class FileTokenStore:
    """Implements `TokenStore` on one file; several processes may share it.

    A reader sees the file as it was before or after a save, never in between, whenever the writer dies.
    Raises TokensUnavailable when the file is damaged, or cannot be read or written, or is gone after it was there.
    One that is `read_only` also leaves the file's rights as they are.
    """

    def __init__(self, path: Path, *, refresh_wait_s: float = REFRESH_WAIT_S, read_only: bool = False) -> None:
        self._path = path
        self._read_only = read_only
        self._refresh_wait_s = refresh_wait_s

    async def load(self, athlete_id: int) -> TokenSet | None:
        """Return the newest saved tokens, or None when the athlete has none."""
        return (await asyncio.to_thread(self._kept)).get(str(athlete_id))

    async def athlete_ids(self) -> list[int]:
        """Return the athletes who have tokens, in a fixed order."""
        athletes = await asyncio.to_thread(self._kept)
        return sorted(int(athlete_id) for athlete_id in athletes if athlete_id.isdecimal())

    async def save(self, athlete_id: int, tokens: TokenSet) -> None:
        """Replace the athlete's tokens; on disk when this returns."""
        await self._change(lambda athletes: athletes.update({str(athlete_id): tokens}))

    async def delete(self, athlete_id: int) -> None:
        """Remove the athlete's tokens; removing none is success."""
        await self._change(lambda athletes: athletes.pop(str(athlete_id), None))

    async def close(self) -> None:
        """Do nothing: the file is opened for each use."""

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
        await shielded(asyncio.to_thread(self._rewrite, edit))

    def _rewrite(self, edit: Callable[[_Athletes], object]) -> None:
        try:
            make_private(self._path.parent)
            with FileLock(self._beside(".lock"), mode=OWNER_ONLY):
                athletes = self._read() or {}
                before = dict(athletes)
                edit(athletes)
                if athletes != before:  # or a file that is gone for a moment would come back without its athletes
                    self._replace(_to_json(athletes))
        except OSError as error:
            raise TokensUnavailable(
                f"The tokens in {self._path} cannot be saved ({error.strerror}); check the disk and the folder's owner."
            ) from error

    def _kept(self) -> _Athletes:
        """Return what is kept. A file that is gone although somebody has saved is no word that nobody is connected."""
        athletes = self._read()
        if athletes is None and self._beside(".lock").exists():  # it is made by the first save, and stays
            raise TokensGone(
                f"The token file {self._path} is gone, although it was there: put it back, or run `athlete connect` "
                "for each athlete again."
            )
        return athletes or {}

    def _read(self) -> _Athletes | None:
        """Return what the file holds, or None when there is none."""
        try:
            with self._path.open("rb") as file:
                if not self._read_only:
                    self._narrow(file.fileno())
                content = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TokensUnavailable(
                f"The tokens in {self._path} cannot be read ({error.strerror}); check the file's owner and rights."
            ) from error
        try:
            return _from_json(content)
        except DamagedRow as error:
            fault = str(error)
        # Raised out here: the decoder's own errors carry the text, so the secrets, with them.
        raise TokensUnavailable(
            f"The token file {self._path} is damaged ({fault}); restore it from a backup, correct it, or move it away "
            "and run `athlete connect` for each athlete again."
        )

    def _narrow(self, descriptor: int) -> None:
        """Take the file back from everybody but its owner, where somebody has loosened it."""
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & ~OWNER_ONLY:
            os.fchmod(descriptor, OWNER_ONLY)
            _log.warning("tokens.mode_narrowed", path=str(self._path), was=f"{mode:04o}", now=f"{OWNER_ONLY:04o}")

    def _replace(self, content: bytes) -> None:
        write_private(self._path, content)

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(f"{self._path.name}{suffix}")


def _to_json(athletes: _Athletes) -> bytes:
    rows = {athlete_id: to_row(tokens) for athlete_id, tokens in athletes.items()}
    return json.dumps({"athletes": rows}, indent=2).encode()


def _from_json(content: bytes) -> _Athletes:
    """Read the file's content. Raises DamagedRow."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        raise DamagedRow("it is not JSON" if content.strip() else "it is empty") from None
    rows = fields.get("athletes") if isinstance(fields, dict) else None
    if not isinstance(rows, dict):
        raise DamagedRow("it has no object named athletes")
    return {athlete_id: from_row(row, _place(athlete_id)) for athlete_id, row in rows.items()}


def _place(athlete_id: str) -> str:
    return f"athletes.{athlete_id if athlete_id.isdecimal() else '…'}"
