"""What the worker and its jobs ask of `raw` in BigQuery, by the names of the statements: the bill is made of them.

`tests/backends/test_warehouse_bigquery.py` and `tests/end_to_end/test_google_cloud.py` compare them with what the
programs really ask.
"""

from backends.warehouse.bigquery.watermark import STATES

BATCH = ["event_basis", "put_activities", "put_events"]  # of events
EDITS = ["event_basis", "put_activities", "put_changes", "put_events"]
DELETIONS = ["event_basis", "put_activities", "drop_streams", "put_events"]
MIXED = ["event_basis", "put_activities", "drop_streams", "put_changes", "put_events"]  # edits and deletions
STREAMS = ["put_streams", "repeated_strava_streams"]  # of one activity
DAILY_LOOKS = ["due_looks"] * 2  # by the day, so that the cache answers until it is another, or something changes
# What the next sweep asks that the cache answers until something changes, and which streams what came then is to have.
AFTER_CHANGE = [
    "next_deferred", "due_looks", "athletes", "backfills", "expired_athletes", "reading", "newest_change", "last_run",
    "last_error", "due_streams", "stream_facts", *STATES,
]  # fmt: skip
# The daily check of an athlete: once, for each page of the list, and for each look at an activity.
CHECK = [
    "activity_ids", "archived_ids", *["activity_versions"] * 3, "least_recently_observed", "put_reconciliations",
    "put_complete_as_of",
]  # fmt: skip
PAGE = ["activity_versions", "living_payloads", "put_activities"]
LOOK = ["activity_versions", "living_payloads", "put_activities"]
