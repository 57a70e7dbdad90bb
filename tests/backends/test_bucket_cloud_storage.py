"""A bucket's folder, by Google's own client: what lies in it, reading from any place, and moving with a report."""

from collections.abc import Iterator
from random import Random
from zipfile import ZipFile

import pytest

from backends.bucket import BucketUnavailable, StoredFile
from backends.bucket.cloud_storage import PIECE, CloudStorageBucket
from tests.cloud_storage_server import CloudStorage, running_cloud_storage
from tests.strava.exports import zip_of


@pytest.fixture(scope="module")
def served() -> Iterator[CloudStorage]:
    """The server."""
    with running_cloud_storage() as storage:
        yield storage


@pytest.fixture
def storage(served: CloudStorage) -> CloudStorage:
    """The server with an empty bucket that has no faults."""
    served.objects.clear()
    served.calls.clear()
    served.fault, served.sent = (lambda _call, _name: 0), 0
    return served


def opened(storage: CloudStorage, place: str = "my-inbox/inbox") -> CloudStorageBucket:
    """Open a folder of the bucket."""
    return CloudStorageBucket(place, project="my-project", endpoint=storage.endpoint)


def only(storage: CloudStorage, content: bytes, name: str = "run.gpx") -> tuple[CloudStorageBucket, StoredFile]:
    """Return the folder with one file in it, and the file."""
    storage.put(f"inbox/{name}", content)
    bucket = opened(storage)
    [file] = bucket.files()
    return bucket, file


def test_the_folder_s_own_files_are_listed(storage: CloudStorage) -> None:
    """Page by page; not the folder's own mark, nor what is in or beside it in folders. A bucket may be it."""
    for name in ("inbox/", "inbox/a b.zip", "inbox/c.fit", "inbox/ü.gpx", "inbox/done/d.fit", "inboxes/e.fit", "f.fit"):
        storage.put(name, name.encode())
    assert [(file.name, file.size) for file in opened(storage).files()] == [
        ("a b.zip", 13),
        ("c.fit", 11),
        ("ü.gpx", 12),
    ]
    assert storage.calls == ["list", "list"]
    assert [file.name for file in opened(storage, "my-inbox").files()] == ["f.fit"]
    assert [file.name for file in opened(storage, "my-inbox/empty").files()] == []


def test_a_file_is_read_whole(storage: CloudStorage) -> None:
    """Its bytes are those that were stored, also where they look packed, and none."""
    for content in (b"\x1f\x8bnot really", b""):
        bucket, file = only(storage, content)
        assert bucket.read(file) == content


def test_of_a_zip_only_what_is_asked_for_is_fetched(storage: CloudStorage) -> None:
    """The directory and a member, in pieces; not the photos between them."""
    whole = zip_of(
        members := {
            "activities.csv": b"id\n",
            "media/1.jpg": Random(7).randbytes(12 * PIECE),
            "activities/1.gpx": b"<gpx/>",
        }
    )
    bucket, file = only(storage, whole, "export_42.zip")
    with bucket.open(file) as content, ZipFile(content) as archive:
        assert archive.namelist() == list(members)
        assert archive.read("activities/1.gpx") == b"<gpx/>"
        assert archive.read("activities.csv") == b"id\n"
    assert storage.sent <= 4 * PIECE
    with bucket.open(file) as content:
        assert content.read(len(whole) + 1) == whole
        assert (content.read(1), content.seek(2), content.read(2)) == (b"", 2, whole[2:4])


def test_a_file_is_put_aside_with_its_report(storage: CloudStorage) -> None:
    """A name that a file or a report has in the folder is not lost; a large file is copied by several calls."""
    storage.put("inbox/done/run.gpx", b"of before")
    storage.put("inbox/done/run-2.gpx.txt", b"of before, too")
    storage.piece = 2
    bucket, file = only(storage, b"<gpx/>")
    assert bucket.put_aside(file, "done", "run.gpx: reád")
    assert storage.calls.count("rewrite") == 3
    told = {name: stored.content for name, stored in storage.objects.items() if "-3" in name}
    assert told == {"inbox/done/run-3.gpx": b"<gpx/>", "inbox/done/run-3.gpx.txt": "run.gpx: reád\n".encode()}
    assert (bucket.files(), len(storage.objects)) == ([], 4)


def test_a_long_name_is_cut(storage: CloudStorage) -> None:
    """What is added to it is within what a name may have, and its end stays."""
    bucket, file = only(storage, b"x", "ü" * 480 + ".gpx")
    assert bucket.put_aside(file, "failed", "Why.")
    assert set(storage.objects) == {f"inbox/failed/{'ü' * 196}.gpx", f"inbox/failed/{'ü' * 196}.gpx.txt"}


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_was_replaced_meanwhile_stays(storage: CloudStorage, is_gone: bool) -> None:
    """It is neither moved nor read as if it were the first; who moved it already has done it."""
    bucket, file = only(storage, b"first, and longer")
    if is_gone:
        del storage.objects["inbox/run.gpx"]
    else:
        storage.put("inbox/run.gpx", b"second")
    assert not bucket.put_aside(file, "done", "Read.")
    assert set(storage.objects) == (set() if is_gone else {"inbox/run.gpx"})
    with pytest.raises(BucketUnavailable, match="replaced"):
        bucket.read(file)
    with pytest.raises(BucketUnavailable, match="replaced"):
        bucket.open(file).read(1)


def test_replaced_between_copy_and_removal_it_stays(storage: CloudStorage) -> None:
    """The copy is of what was imported; the new one waits for the next run."""
    bucket, file = only(storage, b"first")

    def replace(call: str, name: str) -> int:
        if call == "delete":
            storage.put(name, b"second")
        return 0

    storage.fault = replace
    assert not bucket.put_aside(file, "done", "Read.")
    assert storage.objects["inbox/run.gpx"].content == b"second"
    assert storage.objects["inbox/done/run.gpx"].content == b"first"


@pytest.mark.parametrize("cut", ["rewrite", "insert", "delete"])
def test_cut_off_anywhere_nothing_is_lost(storage: CloudStorage, cut: str) -> None:
    """The file is still there, and the next run puts it aside with a report."""
    bucket, file = only(storage, b"<gpx/>")
    storage.fault = lambda call, _: 403 if call == cut else 0
    with pytest.raises(BucketUnavailable):
        bucket.put_aside(file, "done", "Read.")
    storage.fault = lambda _call, _name: 0
    assert bucket.files() == [file]
    assert bucket.put_aside(file, "done", "Read.")
    moved = [name for name in storage.objects if name.endswith(".gpx")]
    assert [storage.objects[name].content for name in moved] == [b"<gpx/>"] * len(moved)
    assert any(f"{name}.txt" in storage.objects for name in moved)


def test_it_says_what_is_wrong(storage: CloudStorage) -> None:
    """Without the bucket, the right or an answer; a fault of a moment is passed over."""
    with pytest.raises(BucketUnavailable, match=r"gs://other/inbox is not there.*check INBOX_BUCKET"):
        opened(storage, "other/inbox").files()
    storage.fault = lambda _call, _name: 403
    with pytest.raises(BucketUnavailable, match="give this account the role Storage Object User"):
        opened(storage).files()
    storage.fault = lambda _call, _name: 400
    with pytest.raises(BucketUnavailable, match="gs://my-inbox/inbox does not answer"):
        opened(storage).files()
    faults = iter([503])
    storage.fault = lambda _call, _name: next(faults, 0)
    assert opened(storage).files() == []
