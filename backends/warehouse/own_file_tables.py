"""The tables of what an athlete's own files say: Strava's export, recordings, and the imports that brought them."""

from backends.warehouse.table import ATHLETE, INGESTED_AT, Column, IdRange, Table, optional

FIRST_OWN_ID = 8 * 10**15  # from here on numbers are made from files; Strava's are far below
_IMPORT = Column("import_id", "string", "The import that brought it.")
_IS_DELETED = Column(
    "is_deleted", "bool", "Whether it was deleted at Strava after the export; then no content is kept."
)

ARCHIVE_ACTIVITIES = Table(
    "archive_activities",
    "activity_id",
    "One row per activity that an export of Strava's listed, as the newest of these exports has it.",
    [
        Column("activity_id", "int64", "Strava's number of the activity; the key."),
        ATHLETE,
        _IMPORT,
        Column("exported_at", "timestamp", "When Strava wrote the export; once deleted, when that was seen."),
        optional("language", "string", "The language of the export's headers, as en; null where it is not known."),
        optional("start_at", "timestamp", "True UTC start; null once deleted, and where the date cannot be read."),
        _IS_DELETED,
        INGESTED_AT,
        optional("row", "json", "Header and value of each cell, word for word; null once deleted."),
        optional("activity", "json", "What the row says in the words of Strava's API; null once deleted."),
    ],
    partitions=IdRange(),
    clustering=["activity_id"],
)
ACTIVITY_FILES = Table(
    "activity_files",
    "file_id",
    "One row per recorded session of a FIT, TCX or GPX file.",
    [
        Column("file_id", "string", "The file's sha256, session and athlete_id, joined by slashes; the key."),
        ATHLETE,
        Column("sha256", "string", "SHA-256 of the file, unpacked."),
        Column("session", "int64", "Which of the file's sessions it is, from 0."),
        _IMPORT,
        optional("name", "string", "The file's name without its folder; null once deleted."),
        Column("origin", "string", "archive for a file of Strava's export, own for any other."),
        Column("kind", "string", "fit, tcx or gpx."),
        Column("is_truncated", "bool", "Whether the file breaks off, so that only what is before the break is known."),
        optional("device_key", "string", "Maker, serial number and time of creation, joined by slashes; null without."),
        Column("activity_id", "int64", "The activity that it is a recording of; own_activity_id where none is known."),
        Column("own_activity_id", "int64", "The number of an activity that only this file tells of, above 8·10¹⁵."),
        optional("previous_activity_id", "int64", "The activity_id before the last change of it."),
        optional("matched_by", "string", "row, same_upload, same_recording, same_name or alike; null without a match."),
        optional("twin", "string", "The activity_id or the file_id that it was matched with."),
        optional("suspect", "string", "suspect_time_zone or overlaps: what it may be, and was not matched by."),
        optional("suspect_twin", "string", "The activity_id or the file_id that this is about."),
        optional("exported_at", "timestamp", "When Strava wrote the export that it is from; null for other files."),
        optional("start_at", "timestamp", "True UTC start; null once deleted."),
        optional("elapsed_time_s", "int64", "Seconds from start to end; null once deleted."),
        _IS_DELETED,
        INGESTED_AT,
        optional("activity", "json", "What the recording says in the words of Strava's API; null once deleted."),
        optional("streams", "json", "Its curves, an object by key as Strava's API has it; null once deleted."),
    ],
    partitions=IdRange(start=FIRST_OWN_ID, end=FIRST_OWN_ID + 10**15, interval=2 * 10**12),
    partitioned_by="own_activity_id",
    clustering=["activity_id"],
)
IMPORTS = Table(
    "imports",
    "import_id",
    "One row per import of an export of Strava's, or of other files.",
    [
        Column("import_id", "string", "The key."),
        ATHLETE,
        Column("started_at", "timestamp", "When it began."),
        Column("updated_at", "timestamp", "When the row was written."),
        optional("finished_at", "timestamp", "When it ended; null until then."),
        Column("status", "string", "running, finished, stopped or failed."),
        Column("source", "string", "The name of the ZIP, folder or file, without its path."),
        Column("fingerprint", "string", "SHA-256 of the list of files and of the list of activities."),
        optional("exported_at", "timestamp", "When Strava wrote the export; null for other files."),
        optional("language", "string", "The language of the export's headers; null where it is not known."),
        Column("row_count", "int64", "Rows of the list of activities."),
        Column("file_count", "int64", "Recordings to be read."),
        Column("media_count", "int64", "Photos and videos, which are not looked at."),
        Column("other_count", "int64", "Other files, which are not looked at."),
        optional("reason", "string", "Why it was stopped or failed, in one sentence."),
    ],
)
IMPORT_ITEMS = Table(
    "import_items",
    "item_id",
    "One row per row and file of an import that is dealt with, with its outcome.",
    [
        Column("item_id", "string", "The import, the kind, and the activity's number or the file's name; the key."),
        _IMPORT,
        ATHLETE,
        Column("kind", "string", "row, file or problem."),
        optional("name", "string", "The file's name in the export; null for a row."),
        optional("activity_id", "int64", "The activity that it became or belongs to."),
        Column(
            "outcome",
            "string",
            "Row: new, same_id, updated, skipped, unreadable. File: read, cut_short, same_file, skipped, failed.",
        ),
        optional("matched_by", "string", "The key that it was matched by; null without a match."),
        optional("twin", "string", "The activity_id or the file_id that it was matched with."),
        optional("reason", "string", "Why it was skipped, failed or read in part, in one sentence."),
        Column("finished_at", "timestamp", "When it was dealt with."),
    ],
    clustering=["import_id"],
)
OWN_FILES = (ARCHIVE_ACTIVITIES, ACTIVITY_FILES, IMPORTS, IMPORT_ITEMS)
