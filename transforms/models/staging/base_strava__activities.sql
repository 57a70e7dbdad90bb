{%- set segment_efforts = [
    'id', 'name', 'start_date', 'distance', 'moving_time', 'elapsed_time', 'average_heartrate', 'max_heartrate',
    'average_cadence', 'average_watts', 'device_watts', 'start_index', 'end_index', 'kom_rank', 'pr_rank', 'hidden',
    'segment.id', 'segment.distance', 'segment.average_grade', 'segment.climb_category',
] -%}
{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        pre_hook="{{ forget_changed_activities() }}",
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['activity_id'],
        meta={'labels': labels()},
    )
}}

with stored as (
    {{
        raw_rows(
            'strava_activities',
            {
                'activity_id': 'int64',
                'athlete_id': 'int64',
                'payload': 'json',
                'resource_state': 'int64',
                'is_deleted': 'bool',
                'source': 'string',
                'ingested_at': 'timestamp',
            },
            conditions=[is_changed()],
        )
    }}
),

{%- if var('without_later') %}

{{ edits_undone('stored') }},
{%- endif %}

fields as (
    {{
        opened(
            'edits_undone' if var('without_later') else 'stored',
            'activity_id, athlete_id, resource_state, is_deleted, source, ingested_at',
            activity_places(),
            lists=dict(recorded_lists(), segment_efforts=segment_efforts),
        )
    }}
),

typed as (
    select
        fields.activity_id,
        fields.athlete_id,
        fields.resource_state,
        fields.is_deleted,
        fields.is_deleted and fields.source = 'retention' as is_expired,
        fields.ingested_at,
        {{ activity_columns('fields') }},
        fields as sent,
        fields.best_efforts,
        fields.laps,
        fields.splits_metric,
        fields.splits_standard,
        fields.segment_efforts
    from fields
),

api as (
    select
        typed.* {{ except(['sent']) }},
        not typed.is_deleted
        and (
            not typed.sent.is_payload_object
            or {{ any_unreadable([
                ('typed.sent.workout_type', 'typed.workout_type'),
                ('typed.sent.start_date', 'typed.start_at'),
                ('typed.sent.start_date_local', 'typed.sent_start_at_local'),
                ('typed.sent.utc_offset', 'typed.utc_offset_s'),
                ('typed.sent.distance', 'typed.distance_m'),
                ('typed.sent.moving_time', 'typed.moving_time_s'),
                ('typed.sent.elapsed_time', 'typed.elapsed_time_s'),
                ('typed.sent.total_elevation_gain', 'typed.elevation_gain_m'),
                ('typed.sent.elev_high', 'typed.elevation_high_m'),
                ('typed.sent.elev_low', 'typed.elevation_low_m'),
                ('typed.sent.average_speed', 'typed.average_speed_mps'),
                ('typed.sent.max_speed', 'typed.max_speed_mps'),
                ('typed.sent.average_heartrate', 'typed.average_heartrate_bpm'),
                ('typed.sent.max_heartrate', 'typed.max_heartrate_bpm'),
                ('typed.sent.average_cadence', 'typed.average_cadence_rpm'),
                ('typed.sent.average_watts', 'typed.average_power_w'),
                ('typed.sent.weighted_average_watts', 'typed.weighted_power_w'),
                ('typed.sent.max_watts', 'typed.max_power_w'),
                ('typed.sent.device_watts', 'typed.is_power_measured'),
                ('typed.sent.kilojoules', 'typed.energy_kj'),
                ('typed.sent.calories', 'typed.calories_kcal'),
                ('typed.sent.average_temp', 'typed.average_temperature_c'),
                ('typed.sent.suffer_score', 'typed.suffer_score'),
                ('typed.sent.start_latlng_0', 'typed.start_latitude'),
                ('typed.sent.start_latlng_1', 'typed.start_longitude'),
                ('typed.sent.end_latlng_0', 'typed.end_latitude'),
                ('typed.sent.end_latlng_1', 'typed.end_longitude'),
                ('typed.sent.manual', 'typed.is_manual'),
                ('typed.sent.trainer', 'typed.is_trainer'),
                ('typed.sent.commute', 'typed.is_commute'),
                ('typed.sent.private', 'typed.is_private'),
                ('typed.sent.kudos_count', 'typed.kudos_count'),
                ('typed.sent.comment_count', 'typed.comment_count'),
                ('typed.sent.total_photo_count', 'typed.photo_count'),
                ('typed.sent.achievement_count', 'typed.achievement_count'),
                ('typed.sent.pr_count', 'typed.pr_count'),
            ]) }}
        ) as has_unreadable_fields
    from typed
),

owned as (
    select
        activity_id,
        athlete_id,
        is_deleted,
        source,
        ingested_at,
        sport_type,
        device_name,
        start_at,
        timezone_name,
        utc_offset_s,
        utc_offset_source,
        gear_id,
        gear_name,
        polyline,
        polyline_kind,
        elevation_source,
        distance_precision_m,
        is_clipped,
        {%- for column in computable_columns() %}
        has_computed_{{ column }},
        {%- endfor %}
        {{ (filled_columns() + (recorded_lists() | list)) | join(', ') }}
    from {{ ref('base_archive__activities') }}
    where {{ is_changed() }}
),

-- what the API tells; where it tells nothing, what the athlete's own files say
merged as (
    select
        coalesce(api.activity_id, owned.activity_id) as activity_id,
        coalesce(api.athlete_id, owned.athlete_id) as athlete_id,
        api.resource_state,
        coalesce(api.is_deleted, true) and coalesce(owned.is_deleted, true) as is_deleted,
        case when not api.is_deleted then 'api' else owned.source end as source,
        coalesce(api.is_expired, false) as is_expired,
        {{ newest_of(['api.ingested_at', 'owned.ingested_at']) }} as ingested_at,
        {%- for column in filled_columns() %}
        coalesce(api.{{ column }}, owned.{{ column }}) as {{ column }},
        {%- endfor %}
        coalesce(api.sport_type, owned.sport_type) as sent_sport_type,
        coalesce(owned.device_name, api.device_name) as device_name,
        coalesce(api.start_at, owned.start_at) as start_at,
        api.sent_start_at_local,
        case when api.utc_offset_s is null and api.timezone_name is null then owned.timezone_name else api.timezone_name end
            as timezone_name,
        case when api.utc_offset_s is null and api.timezone_name is null then owned.utc_offset_s else api.utc_offset_s end
            as utc_offset_s,
        case when api.utc_offset_s is null and api.timezone_name is null then owned.utc_offset_source else 'api' end
            as utc_offset_source,
        coalesce(api.gear_id, case when api.gear_name is null then owned.gear_id end) as gear_id,
        coalesce(
            api.gear_name,
            case when coalesce(api.gear_id, owned.gear_id, '') = coalesce(owned.gear_id, '') then owned.gear_name end
        ) as gear_name,
        -- a summary's line is a simplified one
        case when api.polyline_kind = 'detailed' or owned.polyline is null then api.polyline else owned.polyline end as polyline,
        case when api.polyline_kind = 'detailed' or owned.polyline is null then api.polyline_kind else owned.polyline_kind end
            as polyline_kind,
        case when api.elevation_gain_m is not null then 'strava' else owned.elevation_source end as elevation_source,
        case when api.distance_m is null then owned.distance_precision_m end as distance_precision_m,
        coalesce(owned.is_clipped, false) as is_clipped,
        case
            when owned.activity_id is not null then {{ joined_names(computable_columns(), 'api', 'owned') }}
        end as computed_columns,
        {%- for list in recorded_lists() %}
        case when array_length(api.{{ list }}) > 0 then api.{{ list }} else owned.{{ list }} end as {{ list }},
        coalesce(array_length(api.{{ list }}), 0) = 0 and coalesce(array_length(owned.{{ list }}), 0) > 0 as has_own_{{ list }},
        {%- endfor %}
        api.segment_efforts,
        coalesce(api.has_unreadable_fields, false) as has_unreadable_fields
    from api
    full outer join owned on api.activity_id = owned.activity_id
),

final as (
    select
        merged.* {{ except(['sent_sport_type', 'sent_start_at_local', 'has_unreadable_fields']) }},
        case when not merged.is_deleted then coalesce(merged.sent_sport_type, 'Unknown') end as sport_type,
        -- without any offset the day is that of UTC, but for what the API should have told
        coalesce(
            merged.sent_start_at_local,
            {{ local_time('merged.start_at', 'merged.utc_offset_s') }},
            case when merged.source != 'api' then cast(merged.start_at as datetime) end
        ) as start_at_local,
        merged.has_unreadable_fields
        or (
            not merged.is_deleted
            and coalesce(merged.sent_start_at_local, {{ local_time('merged.start_at', 'merged.utc_offset_s') }}) is null
            and (merged.source = 'api' or merged.start_at is null)
        ) as has_unreadable_fields
    from merged
    {%- if var('without_later') %}
    where coalesce(merged.start_at <= {{ as_of() }}, true)
    {%- endif %}
)

select * from final
