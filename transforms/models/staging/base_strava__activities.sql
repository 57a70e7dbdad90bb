{{
    config(
        materialized='incremental',
        unique_key='activity_id',
        on_schema_change='fail',
        incremental_predicates=merged_where("is_changed('DBT_INTERNAL_DEST.activity_id')"),
        partition_by=by_activity_id(),
        cluster_by=['activity_id'],
    )
}}

with source as (
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

fields as (
    {{
        opened(
            'source',
            'activity_id',
            [
                'name', 'sport_type', 'type', 'workout_type', 'start_date', 'start_date_local', 'timezone', 'utc_offset',
                'distance', 'moving_time', 'elapsed_time', 'total_elevation_gain', 'elev_high', 'elev_low', 'average_speed',
                'max_speed', 'average_heartrate', 'max_heartrate', 'average_cadence', 'average_watts', 'weighted_average_watts',
                'max_watts', 'device_watts', 'kilojoules', 'calories', 'average_temp', 'suffer_score', 'gear_id', 'gear.name',
                'device_name', 'start_latlng.0', 'start_latlng.1', 'end_latlng.0', 'end_latlng.1', 'manual', 'trainer', 'commute',
                'private', 'visibility', 'kudos_count', 'comment_count', 'total_photo_count', 'achievement_count', 'pr_count',
                'map.polyline', 'map.summary_polyline',
            ],
            lists={
                'best_efforts': ['name', 'distance', 'elapsed_time', 'start_date'],
                'laps': [
                    'id', 'lap_index', 'name', 'start_date', 'distance', 'moving_time', 'elapsed_time', 'total_elevation_gain',
                    'average_speed', 'max_speed', 'average_heartrate', 'max_heartrate', 'average_cadence', 'average_watts',
                    'device_watts', 'start_index', 'end_index',
                ],
                'splits_metric': [
                    'split', 'distance', 'moving_time', 'elapsed_time', 'elevation_difference', 'average_speed',
                    'average_grade_adjusted_speed', 'average_heartrate', 'pace_zone',
                ],
                'splits_standard': [
                    'split', 'distance', 'moving_time', 'elapsed_time', 'elevation_difference', 'average_speed',
                    'average_grade_adjusted_speed', 'average_heartrate', 'pace_zone',
                ],
                'segment_efforts': [
                    'id', 'name', 'start_date', 'distance', 'moving_time', 'elapsed_time', 'average_heartrate', 'max_heartrate',
                    'average_cadence', 'average_watts', 'device_watts', 'start_index', 'end_index', 'kom_rank', 'pr_rank', 'hidden',
                    'segment.id', 'segment.distance', 'segment.average_grade', 'segment.climb_category',
                ],
            },
        )
    }}
),

typed as (
    select
        source.activity_id,
        source.athlete_id,
        source.resource_state,
        source.is_deleted,
        source.source,
        source.ingested_at,
        fields.name,
        case
            when not source.is_deleted then coalesce(nullif(fields.sport_type, ''), nullif(fields.type, ''), 'Unknown')
        end as sport_type,
        {{ as_int('fields.workout_type') }} as workout_type,
        {{ as_timestamp('fields.start_date') }} as start_at,
        {{ as_datetime('fields.start_date_local') }} as sent_start_at_local,
        nullif(trim(regexp_replace(fields.timezone, '^[(][^)]*[)]', '')), '') as timezone_name,
        {{ as_offset('fields.utc_offset') }} as utc_offset_s,
        {{ as_float('fields.distance') }} as distance_m,
        {{ as_int('fields.moving_time') }} as moving_time_s,
        {{ as_int('fields.elapsed_time') }} as elapsed_time_s,
        {{ as_float('fields.total_elevation_gain') }} as elevation_gain_m,
        {{ as_float('fields.elev_high') }} as elevation_high_m,
        {{ as_float('fields.elev_low') }} as elevation_low_m,
        {{ as_float('fields.average_speed') }} as average_speed_mps,
        {{ as_float('fields.max_speed') }} as max_speed_mps,
        {{ as_float('fields.average_heartrate') }} as average_heartrate_bpm,
        {{ as_float('fields.max_heartrate') }} as max_heartrate_bpm,
        {{ as_float('fields.average_cadence') }} as average_cadence_rpm,
        {{ as_float('fields.average_watts') }} as average_power_w,
        {{ as_float('fields.weighted_average_watts') }} as weighted_power_w,
        {{ as_float('fields.max_watts') }} as max_power_w,
        {{ as_bool('fields.device_watts') }} as is_power_measured,
        {{ as_float('fields.kilojoules') }} as energy_kj,
        {{ as_float('fields.calories') }} as calories_kcal,
        {{ as_float('fields.average_temp') }} as average_temperature_c,
        {{ as_float('fields.suffer_score') }} as suffer_score,
        fields.gear_id,
        fields.gear_name,
        fields.device_name,
        {{ as_latitude('fields.start_latlng_0', 'fields.start_latlng_1') }} as start_latitude,
        {{ as_longitude('fields.start_latlng_0', 'fields.start_latlng_1') }} as start_longitude,
        {{ as_latitude('fields.end_latlng_0', 'fields.end_latlng_1') }} as end_latitude,
        {{ as_longitude('fields.end_latlng_0', 'fields.end_latlng_1') }} as end_longitude,
        {{ as_bool('fields.manual') }} as is_manual,
        {{ as_bool('fields.trainer') }} as is_trainer,
        {{ as_bool('fields.commute') }} as is_commute,
        {{ as_bool('fields.private') }} as is_private,
        fields.visibility,
        coalesce(nullif(fields.map_polyline, ''), nullif(fields.map_summary_polyline, '')) as polyline,
        case
            when nullif(fields.map_polyline, '') is not null then 'detailed'
            when nullif(fields.map_summary_polyline, '') is not null then 'summary'
        end as polyline_kind,
        {{ as_int('fields.kudos_count') }} as kudos_count,
        {{ as_int('fields.comment_count') }} as comment_count,
        {{ as_int('fields.total_photo_count') }} as photo_count,
        {{ as_int('fields.achievement_count') }} as achievement_count,
        {{ as_int('fields.pr_count') }} as pr_count,
        fields.best_efforts,
        fields.laps,
        fields.splits_metric,
        fields.splits_standard,
        fields.segment_efforts
    from source
    inner join fields on source.activity_id = fields.activity_id
),

final as (
    select
        typed.* {{ except(['sent_start_at_local']) }},
        coalesce(typed.sent_start_at_local, {{ local_time('typed.start_at', 'typed.utc_offset_s') }}) as start_at_local,
        not typed.is_deleted
        and (
            not fields.is_payload_object
            or coalesce(typed.sent_start_at_local, {{ local_time('typed.start_at', 'typed.utc_offset_s') }}) is null
            or {{ any_unreadable([
                ('fields.workout_type', 'typed.workout_type'),
                ('fields.start_date', 'typed.start_at'),
                ('fields.start_date_local', 'typed.sent_start_at_local'),
                ('fields.utc_offset', 'typed.utc_offset_s'),
                ('fields.distance', 'typed.distance_m'),
                ('fields.moving_time', 'typed.moving_time_s'),
                ('fields.elapsed_time', 'typed.elapsed_time_s'),
                ('fields.total_elevation_gain', 'typed.elevation_gain_m'),
                ('fields.elev_high', 'typed.elevation_high_m'),
                ('fields.elev_low', 'typed.elevation_low_m'),
                ('fields.average_speed', 'typed.average_speed_mps'),
                ('fields.max_speed', 'typed.max_speed_mps'),
                ('fields.average_heartrate', 'typed.average_heartrate_bpm'),
                ('fields.max_heartrate', 'typed.max_heartrate_bpm'),
                ('fields.average_cadence', 'typed.average_cadence_rpm'),
                ('fields.average_watts', 'typed.average_power_w'),
                ('fields.weighted_average_watts', 'typed.weighted_power_w'),
                ('fields.max_watts', 'typed.max_power_w'),
                ('fields.device_watts', 'typed.is_power_measured'),
                ('fields.kilojoules', 'typed.energy_kj'),
                ('fields.calories', 'typed.calories_kcal'),
                ('fields.average_temp', 'typed.average_temperature_c'),
                ('fields.suffer_score', 'typed.suffer_score'),
                ('fields.start_latlng_0', 'typed.start_latitude'),
                ('fields.start_latlng_1', 'typed.start_longitude'),
                ('fields.end_latlng_0', 'typed.end_latitude'),
                ('fields.end_latlng_1', 'typed.end_longitude'),
                ('fields.manual', 'typed.is_manual'),
                ('fields.trainer', 'typed.is_trainer'),
                ('fields.commute', 'typed.is_commute'),
                ('fields.private', 'typed.is_private'),
                ('fields.kudos_count', 'typed.kudos_count'),
                ('fields.comment_count', 'typed.comment_count'),
                ('fields.total_photo_count', 'typed.photo_count'),
                ('fields.achievement_count', 'typed.achievement_count'),
                ('fields.pr_count', 'typed.pr_count'),
            ]) }}
        ) as has_unreadable_fields
    from typed
    inner join fields on typed.activity_id = fields.activity_id
)

select * from final
