"""Turns what was read of an archive into what is stored of it."""

import hashlib
from datetime import UTC, datetime
from pathlib import PurePosixPath

import orjson

from backends.warehouse.own_files import ArchivedActivity, FileRow, Import, Origin
from strava.archive.archive import Archive
from strava.archive.row import ArchiveRow
from worker.importing.matching import ROW
from worker.importing.outcomes import FileOutcome, ReadFile
from worker.importing.readers import Wanted

OWN_IDS, OWN_ID_COUNT = 8 * 10**15, 10**15  # far above Strava's ids, and exact in a float of 64 bits


def fingerprint(archive: Archive) -> str:
    """Return what tells an archive from others: a hash of its list of files and of its list of activities."""
    told = hashlib.sha256()
    for name, size in sorted(archive.files.items()):
        told.update(orjson.dumps([name, size]))
    if archive.activities:
        told.update(orjson.dumps(archive.activities.columns.header))
        for row in archive.rows:
            told.update(row.cells_json)
    return told.hexdigest()


def own_activity_id(file_id: str) -> int:
    """Return the number of the activity that a recording is where none is known that it is of."""
    return OWN_IDS + int(hashlib.sha256(file_id.encode()).hexdigest(), 16) % OWN_ID_COUNT


def archived(row: ArchiveRow, current: Import) -> ArchivedActivity:
    """Return an activity of the list as it is stored."""
    activity = row.activity
    return ArchivedActivity(
        activity_id=row.activity_id,
        athlete_id=current.athlete_id,
        import_id=current.import_id,
        exported_at=current.exported_at or current.started_at,
        language=current.language,
        start_at=row.start,
        row=orjson.dumps(row.raw).decode(),
        activity=orjson.dumps(activity).decode(),
    )


def file_rows(read: ReadFile, wanted: Wanted, current: Import, *, is_export: bool) -> list[FileRow]:
    """Return a file's sessions as they are stored; one that no row names is of its own activity until it is matched."""
    result = read.result
    rows = []
    for session in read.sessions:
        file_id = f"{result.sha256}/{session.number}/{current.athlete_id}"
        own_id = own_activity_id(file_id)
        rows.append(
            FileRow(
                file_id=file_id,
                athlete_id=current.athlete_id,
                sha256=str(result.sha256),
                session=session.number,
                import_id=current.import_id,
                name=PurePosixPath(result.name).name,
                origin=Origin.ARCHIVE if is_export else Origin.OWN,
                kind=str(result.kind),
                is_truncated=result.outcome is FileOutcome.CUT_SHORT,
                device_key=session.device_key,
                activity_id=own_id if wanted.activity_id is None else wanted.activity_id,
                own_activity_id=own_id,
                matched_by=None if wanted.activity_id is None else ROW,
                twin=None if wanted.activity_id is None else str(wanted.activity_id),
                exported_at=current.exported_at if is_export else None,
                start_at=datetime.fromtimestamp(session.start, UTC),
                elapsed_time_s=session.elapsed_s,
                activity=session.activity.decode(),
                streams=session.streams.decode(),
            )
        )
    return rows
