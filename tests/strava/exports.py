"""Exports made by hand: rows by the names of their columns, ZIPs of any entries."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from simulator.export.columns import SHOWN, Layout
from strava.archive.archive import Archive, open_archive

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
NAMES = (
    "id", "date", "name", "type", "description", "elapsed", "distance", "max_heart", "effort", "commute", "note",
    "gear", "file",
)  # fmt: skip


def csv_of(rows: Sequence[Sequence[str]]) -> bytes:
    """Write rows, of which the first is the header."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def cells_of(layout: Layout, measured: Mapping[str, str], **shown: str) -> list[str]:
    """Return a row: the shown cells by `NAMES`, the measured ones by Strava's; what is not given is empty."""
    by_name = dict(zip(SHOWN, (shown.get(name, "") for name in NAMES), strict=True))
    return [*(by_name[name] for name in layout.shown), *(measured.get(name, "") for name in layout.measured)]


def zip_of(entries: Mapping[str, bytes]) -> bytes:
    """Write a ZIP with these entries."""
    return zip_with([(ZipInfo(name, (2026, 11, 20, 10, 0, 0)), content) for name, content in entries.items()])


def zip_with(entries: Sequence[tuple[ZipInfo, bytes]]) -> bytes:
    """Write a ZIP with entries of any kind."""
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for info, content in entries:
            archive.writestr(info, content, ZIP_DEFLATED)
    return file.getvalue()


def opened(path: Path, content: bytes) -> Archive:
    """Put the bytes there and open them."""
    path.write_bytes(content)
    return open_archive(path, now=NOW)
