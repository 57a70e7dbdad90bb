"""A folder of a bucket in Google Cloud Storage, through Google's client, with our own errors.

Reads name the generation that was listed, so that a file that is replaced meanwhile is never read half and half.
https://cloud.google.com/storage/docs/json_api/v1/objects
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import (
    Forbidden,
    GoogleAPICallError,
    NotFound,
    PreconditionFailed,
    RetryError,
    Unauthorized,
)
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from backends.bucket import BucketUnavailable, StoredFile, free_place, report_of

PIECE = 2**20  # bytes that are fetched at least where a file is read here and there
LONGEST_NAME = 200  # of a file that is put aside; the longest path is 1,024 bytes
_REPEATS_FOR_S = 60.0
_RETRY = DEFAULT_RETRY.with_timeout(_REPEATS_FOR_S)
_NO_ANSWER = (GoogleAPICallError, RetryError, DataCorruption, InvalidResponse, OSError)  # the last is of the network


class CloudStorageBucket:
    """A folder, `BUCKET` or `BUCKET/FOLDER`. An endpoint is asked without credentials: it is on this machine."""

    def __init__(self, place: str, *, project: str, endpoint: str = "") -> None:
        bucket, _, folder = place.partition("/")
        self._place = f"gs://{place}"
        self._folder = PurePosixPath(folder)
        self._prefix = f"{self._folder}/" if folder.strip("/") else ""
        with _told(self._place):
            self._client = Client(
                project,
                credentials=AnonymousCredentials() if endpoint else None,
                client_options=ClientOptions(api_endpoint=endpoint) if endpoint else None,
            )
        self._bucket = self._client.bucket(bucket)

    def files(self) -> list[StoredFile]:
        """Return what lies in the folder itself. Raises BucketUnavailable."""
        with _told(self._place):
            return [
                StoredFile(
                    name=name, size=blob.size or 0, written_at=blob.updated, generation=int(blob.generation or 0)
                )
                for blob in self._client.list_blobs(self._bucket, prefix=self._prefix, delimiter="/", retry=_RETRY)
                if (name := blob.name.removeprefix(self._prefix))  # the folder itself may be a file without a name
            ]

    def open(self, file: StoredFile) -> IO[bytes]:
        """Open a file to be read from any place. Raises BucketUnavailable, then and at each read."""
        return io.BufferedReader(_Ranges(self._blob(file), file.size, self._place), PIECE)

    def read(self, file: StoredFile) -> bytes:
        """Return all of a file. Raises BucketUnavailable."""
        with _told(self._place):
            return bytes(self._blob(file).download_as_bytes(raw_download=True, retry=_RETRY))

    def put_aside(self, file: StoredFile, folder: str, report: str) -> bool:
        """Move a file to a folder within, with its report. Raises BucketUnavailable.

        It is copied, told of and removed, in this order: after a kill it is still here, and taken once more.
        """
        source = self._blob(file)
        with _told(self._place):
            target = free_place(PurePosixPath(folder, file.name[-LONGEST_NAME:]), self._is_taken)
            try:
                self._copy(source, target)
                self._at(report_of(target)).upload_from_string(f"{report}\n", "text/plain; charset=utf-8", retry=_RETRY)
                source.delete(if_generation_match=file.generation, retry=_RETRY)
            except (NotFound, PreconditionFailed):
                return False
        return True

    def _copy(self, source: Blob, target: PurePosixPath) -> None:
        """Copy a file within the bucket; a large one takes several calls."""
        token = None
        while True:
            token, _, _ = self._at(target).rewrite(
                source, token, if_source_generation_match=source.generation, retry=_RETRY
            )
            if token is None:
                return

    def _is_taken(self, place: PurePosixPath) -> bool:
        return bool(self._at(place).exists(retry=_RETRY))

    def _at(self, place: PurePosixPath) -> Blob:
        return self._bucket.blob(f"{self._prefix}{place}")

    def _blob(self, file: StoredFile) -> Blob:
        return self._bucket.blob(f"{self._prefix}{file.name}", generation=file.generation)


class _Ranges(io.RawIOBase):
    """A file in the bucket, of which each read fetches what it asks for."""

    def __init__(self, blob: Blob, size: int, place: str) -> None:
        super().__init__()
        self._blob, self._size, self._told_place = blob, size, place
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        with _told(self._told_place):
            piece = self._blob.download_as_bytes(start=self._at, end=end - 1, raw_download=True, retry=_RETRY)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


@contextmanager
def _told(place: str) -> Iterator[None]:
    """Say in our words what Google's client raises."""
    try:
        yield
    except (Forbidden, Unauthorized) as error:
        raise BucketUnavailable(f"{place} is refused; give this account the role Storage Object User there.") from error
    except (NotFound, PreconditionFailed) as error:
        raise BucketUnavailable(f"{place} is not there, or a file in it was replaced; check INBOX_BUCKET.") from error
    except GoogleAuthError as error:
        raise BucketUnavailable(
            f"There are no credentials for {place} ({error}); run `gcloud auth application-default login`, or give the "
            "program a service account."
        ) from error
    except _NO_ANSWER as error:
        raise BucketUnavailable(
            f"{place} does not answer ({type(error).__name__}); it is tried at the next run."
        ) from error
