-- Sums over the days of one span (both ends included) and over those of the span it is compared with.
-- Floats add up as decimals, so that their sum is the same in any order of rows.
-- Parameters: first and last day of the span, of the span before, and the athlete.
with spans as (
    select
        cast(? as date) as current_first,
        cast(? as date) as current_last,
        cast(? as date) as before_first,
        cast(? as date) as before_last
),

days as (
    select
        summary.*,
        summary.period_start_date between spans.current_first and spans.current_last as is_current
    from mart.activity_summary as summary
    cross join spans
    where
        summary.athlete_id = ?
        and summary.period_kind = 'day'
        and (
            summary.period_start_date between spans.current_first and spans.current_last
            or summary.period_start_date between spans.before_first and spans.before_last
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
