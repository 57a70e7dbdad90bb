"""By which columns of `raw` the transforms see that there is something new."""

from backends.warehouse.schema import BACKFILLS, STRAVA_ATHLETES

# The column of each table, that the marts tell of, which moves with every change.
MOVES = {
    "strava_activities": "ingested_at",
    "strava_events": "ingested_at",
    "strava_streams": "ingested_at",
    "activity_changes": "ingested_at",
    "strava_gear": "ingested_at",
    "strava_athlete_settings": "ingested_at",
    "strava_totals": "ingested_at",
    "athlete_files": "ingested_at",
    "archive_activities": "ingested_at",
    "activity_files": "ingested_at",
    "imports": "updated_at",
    "import_items": "finished_at",
    "reconciliations": "finished_at",
    "purges": "purged_at",
    "backfills": "updated_at",
    "pipeline_readings": "changed_at",
}
# Of these, rows go that got too old, which moves no stamp: it shows in how many there are. They are few.
COUNTED = ("strava_gear", "strava_athlete_settings", "strava_totals", "activity_changes")
# One row per athlete, each of which may change to an earlier moment: all of them are read.
WHOLE = (STRAVA_ATHLETES, BACKFILLS)
