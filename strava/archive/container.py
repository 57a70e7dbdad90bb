"""Where an archive's bytes come from: a ZIP, a folder or one file. Nothing is unpacked and nothing is written.

What looks hostile or broken becomes a `Problem`, and the rest is read. Members are listed by name; their content is
opened by `read` alone.
"""

import errno
import io
import os
import stat
import struct
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from strava.errors import UnreadableArchive

MIB = 2**20
ENCRYPTED = 0x1
_ENTRY = b"PK\x01\x02"  # where an entry of a ZIP's directory begins
SHOWN = 200  # characters of a name in a report
ODD_NAME = "its name has characters that no name has"
NO_FILE = "is a link or a device, not a file"
NO_LIST = "is damaged: the list of files at its end is missing or broken, as after a download that broke off"
NOT_WHOLE = "is damaged: it does not unpack"
SKIPPED_FOLDERS = frozenset({"__MACOSX", "$Recycle.bin", "lost+found"})
# All that zipfile raises for a damaged or forged file.
_DAMAGED = (BadZipFile, EOFError, LookupError, NotImplementedError, OSError, RuntimeError, ValueError, OverflowError,
            struct.error, zlib.error)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The most that is read, so that no file can fill the memory; sizes are in bytes, unpacked.

    `ratio` is unpacked to packed; a member of less than 1 MiB may have any.
    """

    member: int = 64 * MIB
    nested: int = 2048 * MIB
    total: int = 8192 * MIB
    directory: int = 32 * MIB
    ratio: int = 200
    entries: int = 200_000


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive: its path with `/`, and its unpacked size in bytes as the archive says."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is left out: which file, and why in a person's words."""

    name: str
    reason: str


class Container(Protocol):
    """The files of an archive, before anything is known of them.

    `is_copy` tells that the files lie on their own, so that their times may be those of the copying.
    """

    is_copy: bool

    @property
    def members(self) -> Sequence[Member]:
        """The regular files, in the archive's order."""

    @property
    def problems(self) -> Sequence[Problem]:
        """What was refused while listing."""

    def read(self, name: str) -> bytes:
        """Return a member's content. Raises UnreadableArchive."""

    def modified(self, name: str) -> datetime:
        """Return when a member was last written."""

    def close(self) -> None:
        """Release the files."""


class ZipContainer:
    """A ZIP, read from its central directory. Raises UnreadableArchive when it has none."""

    is_copy = False

    def __init__(self, file: IO[bytes], limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._file = file
        with _damage_told("the ZIP", NO_LIST):
            self._zip = ZipFile(_InPieces(file, self._limits))
        entries = sorted(self._zip.infolist(), key=lambda info: info.header_offset)
        self._infos: dict[str, ZipInfo] = {}
        self.problems: list[Problem] = []
        self._list(entries)
        self.members = [Member(name, info.file_size) for name, info in self._infos.items()]

    def _list(self, entries: Sequence[ZipInfo]) -> None:
        times = Counter(info.orig_filename for info in entries)
        doubled = {name: f"is in it {count} times" for name, count in times.items() if count > 1}
        self.problems += [Problem(shown(name), fault) for name, fault in doubled.items()]
        for info in entries:
            name = info.orig_filename
            kind = stat.S_IFMT(info.external_attr >> 16)
            if name in doubled or (name.endswith("/") and _name_fault(name) is None):
                continue
            if (fault := _name_fault(name) or (NO_FILE if kind and not stat.S_ISREG(kind) else None)) is not None:
                self.problems.append(Problem(shown(name), fault))
            else:
                self._infos[name] = info

    def read(self, name: str) -> bytes:
        """Return a member's content. Raises UnreadableArchive."""
        info = self._checked(name, self._limits.member)
        with _damage_told(name), self._zip.open(info) as file:
            return b"".join(iter(lambda: file.read(MIB), b""))

    def nested(self, name: str) -> "ZipContainer":
        """Open a ZIP that is a member of this one, in place. Raises UnreadableArchive."""
        info = self._checked(name, self._limits.nested)
        with _damage_told(name):
            return ZipContainer(self._zip.open(info), self._limits)

    def modified(self, name: str) -> datetime:
        """Return the time stamp of a member, taken as UTC."""
        try:
            return datetime(*self._infos[name].date_time, tzinfo=UTC)
        except ValueError:  # a month 0
            return datetime(1980, 1, 1, tzinfo=UTC)

    def close(self) -> None:
        """Release the file."""
        self._zip.close()
        self._file.close()

    def _checked(self, name: str, most: int) -> ZipInfo:
        info = self._infos[name]
        if info.flag_bits & ENCRYPTED:
            raise UnreadableArchive(shown(name), "is encrypted")
        if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise UnreadableArchive(shown(name), "is packed by a method that Strava does not use")
        if info.file_size > most:
            raise UnreadableArchive(shown(name), f"unpacks to more than {most // MIB:,} MiB")
        if info.file_size > max(MIB, info.compress_size * self._limits.ratio):
            raise UnreadableArchive(shown(name), f"unpacks to more than {self._limits.ratio} times its size")
        return info


class FolderContainer:
    """The files below a folder; links are not followed."""

    is_copy = True

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self._root = root
        self._limits = limits or Limits()
        self.problems: list[Problem] = []
        self.members: list[Member] = []
        for name, size in self._walk():
            self.members.append(Member(name, size))
            if len(self.members) > self._limits.entries:
                raise UnreadableArchive("the folder", f"has more than {self._limits.entries:,} files")

    def _walk(self) -> Iterator[tuple[str, int]]:
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self._root / folder) as entries:
                    found = sorted(entries, key=lambda each: each.name)
            except OSError as error:
                if not folder:
                    raise
                self.problems.append(Problem(folder, f"cannot be read: {error.strerror}"))
                continue
            for entry in found:
                name = f"{folder}{entry.name}"
                if (fault := _name_fault(name)) is not None:
                    self.problems.append(Problem(shown(name), fault))
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name not in SKIPPED_FOLDERS and not entry.name.startswith("."):
                        folders.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False):
                    yield name, entry.stat(follow_symlinks=False).st_size
                else:
                    self.problems.append(Problem(shown(name), NO_FILE))

    def read(self, name: str) -> bytes:
        """Return a file's content. Raises UnreadableArchive."""
        return _read_file(self._root / name, name, self._limits.member)

    def modified(self, name: str) -> datetime:
        """Return when a file was last written."""
        return datetime.fromtimestamp((self._root / name).stat().st_mtime, UTC)

    def close(self) -> None:
        """Nothing is open."""


class FileContainer:
    """One file on its own."""

    is_copy = True

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self._path = path.resolve()
        self._limits = limits or Limits()
        self.members = [Member(path.name, self._path.stat().st_size)]
        self.problems: list[Problem] = []

    def read(self, name: str) -> bytes:
        """Return the file's content. Raises UnreadableArchive."""
        return _read_file(self._path, name, self._limits.member)

    def modified(self, name: str) -> datetime:  # noqa: ARG002 - there is one
        """Return when the file was last written."""
        return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)

    def close(self) -> None:
        """Nothing is open."""


class _InPieces(io.RawIOBase):
    """A file that is never read in one piece larger than a directory may be: a forged ZIP names one of any size."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        super().__init__()
        self._file, self._most, self._entries = file, limits.directory, limits.entries

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self._most + 1 if size is None or size < 0 else size
        content = self._file.read(min(wanted, self._most + 1))
        if len(content) > self._most:
            raise UnreadableArchive("the ZIP", f"has a list of files of more than {self._most // MIB:,} MiB")
        if content.startswith(_ENTRY) and content.count(_ENTRY) > self._entries:  # before an object is made of each
            raise UnreadableArchive("the ZIP", f"has more than {self._entries:,} entries")
        return content


def _read_file(path: Path, name: str, most: int) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise UnreadableArchive(shown(name), NO_FILE)
            content = file.read(min(most, found.st_size) + 1)
    except OSError as error:
        raise UnreadableArchive(shown(name), f"cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise UnreadableArchive(shown(name), f"has more than {most // MIB:,} MiB")
    return content


@contextmanager
def _damage_told(name: str, fault: str = NOT_WHOLE) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        cause = error.__context__ if isinstance(error, BadZipFile) else error  # so zipfile tells any error at the end
        if isinstance(cause, OSError) and cause.errno not in {None, errno.EINVAL}:  # not a forged offset, but the disk
            fault = f"cannot be read: {cause.strerror}"
        raise UnreadableArchive(shown(name), fault) from error


def _name_fault(name: str) -> str | None:
    """Say why a path is not trusted, or None."""
    if not name or any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in name):
        return ODD_NAME
    if "\\" in name:
        return "its name has a backslash"
    if name.startswith("/") or name[1:2] == ":":
        return "its name is an absolute path"
    if ".." in name.split("/"):
        return "its name leads out of the archive"
    return None


def shown(name: str) -> str:
    """Return a name as a report can print it."""
    plain = "".join(letter if unicodedata.category(letter) not in {"Cc", "Cs"} else "\N{REPLACEMENT CHARACTER}"
                    for letter in name[: SHOWN + 1])  # fmt: skip
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}…"
