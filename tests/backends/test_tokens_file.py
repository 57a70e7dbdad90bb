"""What is particular to tokens in a file: its mode, its survival of kill -9, and what it says when it is damaged."""

import asyncio
import gc
import json
import os
import random
import stat
import subprocess
import sys
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from filelock import AsyncFileLock
from structlog.testing import capture_logs

from backends.tokens import TokenSet, TokensUnavailable
from backends.tokens.file import FileTokenStore

ATHLETE = 101
SAVE_FOREVER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from backends.tokens.file import FileTokenStore
from strava.tokens import TokenSet

async def main():
    store, number = FileTokenStore(Path(sys.argv[1])), 0
    while True:
        number += 1
        secret = str(number) * 2000
        await store.save(101, TokenSet(access_token=secret, refresh_token=secret, expires_at=datetime.now(UTC)))
        print(number, flush=True)

asyncio.run(main())
"""
COUNT_ALONE = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from backends.tokens.file import FileTokenStore
from strava.tokens import TokenSet

async def main():
    store = FileTokenStore(Path(sys.argv[1]))
    for _ in range(8):
        async with store.refreshing(101):
            before = await store.load(101)
            number = int(before.refresh_token) + 1 if before else 1
            await store.save(101, TokenSet(access_token="a", refresh_token=str(number), expires_at=datetime.now(UTC)))

asyncio.run(main())
"""
HOLD_FOREVER = """
import asyncio, sys
from pathlib import Path
from backends.tokens.file import FileTokenStore

async def main():
    async with FileTokenStore(Path(sys.argv[1])).refreshing(101):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the tokens go; its folder is not there yet."""
    return tmp_path / "data" / "tokens.json"


@pytest.fixture
def store(path: Path) -> FileTokenStore:
    """A store on that file."""
    return FileTokenStore(path)


def start(program: str, path: Path) -> subprocess.Popen[str]:
    """Run a program of its own on the file."""
    return subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)


def secret_tokens() -> TokenSet:
    """Tokens that are easily recognised where they must not be."""
    return TokenSet(access_token="s3cr3t-a", refresh_token="s3cr3t-r", expires_at=datetime(2026, 1, 1, tzinfo=UTC))


async def test_only_the_owner_may_read(store: FileTokenStore, path: Path) -> None:
    """Every file the store leaves is 0600, even under a generous umask and after a careless chmod."""
    umask = os.umask(0)
    try:
        await store.save(ATHLETE, secret_tokens())
        path.chmod(0o644)
        async with store.refreshing(ATHLETE):
            await store.save(ATHLETE, secret_tokens())
    finally:
        os.umask(umask)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


async def test_draft_is_never_readable_by_others(store: FileTokenStore, path: Path) -> None:
    """A readable leftover of a killed writer is not written into: a new draft is made, 0600 from its first byte."""
    path.parent.mkdir()
    leftover = path.with_name("tokens.json.new")
    leftover.write_text("half a file")
    leftover.chmod(0o666)
    with leftover.open() as watching:
        await store.save(ATHLETE, secret_tokens())
        assert watching.read() == "half a file"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_draft_follows_no_link(store: FileTokenStore, path: Path, tmp_path: Path) -> None:
    """A link planted where the draft goes does not lead the secrets elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    path.parent.mkdir()
    path.with_name("tokens.json.new").symlink_to(elsewhere)
    await store.save(ATHLETE, secret_tokens())
    assert elsewhere.read_text() == "untouched"


@pytest.mark.slow
async def test_kill_9_leaves_the_last_save_or_the_next(store: FileTokenStore, path: Path) -> None:
    """Killed at a random moment, the file holds what was acknowledged last or the one in hand, whole."""
    for _ in range(6):
        path.unlink(missing_ok=True)
        writer = start(SAVE_FOREVER, path)
        assert writer.stdout is not None
        for _ in range(random.randint(1, 20)):
            writer.stdout.readline()
        writer.kill()
        rest = writer.communicate()[0].split()
        kept = await store.load(ATHLETE)
        assert kept is not None
        number = int(kept.refresh_token[: len(kept.refresh_token) // 2000])
        assert kept.refresh_token == str(number) * 2000
        assert not rest or number in {int(rest[-1]), int(rest[-1]) + 1}


@pytest.mark.slow
async def test_processes_refresh_one_after_another(store: FileTokenStore, path: Path) -> None:
    """Three processes that read, add one and save under `refreshing` lose no step."""
    processes = [start(COUNT_ALONE, path) for _ in range(3)]
    assert [await asyncio.to_thread(process.wait) for process in processes] == [0, 0, 0]
    for process in processes:
        process.communicate()
    kept = await store.load(ATHLETE)
    assert kept is not None
    assert kept.refresh_token == "24"


async def test_dead_refresher_gives_up_its_right(path: Path) -> None:
    """While a process holds the right others are told to come back; once it is killed they get it."""
    path.parent.mkdir()
    holder = start(HOLD_FOREVER, path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(TokensUnavailable, match="try again later"):
        async with FileTokenStore(path, refresh_wait_s=0.1).refreshing(ATHLETE):
            pytest.fail("two refreshers at once")
    holder.kill()
    holder.communicate()
    async with FileTokenStore(path, refresh_wait_s=30).refreshing(ATHLETE):
        pass


async def test_cancelled_save_is_finished_before_the_right_to_refresh_ends(store: FileTokenStore) -> None:
    """A task cancelled in the middle of a save leaves the new token in the file, not one that Strava has retired."""
    for _ in range(20):
        await store.delete(ATHLETE)
        async with store.refreshing(ATHLETE):
            task = asyncio.create_task(store.save(ATHLETE, secret_tokens()))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
            assert await store.load(ATHLETE) == secret_tokens()


def mended(**fields: Any) -> bytes:
    """A token file as a person's hand has left it; a field that is None is missing."""
    row = {"access_token": "s3cr3t-a", "refresh_token": "s3cr3t-r", "expires_at": "2026-01-01T00:00:00+00:00"}
    kept = {name: value for name, value in {**row, "scope": ["read"], **fields}.items() if value is not None}
    return json.dumps({"athletes": {"101": kept}}).encode()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "it is empty"),
        (b"  \n", "it is empty"),
        (b'{"athletes": {"101": {"access_token": "s3cr3t-a", "refresh_tok', "it is not JSON"),
        (b"\xff\xfes3cr3t-a", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b'["s3cr3t-a"]', "it has no object named athletes"),
        (b'{"s3cr3t-a": 1}', "it has no object named athletes"),
        (b'{"athletes": []}', "it has no object named athletes"),
        (b'{"athletes": {"101": 7}}', "athletes.101 is no object"),
        (b'{"athletes": {"s3cr3t-a": 7}}', "athletes.… is no object"),
        (mended(access_token=7), "athletes.101.access_token is missing or no text"),
        (mended(access_token=None), "athletes.101.access_token is missing or no text"),
        (mended(refresh_token=7), "athletes.101.refresh_token is missing or no text"),
        (mended(refresh_token=" "), "athletes.101.refresh_token is missing or no text"),
        (mended(expires_at=None), "athletes.101.expires_at is missing or no time"),
        (mended(expires_at="s3cr3t"), "athletes.101.expires_at is missing or no time"),
        (mended(expires_at=True), "athletes.101.expires_at is missing or no time"),
        (mended(expires_at=10**20), "athletes.101.expires_at is missing or no time"),
        (mended(scope=7), "athletes.101.scope is no list of texts"),
        (mended(scope=[7]), "athletes.101.scope is no list of texts"),
    ],
)
async def test_damaged_file_says_where_and_what_to_do(
    store: FileTokenStore, path: Path, content: bytes, fault: str
) -> None:
    """A damaged file is refused by one sentence with the place and the remedy, and no part of the error is a secret."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(TokensUnavailable, match=r"damaged .*; restore it .* `athlete connect`") as caught:
        await store.load(ATHLETE)
    assert f"({fault}" in str(caught.value)
    assert caught.value.__context__ is None
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("expires_at", "2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("expires_at", "2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("expires_at", 1767225600, datetime(2026, 1, 1, tzinfo=UTC)),
        ("scope", "read,activity:read_all", frozenset({"read", "activity:read_all"})),
        ("scope", ["read"], frozenset({"read"})),
        ("scope", None, frozenset()),
    ],
)
async def test_what_is_certain_in_a_mended_file_is_read(
    store: FileTokenStore, path: Path, field: str, value: object, expected: object
) -> None:
    """A time without an offset is UTC, as all that is written; Strava's own forms of time and scope are understood."""
    path.parent.mkdir()
    path.write_bytes(mended(**{field: value}))
    kept = await store.load(ATHLETE)
    assert kept is not None
    assert getattr(kept, field) == expected


async def test_a_file_that_is_gone_is_not_taken_for_nobody(store: FileTokenStore, path: Path) -> None:
    """Tokens that were there and are missing for a moment are unavailable, in a new process too; then they are back."""
    assert await store.load(ATHLETE) is None
    await store.save(ATHLETE, secret_tokens())
    elsewhere = path.rename(path.with_name("elsewhere.json"))
    for each in (store, FileTokenStore(path)):
        with pytest.raises(TokensUnavailable, match=r"is gone, although it was there: put it back"):
            await each.load(ATHLETE)
    await store.delete(ATHLETE)
    assert not path.exists()
    elsewhere.rename(path)
    assert await store.load(ATHLETE) == secret_tokens()


async def test_tokens_can_be_saved_where_the_file_was_moved_away(store: FileTokenStore, path: Path) -> None:
    """What the sentence about a damaged file advises works: move it away, and connect again."""
    await store.save(ATHLETE, secret_tokens())
    path.unlink()
    await store.save(202, secret_tokens())
    assert await store.athlete_ids() == [202]
    assert await store.load(ATHLETE) is None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o700])
async def test_a_loosened_file_is_narrowed_when_it_is_read_and_said(
    store: FileTokenStore, path: Path, mode: int
) -> None:
    """Reading alone is enough to take the tokens back from everybody else, and the log names the file, once."""
    await store.save(ATHLETE, secret_tokens())
    path.chmod(mode)
    with capture_logs() as logs:
        assert await store.load(ATHLETE) == secret_tokens()
        assert await store.load(ATHLETE) == secret_tokens()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said = {"event": "tokens.mode_narrowed", "log_level": "warning", "path": str(path), "was": f"{mode:04o}"}
    assert logs == [{**said, "now": "0600"}]


async def test_a_second_save_leaves_nothing_of_the_first(store: FileTokenStore, path: Path) -> None:
    """The file holds one entry of the athlete, and the retired token is nowhere in it."""
    await store.save(ATHLETE, secret_tokens())
    await store.save(ATHLETE, replace(secret_tokens(), refresh_token="fresh"))
    assert path.read_text().count('"101"') == 1
    assert "s3cr3t-r" not in path.read_text()
    assert await store.athlete_ids() == [ATHLETE]


async def test_the_right_to_refresh_ends_with_its_block(store: FileTokenStore) -> None:
    """It is given back there, not when the memory of the lock is freed."""
    async with store.refreshing(ATHLETE):
        held = [each for each in gc.get_objects() if isinstance(each, AsyncFileLock) and each.is_locked]
    assert held
    assert not any(lock.is_locked for lock in held)


async def test_the_right_to_refresh_makes_a_private_folder(store: FileTokenStore, path: Path) -> None:
    """The first process makes the data folder for its owner alone."""
    async with store.refreshing(ATHLETE):
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_right_to_refresh_that_cannot_be_had(tmp_path: Path) -> None:
    """A folder that cannot be made is told like tokens that cannot be saved."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TokensUnavailable, match="cannot be written; try again later"):
        async with FileTokenStore(tmp_path / "file" / "tokens.json").refreshing(ATHLETE):
            pytest.fail("there is nothing to hold")


class SlowDisk(FileTokenStore):
    """A store whose disk takes as long as the test wants."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.has_begun, self.may_end = Event(), Event()

    def _replace(self, content: bytes) -> None:
        self.has_begun.set()
        self.may_end.wait(30)
        super()._replace(content)


async def test_a_cancelled_save_ends_only_when_it_is_on_the_disk(path: Path) -> None:
    """Its task stays until the tokens are written, and is cancelled then."""
    store = SlowDisk(path)
    task = asyncio.create_task(store.save(ATHLETE, secret_tokens()))
    await asyncio.to_thread(store.has_begun.wait, 30)
    task.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    store.may_end.set()
    await asyncio.wait({task})
    assert task.cancelled()
    assert await store.load(ATHLETE) == secret_tokens()


async def test_the_draft_is_always_a_file_of_our_own_making(store: FileTokenStore, path: Path) -> None:
    """A file that stands where the draft goes, with more names than one, is not written through."""
    path.parent.mkdir()
    elsewhere = path.with_name("elsewhere")
    elsewhere.write_text("untouched")
    path.with_name("tokens.json.new").hardlink_to(elsewhere)
    await store.save(ATHLETE, secret_tokens())
    assert elsewhere.read_text() == "untouched"


async def test_damaged_file_is_not_overwritten(store: FileTokenStore, path: Path) -> None:
    """Saving into a damaged file fails too: the other athletes' tokens may still be rescued from it."""
    path.parent.mkdir()
    path.write_bytes(b"{")
    with pytest.raises(TokensUnavailable):
        await store.save(ATHLETE, secret_tokens())
    assert path.read_bytes() == b"{"


async def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A save that the disk refuses says where and why."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TokensUnavailable, match="cannot be saved"):
        await FileTokenStore(tmp_path / "file" / "tokens.json").save(ATHLETE, secret_tokens())


async def test_secrets_stay_out_of_repr(store: FileTokenStore) -> None:
    """Neither the tokens nor their store shows a secret when printed."""
    await store.save(ATHLETE, secret_tokens())
    assert "s3cr3t" not in f"{secret_tokens()!r} {store!r} {await store.load(ATHLETE)}"


async def test_file_is_plain_json(store: FileTokenStore, path: Path) -> None:
    """The file is JSON that a person can read and mend."""
    await store.save(ATHLETE, secret_tokens())
    row = json.loads(path.read_text())["athletes"]["101"]
    assert row["expires_at"] == "2026-01-01T00:00:00+00:00"
