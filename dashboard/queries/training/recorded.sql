-- How many activities there were, and of how many of them curves are stored.
-- Parameters: athlete, twice; first and last day; sport group or `all`, twice.
with curves as (
    select summaries.activity_id
    from mart.stream_summary as summaries
    where summaries.athlete_id = ?
)

select
    count(*) as activity_count,
    count(curves.activity_id) as recorded_count
from mart.fct_activities as activities
left join curves on activities.activity_id = curves.activity_id
where
    activities.athlete_id = ?
    and activities.start_date_local between cast(? as date) and cast(? as date)
    and (activities.sport_group = ? or ? = 'all')
