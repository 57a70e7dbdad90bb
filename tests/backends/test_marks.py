"""Marks by which programs agree, and the lease that is made of one."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud import bigquery
from structlog.testing import capture_logs

from backends.marks.file import FileMarks
from backends.marks.lease import LeaseHeld, LeasePolicy, leased
from backends.warehouse.bigquery.client import Place, connected
from backends.warehouse.bigquery.marks import TABLE, BigQueryMarks, BigQuerySnapshot
from tests.bigquery_stores import place_at
from tests.shared_marks import MemoryMarks

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POLICY = LeasePolicy(lease_s=60, skew_s=10)


class HandClock:
    """A clock that only moves when told."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def marks() -> MemoryMarks:
    """What the programs share."""
    return MemoryMarks()


@pytest.fixture
def clock() -> HandClock:
    """The programs' clock."""
    return HandClock()


def test_a_file_keeps_a_mark(tmp_path: Path) -> None:
    """What is not there says nothing; an empty text removes it."""
    marks = FileMarks(tmp_path / "new")
    assert marks.read("last_run") == ""
    marks.write("last_run", "")
    marks.write("last_run", "abc")
    assert FileMarks(tmp_path / "new").read("last_run") == "abc"
    (tmp_path / "new" / "last_run.new").mkdir()  # no room for another text
    with pytest.raises(OSError, match="last_run"):
        marks.write("last_run", "abcdef")
    (tmp_path / "new" / "last_run.new").rmdir()
    assert marks.read("last_run") == "abc"
    marks.write("last_run", "")
    assert (marks.read("last_run"), list((tmp_path / "new").iterdir())) == ("", [])


async def test_a_right_is_held_by_one(marks: MemoryMarks, clock: HandClock) -> None:
    """A second one is turned away until the first has ended, be it by an error; another right is free."""
    async with leased(marks, "daily", POLICY, clock=clock):
        with pytest.raises(LeaseHeld):
            await leased(marks, "daily", POLICY, clock=clock).__aenter__()
        with suppress(ZeroDivisionError):
            async with leased(marks, "transform", POLICY, clock=clock):
                raise ZeroDivisionError
        async with leased(marks, "transform", POLICY, clock=clock):
            pass
    async with leased(marks, "daily", POLICY, clock=clock):
        pass
    assert set(marks.texts.values()) == {""}


async def test_a_dead_holder_gives_it_up(marks: MemoryMarks, clock: HandClock) -> None:
    """Who died gives nothing back: the right is free when its time and the clocks' difference are over."""
    held = leased(marks, "daily", POLICY, clock=clock)
    await held.__aenter__()
    clock.now += timedelta(seconds=69)
    with pytest.raises(LeaseHeld):
        await leased(marks, "daily", POLICY, clock=clock).__aenter__()
    clock.now += timedelta(seconds=1)
    async with leased(marks, "daily", POLICY, clock=clock):
        assert marks.texts["lease:daily"] != ""
        await held.__aexit__(None, None, None)  # who slept gives back nothing that is another's
        assert marks.texts["lease:daily"] != ""


async def test_who_waits_gets_it(marks: MemoryMarks) -> None:
    """Of three who wait, each holds it in turn."""
    held = 0

    async def hold() -> None:
        nonlocal held
        async with leased(marks, "transform", LeasePolicy(wait_s=30, poll_s=0.001)):
            held += 1
            assert held == 1
            await asyncio.sleep(0.005)
            held -= 1

    await asyncio.gather(hold(), hold(), hold())


async def test_a_living_holder_renews_it(marks: MemoryMarks) -> None:
    """Work may take longer than a lease, also where a renewal fails; one that was taken away is told, and ends it."""
    short = LeasePolicy(lease_s=0.09, skew_s=0)

    async def work() -> None:
        async with leased(marks, "transform", short):
            first = marks.texts["lease:transform"]
            marks.is_down = True
            await asyncio.sleep(0.045)
            marks.is_down = False
            while marks.texts["lease:transform"] == first:  # noqa: ASYNC110 - it is renewed in its own time
                await asyncio.sleep(0.005)
            marks.texts["lease:transform"] = "another's 2100-01-01T00:00:00Z"
            await asyncio.sleep(60)

    with capture_logs() as logs, pytest.raises(LeaseHeld, match="has taken this over"):
        await work()
    assert [log["event"] for log in logs] == ["lease.not_renewed", "lease.lost"]
    assert marks.texts["lease:transform"].startswith("another's")


async def test_a_renewal_whose_answer_was_lost_is_ours(marks: MemoryMarks) -> None:
    """The mark names the holder: it goes on, and gives the right back."""
    async with leased(marks, "transform", LeasePolicy(lease_s=0.09, skew_s=0)):
        said = []
        for is_lost in (True, False):
            marks.is_answer_lost = is_lost
            said.append(marks.texts["lease:transform"])
            while marks.texts["lease:transform"] == said[-1]:  # noqa: ASYNC110 - it is renewed in its own time
                await asyncio.sleep(0.005)
    assert marks.texts["lease:transform"] == ""


class SlowMarks(MemoryMarks):
    """Each replacement takes a while, in its thread."""

    begun = 0

    def replace(self, name: str, before: str, text: str) -> bool:
        """Have it say it, some time later."""
        self.begun += 1
        time.sleep(0.05)
        return super().replace(name, before, text)


async def test_a_renewal_under_way_keeps_no_right() -> None:
    """Work may end just then: what is renewed is given back."""
    marks = SlowMarks()
    async with leased(marks, "transform", LeasePolicy(lease_s=0.03, skew_s=0)):
        while marks.begun < 2:  # noqa: ASYNC110 - it is renewed in its own time
            await asyncio.sleep(0.001)
    assert marks.texts["lease:transform"] == ""


# -- in BigQuery ----------------------------------------------------------------------------------------------------


def test_marks_in_bigquery(bigquery_emulator: str) -> None:
    """Each mark is by itself, in a dataset that is there; of two who replace one, the first does."""
    place = place_at(bigquery_emulator)
    marks, other = BigQueryMarks(place), BigQueryMarks(place)
    with connected(place) as client:
        client.create_dataset(place.dataset)
    assert marks.read("last_run") == ""
    marks.write("last_run", "abc")
    other.write("last_purge", "2026")
    assert (other.read("last_run"), marks.read("last_purge")) == ("abc", "2026")
    assert marks.replace("last_run", "abc", "def")
    assert not other.replace("last_run", "abc", "xyz")
    other.write("last_purge", "")
    assert (other.read("last_run"), other.read("last_purge")) == ("def", "")


def test_marts_in_bigquery_are_there_once_built(bigquery_emulator: str) -> None:
    """A dataset that is missing or empty holds none; readers have them once a build has ended."""
    place = place_at(bigquery_emulator)
    snapshot = BigQuerySnapshot(place, mart=f"{place.dataset}_mart")
    assert not snapshot.is_built()
    with connected(place) as client:
        client.create_dataset(f"{place.dataset}_mart")
        assert not snapshot.is_published()
        client.create_table(f"{place.project}.{place.dataset}_mart.route")
        assert (snapshot.is_built(), snapshot.is_published()) == (True, False)
        client.create_table(f"{place.project}.{place.dataset}_mart.publication")
    assert snapshot.is_published()


class Etagged:
    """One table whose etag decides, as BigQuery documents it; the emulator takes every change."""

    def __init__(self) -> None:
        self.etag = 0
        self.description = "{}"
        self.loses_answers = False

    def get_table(self, _: object, **__: Any) -> bigquery.Table:
        api = {"etag": str(self.etag), "description": self.description, "tableReference": REFERENCE}
        return bigquery.Table.from_api_repr(api)

    def update_table(self, table: bigquery.Table, fields: list[str], **_: Any) -> None:
        assert fields == ["description"]
        if table.etag != str(self.etag):
            raise PreconditionFailed("etag")
        self.etag, self.description = self.etag + 1, table.description
        if self.loses_answers:
            self.loses_answers = False
            self.update_table(table, fields)  # as Google's client does then, with the same etag


REFERENCE = {"projectId": "p", "datasetId": "raw", "tableId": TABLE}


def test_two_changes_at_once_keep_both() -> None:
    """A change that another overtook is made again on what is there then; of many who claim, one does."""
    table: Any = Etagged()
    place = Place(project="p", location="EU")
    programs = [BigQueryMarks(place, lambda _: table) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        claimed = list(threads.map(lambda n: programs[n].replace("claim", "", str(n)), range(4)))
        assert claimed.count(True) == 1
        list(threads.map(lambda n: programs[n].write(str(n), "there"), range(4)))
    assert [programs[0].read(str(n)) for n in range(4)] == ["there"] * 4
    assert programs[1].read("claim") == str(claimed.index(True))


def test_a_change_whose_answer_was_lost_is_made() -> None:
    """Google's client sends it again, and is refused for its own change: the mark says what it was to say."""
    table: Any = Etagged()
    marks = BigQueryMarks(Place(project="p", location="EU"), lambda _: table)
    table.loses_answers = True
    assert marks.replace("claim", "", "mine")
    assert not marks.replace("claim", "", "mine")
