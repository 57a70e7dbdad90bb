{% set definition_version = 3 %}
{{
    config(
        materialized='incremental',
        unique_key=['activity_id', 'unit_system', 'split_index'],
        on_schema_change='fail',
        pre_hook="{{ forget_changed_streams() }}",
        incremental_predicates=merged_where("is_changed_in_streams('DBT_INTERNAL_DEST.activity_id')"),
        cluster_by=['athlete_id', 'activity_id'],
        meta={'definition_version': definition_version},
    )
}}

with inputs as (
    select * from {{ ref('int_streams__inputs') }}
    where {{ is_changed_in_streams() }}
),

marks as (
    select * from {{ ref('int_streams__marks') }}
    where {{ is_changed_in_streams() }}
),

-- a kilometre or mile begins at the mark before, the first one at the start, and the last one ends at the end
ends as (
    select
        *,
        kind as unit_system
    from marks
    where kind in ('metric', 'imperial')
    union all
    {%- for unit_system in ['metric', 'imperial'] %}
    select
        *,
        '{{ unit_system }}' as unit_system
    from marks
    where kind in ('start', 'end')
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

followed as (
    select
        *,
        {%- for course in ['distance_m', 'elapsed_s', 'altitude_m'] + courses() %}
        {{ course }} - lag({{ course }}) over way as split_{{ course }},
        {%- endfor %}
        row_number() over way - 1 as split_index
    from ends
    window way as (
        partition by activity_id, unit_system
        order by case kind when 'start' then 0 when 'end' then 2 else 1 end, mark_index
    )
),

recorded as (
    select
        followed.activity_id,
        inputs.athlete_id,
        followed.unit_system,
        followed.split_index,
        followed.split_distance_m as distance_m,
        followed.split_elapsed_s as elapsed_time_s,
        followed.split_moved_s as moving_time_s,
        followed.split_altitude_m as elevation_difference_m,
        case
            when followed.split_flat_m > 0 and followed.split_altitude_m is not null
                then followed.split_flat_m / nullif(followed.split_moved_s, 0)
        end as grade_adjusted_speed_mps,
        followed.split_beats / nullif(followed.split_beats_s, 0) as average_heartrate_bpm,
        'streams' as source
    from followed
    inner join inputs on followed.activity_id = inputs.activity_id
    where
        followed.split_index > 0
        and (followed.kind <> 'end' or followed.split_distance_m >= 1)
),

sent as (
    select
        splits.activity_id,
        splits.athlete_id,
        splits.unit_system,
        splits.split_index,
        splits.distance_m,
        splits.elapsed_time_s,
        splits.moving_time_s,
        splits.elevation_difference_m,
        splits.grade_adjusted_speed_mps,
        splits.average_heartrate_bpm,
        case when splits.is_computed then 'file' else 'strava' end as source
    from {{ ref('stg_strava__splits') }} as splits
    left join recorded
        on
            splits.activity_id = recorded.activity_id
            and splits.unit_system = recorded.unit_system
            and recorded.split_index = 1
    where
        recorded.activity_id is null
        and {{ is_changed_in_streams('splits.activity_id') }}
),

every_split as (
    select * from recorded
    union all
    select * from sent
),

final as (
    select
        athlete_id,
        activity_id,
        unit_system,
        cast(split_index as int64) as split_index,
        distance_m,
        {{ as_double('elapsed_time_s') }} as elapsed_time_s,
        {{ as_double('moving_time_s') }} as moving_time_s,
        elevation_difference_m,
        grade_adjusted_speed_mps,
        average_heartrate_bpm,
        source,
        cast({{ definition_version }} as int64) as definition_version
    from every_split
)

select * from final
