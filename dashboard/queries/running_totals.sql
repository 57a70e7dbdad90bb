-- Sums over the days of one span (both ends included) and over those of the span it is compared with.
-- Floats add up as decimals, so that their sum is the same in any order of rows.
-- Parameters: first and last day of the span, the athlete, the span again, first and last day of the span before.
with days as (
    select
        *,
        period_start_date between cast(? as date) and cast(? as date) as is_current
    from mart.activity_summary
    where
        athlete_id = ?
        and period_kind = 'day'
        and (
            period_start_date between cast(? as date) and cast(? as date)
            or period_start_date between cast(? as date) and cast(? as date)
        )
)

select
    is_current,
    sum(cast(distance_m as decimal(35, 6))) as distance_m,
    sum(moving_time_s) as moving_time_s,
    sum(cast(elevation_gain_m as decimal(35, 6))) as elevation_gain_m,
    sum(activity_count) as activity_count
from days
group by is_current
