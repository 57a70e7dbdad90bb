"""The inbox in a bucket: ZIPs are read in place, piece by piece, so that no export has to fit into the memory."""

from collections.abc import Sequence
from datetime import datetime

from backends.bucket import Bucket, StoredFile
from runtime.clock import utc_now
from strava.archive.archive import Archive, is_zip, open_zip, read_archive
from strava.archive.container import MIB, ODD_NAME, Limits, Member, Problem, shown
from strava.errors import UnreadableArchive
from worker.importing.inbox import whole


class BucketInbox:
    """What lies in the folder when it is made."""

    def __init__(self, bucket: Bucket, limits: Limits | None = None) -> None:
        self._bucket, self._limits = bucket, limits or Limits()
        self._files = {file.name: file for file in bucket.files() if file.size}
        self.names = whole(self._files)

    def opened(self, names: Sequence[str]) -> Archive:
        """Open what belongs together. Raises UnreadableArchive, BucketUnavailable."""
        files, is_alone = [self._files[name] for name in names], len(names) == 1
        if is_alone:
            [name] = names
            if not name.isprintable():
                raise UnreadableArchive(shown(name), ODD_NAME)
            content = self._bucket.open(files[0])
            if is_zip(content, name):
                return open_zip(content, name, limits=self._limits)
        found = _Files(self._bucket, files, self._limits)
        return read_archive(found, ", ".join(names[:3]), limits=self._limits, now=utc_now(), is_alone=is_alone)

    def put_aside(self, name: str, folder: str, report: str) -> bool:
        """Move a file with its report; False where it was replaced meanwhile. Raises BucketUnavailable."""
        return self._bucket.put_aside(self._files[name], folder, report)


class _Files:
    """Files of the folder, each fetched when it is read."""

    is_copy = True

    def __init__(self, bucket: Bucket, files: Sequence[StoredFile], limits: Limits) -> None:
        self._bucket, self._limits = bucket, limits
        self._files = {file.name: file for file in files if file.name.isprintable()}
        self.members = [Member(file.name, file.size) for file in self._files.values()]
        self.problems = [Problem(shown(file.name), ODD_NAME) for file in files if not file.name.isprintable()]

    def read(self, name: str) -> bytes:
        """Return a file's content. Raises UnreadableArchive, BucketUnavailable."""
        file = self._files[name]
        if file.size > self._limits.member:
            raise UnreadableArchive(name, f"has more than {self._limits.member // MIB:,} MiB")
        return self._bucket.read(file)

    def modified(self, name: str) -> datetime:
        """Return when the file was written."""
        return self._files[name].written_at

    def close(self) -> None:
        """Nothing is open."""
