"""The tables of `raw`, each stated once; what an engine keeps is made from this or checked against it."""

from backends.warehouse.own_file_tables import OWN_FILES
from backends.warehouse.table import ATHLETE, INGESTED_AT, Column, IdRange, Table, optional

_OBSERVED_AT = Column("observed_at", "timestamp", "When Strava was asked for what is stored here.")

STRAVA_ACTIVITIES = Table(
    "strava_activities",
    "activity_id",
    "One row per activity, tombstones of deleted ones included.",
    [
        Column("activity_id", "int64", "Strava's number of the activity; the key."),
        ATHLETE,
        optional("resource_state", "int64", "2 summary, 3 detailed; null once deleted."),
        optional("start_date", "timestamp", "True UTC start; null once deleted."),
        optional("event_time", "timestamp", "Of the event that led to the content, if one did."),
        _OBSERVED_AT,
        optional("seen_alive_at", "timestamp", "When Strava last showed the activity, listed or in detail."),
        Column("is_deleted", "bool", "Whether the row is a tombstone."),
        Column(
            "source", "string", "webhook, reconcile, backfill, archive, or retention for a payload that got too old."
        ),
        optional("payload_hash", "string", "SHA-256 of the payload in canonical form."),
        optional("event_id", "string", "The event that led to the content, if one did."),
        INGESTED_AT,
        optional("payload", "json", "What Strava sent, word for word; null once deleted."),
    ],
    partitions=IdRange(),
    clustering=["activity_id"],
)
STRAVA_EVENTS = Table(
    "strava_events",
    "delivery_id",
    "The ledger: one row per delivery of an event, with its outcome.",
    [
        Column("delivery_id", "string", "The event, its message and the attempt; the key."),
        optional("event_id", "string", "Names the event; unreadable/ and the message when that could not be read."),
        optional("athlete_id", "int64", "Strava's owner_id."),
        optional("object_type", "string", "activity or athlete."),
        optional("object_id", "int64", "The activity or the athlete."),
        optional("aspect_type", "string", "create, update or delete."),
        optional("updates", "json", "What changed; a title is null, for it would outlive a deletion."),
        optional("subscription_id", "int64", "The webhook subscription that the event came through."),
        optional("event_time", "timestamp", "When it happened, by Strava's clock, in whole seconds."),
        optional("received_at", "timestamp", "When the service received it."),
        Column("outcome", "string", "stored, unchanged, deleted, deferred, parked, ignored or purged."),
        Column("reason", "string", "Why, in one sentence."),
        optional("reason_kind", "string", "The word for the reason of a deferred or parked event; else null."),
        optional(
            "message",
            "string",
            "What a message held that could not be read, control characters escaped; null once dismissed.",
        ),
        optional(
            "retry_at",
            "timestamp",
            "When a deferred event that is off the queue is published again; null where the queue brings it.",
        ),
        Column(
            "attempt", "int64", "Which attempt of its message this was; 0 of each attempt of a replay, or dismissal."
        ),
        Column("finished_at", "timestamp", "When the worker was done with it."),
        INGESTED_AT,
    ],
    clustering=["ingested_at"],
)
STRAVA_STREAMS = Table(
    "strava_streams",
    "activity_id",
    "The recorded curves of an activity: one row per activity whose streams Strava was asked for.",
    [
        Column("activity_id", "int64", "The activity; the key."),
        ATHLETE,
        Column("fetched_for", "string", "Start, distance and times that it had when Strava was asked; JSON."),
        Column("activity_hash", "string", "The payload_hash that it had when Strava was asked; empty if expired."),
        _OBSERVED_AT,
        INGESTED_AT,
        optional("payload", "json", "What Strava sent, an object by key; null where it has none or they expired."),
    ],
    partitions=IdRange(),
    clustering=["activity_id"],
)
ACTIVITY_CHANGES = Table(
    "activity_changes",
    "change_id",
    "What edits and returns changed: one row per activity, replaced version, and field; none once it is deleted.",
    [
        Column(
            "change_id",
            "string",
            "The activity, when Strava last showed what was replaced, its hash, and the field; the key.",
        ),
        Column("activity_id", "int64", "The activity."),
        ATHLETE,
        Column("kind", "string", "added (by a check), changed or restored."),
        optional("field", "string", "Strava's name of what changed; null unless changed."),
        Column("source", "string", "webhook, reconcile, backfill or archive: what brought the new content."),
        optional("event_id", "string", "The event that led to it, if one did."),
        Column("observed_at", "timestamp", "When Strava last showed the old values; of other kinds the new state."),
        INGESTED_AT,
        optional("payload", "json", "Strava's `old` and `new` value; null unless changed."),
    ],
    partitions=IdRange(),
    partitioned_by="activity_id",
    clustering=["activity_id"],
)
STRAVA_ATHLETE_SETTINGS = Table(
    "strava_athlete_settings",
    "settings_id",
    "An athlete's sex, weight, FTP and zones: one row for each change that was seen.",
    [
        Column("settings_id", "string", "The key."),
        ATHLETE,
        Column("payload", "json", "Strava's sex, weight and ftp of the athlete, and its answer about zones."),
        Column("observed_at", "timestamp", "When Strava first showed these values."),
        INGESTED_AT,
        optional("last_seen_at", "timestamp", "When Strava last showed all of them again; null where it has not."),
    ],
)
ATHLETE_FILES = Table(
    "athlete_files",
    "athlete_id",
    "What an athlete's own file athlete.toml says of settings, goals and gear: one row per athlete who had one.",
    [
        Column("athlete_id", "int64", "Whose it is; the key."),
        Column(
            "payload",
            "json",
            "Lists of settings, goals, gear and its services, each value checked and in its base unit.",
        ),
        Column("file_hash", "string", "SHA-256 of the payload."),
        INGESTED_AT,
    ],
)
STRAVA_GEAR = Table(
    "strava_gear",
    "gear_id",
    "One row per pair of shoes or bike that Strava was asked for, with its payload.",
    [
        Column("gear_id", "string", "Strava's id of the gear; the key."),
        ATHLETE,
        optional("payload", "json", "What Strava sent, word for word; null where it never showed the gear."),
        _OBSERVED_AT,
        INGESTED_AT,
        optional("not_found_at", "timestamp", "When Strava last had no such gear; null where it showed it since."),
    ],
)
STRAVA_TOTALS = Table(
    "strava_totals",
    "athlete_id",
    "Strava's own totals of rides, runs and swims: one row per athlete, as Strava said when it was last asked.",
    [
        Column("athlete_id", "int64", "Whose they are; the key."),
        Column("payload", "json", "What Strava sent, word for word."),
        _OBSERVED_AT,
        INGESTED_AT,
    ],
)
STRAVA_ATHLETES = Table(
    "strava_athletes",
    "athlete_id",
    "One row per athlete that ever connected, or imported own files, and was not purged: scopes and status, no name.",
    [
        Column("athlete_id", "int64", "Strava's number of the athlete; the key."),
        Column("scope", "string", "The granted scopes, sorted, separated by commas."),
        Column("status", "string", "connected, app_inactive, token_rejected, revoked or archive_only."),
        Column("updated_at", "timestamp", "When the athlete last connected, or became known by an import."),
        optional(
            "status_since",
            "timestamp",
            "When the status changed; null since the athlete last connected, and after a lapse of the app.",
        ),
        optional("status_reason", "string", "Why Strava cannot be asked, and what to do; null when connected."),
        optional(
            "fenced_until",
            "timestamp",
            "Of who came back after a purge: what was seen until then belongs to what was purged.",
        ),
    ],
)
INGESTION_STATE = Table(
    "_ingestion_state",
    "athlete_id",
    "One row per athlete: how far the history is vouched for.",
    [
        Column("athlete_id", "int64", "Strava's number of the athlete; the key."),
        optional("complete_as_of", "timestamp", "All that Strava listed at that moment is stored."),
        optional("listing_began_at", "timestamp", "When the listing began that was cut short."),
        optional("backfill_cursor", "timestamp", "Start of the oldest activity that this listing has reached."),
        Column("updated_at", "timestamp", "When the row was written."),
    ],
)
STRAVA_SUBSCRIPTIONS = Table(
    "strava_subscriptions",
    "subscription_id",
    "One row per push subscription that this pipeline made or adopted.",
    [
        Column("subscription_id", "int64", "Strava's number of the subscription; the key."),
        Column("remembered_at", "timestamp", "When it was first made or adopted."),
        optional("ended_at", "timestamp", "When it was deleted or replaced; null for the current one."),
    ],
)
BACKFILLS = Table(
    "backfills",
    "athlete_id",
    "One row per athlete: what was last asked to be loaded of the history, and how far it is.",
    [
        Column("athlete_id", "int64", "Strava's number of the athlete; the key."),
        Column("requested_at", "timestamp", "When it was asked for."),
        optional("since", "timestamp", "Only activities that started at or after this moment; null for all."),
        Column("has_details", "bool", "Whether the details are wanted, or the summaries alone."),
        optional("started_at", "timestamp", "When the worker took it up, or its list began again."),
        Column("listed_count", "int64", "Activities that Strava has listed so far."),
        optional("listed_at", "timestamp", "When Strava's list had come to its end."),
        optional("waits_until", "timestamp", "When it goes on, if it waits."),
        optional("waits_because", "string", "What it waits for."),
        optional("waits_kind", "string", "The word for what it waits for, such as rate_limited."),
        optional("expected_at", "timestamp", "When the rate budget allows the last call, if nobody else calls."),
        optional("finished_at", "timestamp", "When it was done; null until then."),
        Column("updated_at", "timestamp", "When the row was written."),
        Column("has_streams", "bool", "Whether streams are wanted too, after the details."),
        Column("failed_count", "int64", "Activities that could not be fetched so far, and are tried again."),
        optional("retry_at", "timestamp", "When the first of them is tried again; null without any."),
    ],
)
RECONCILIATIONS = Table(
    "reconciliations",
    "reconciliation_id",
    "One row per reconciliation and athlete: Strava's count, ours and what differed.",
    [
        Column("reconciliation_id", "string", "The key."),
        ATHLETE,
        Column("strava_count", "int64", "Activities that Strava lists."),
        Column("warehouse_count", "int64", "Activities that are stored after the repairs, as of the same list."),
        Column("missing", "int64", "Listed by Strava and not stored."),
        Column("extra", "int64", "Stored and not listed by Strava."),
        Column("changed", "int64", "Stored in another version than Strava's."),
        Column("repaired", "int64", "Differences that were mended."),
        Column("started_at", "timestamp", "When the reconciliation began."),
        Column("finished_at", "timestamp", "When it ended."),
        Column("unreadable", "int64", "Items of Strava's list that could not be read or are another athlete's."),
        Column("verdict", "string", "complete, incomplete, guarded or cut_short."),
        optional("reason", "string", "Why it is not complete, in one sentence."),
        optional("stopped_kind", "string", "The word for what ended it before its end; null where nothing did."),
        optional("retry_at", "timestamp", "From when on Strava can be asked for the rest, where that is known."),
    ],
)
PURGES = Table(
    "purges",
    "purge_id",
    "One row per purge of an athlete: counts, and no personal data.",
    [
        Column("purge_id", "string", "The key."),
        Column("athlete_hash", "string", "A keyed hash, by which the athlete can have the purge confirmed."),
        Column("purged_at", "timestamp", "When it was done."),
        Column("removed", "json", "Rows removed, by table."),
    ],
)
PIPELINE_READINGS = Table(
    "pipeline_readings",
    "reading",
    "One row: how the rate budget and the queue stood when they were last read.",
    [
        Column("reading", "string", "current; the key."),
        Column("read_at", "timestamp", "When it was read; what tells nothing new is not written."),
        Column("changed_at", "timestamp", "When something last changed that a page must show soon."),
        Column(
            "budget", "json", "Each limit with its use, and by lane the calls that had to wait in the quarter hour."
        ),
        optional("lapsed_since", "timestamp", "Since when Strava refuses the app itself; null while it accepts it."),
        optional("closed_until", "timestamp", "Until when no call is made; null while calls are made."),
        optional("closed_because", "string", "Why Strava refuses the app, or why no call is made."),
        optional("closed_kind", "string", "The word for that, such as app_inactive."),
        Column("queued_count", "int64", "Messages in the queue, if one waits there for longer than a minute; else 0."),
        optional("queued_since", "timestamp", "Since when the oldest of them waits, to the minute."),
    ],
)
TRANSFORM_RUNS = Table(
    "transform_runs",
    "run_id",
    "One row per build of this project: when it began and when its marts were published.",
    [
        Column("run_id", "string", "The key."),
        Column("watermark", "string", "The state of `raw` that the run began with."),
        Column("started_at", "timestamp", "When it began."),
        Column("finished_at", "timestamp", "When dbt had ended."),
        optional("published_at", "timestamp", "When its marts were published; null when it failed."),
        Column("is_full_refresh", "bool", "Whether everything was built from the beginning."),
        optional("error", "string", "Why it failed."),
        optional("ingested_at", "timestamp", "When the row was written; null in rows of older versions."),
    ],
)
CONNECT_INVITES = Table(
    "connect_invites",
    "invite_id",
    "One row per invitation to connect that was used: each works once, so it is remembered until it expires.",
    [
        Column("invite_id", "string", "The key."),
        Column("expires_at", "timestamp", "From when on it would not work in any case."),
        optional("athlete_id", "int64", "Whom it connected; null while that is under way, and after a purge."),
        optional("claimed_at", "timestamp", "When it was used; null where it was released, or by an older version."),
    ],
)
RETENTION_RUNS = Table(
    "retention_runs",
    "retention",
    "One row: when something was last removed because it got too old, which may leave no other trace.",
    [Column("retention", "string", "last; the key."), INGESTED_AT],
)

TABLES = (
    STRAVA_ACTIVITIES,
    STRAVA_EVENTS,
    STRAVA_STREAMS,
    ACTIVITY_CHANGES,
    STRAVA_GEAR,
    STRAVA_ATHLETE_SETTINGS,
    STRAVA_TOTALS,
    ATHLETE_FILES,
    *OWN_FILES,
    STRAVA_ATHLETES,
    INGESTION_STATE,
    STRAVA_SUBSCRIPTIONS,
    BACKFILLS,
    RECONCILIATIONS,
    PURGES,
    PIPELINE_READINGS,
    TRANSFORM_RUNS,
    CONNECT_INVITES,
    RETENTION_RUNS,
)
