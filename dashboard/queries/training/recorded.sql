-- How many activities there were, and of how many of them curves are stored.
-- Parameters: athlete, twice; first and last day; sport group or `all`, twice.
select
    count(*) as activity_count,
    count(summaries.activity_id) as recorded_count
from mart.fct_activities as activities
left join mart.stream_summary as summaries
    on
        activities.activity_id = summaries.activity_id
        and summaries.athlete_id = ?
where
    activities.athlete_id = ?
    and activities.start_date_local between cast(? as date) and cast(? as date)
    and (activities.sport_group = ? or ? = 'all')
