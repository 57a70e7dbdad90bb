-- The most of each measure: in an activity, a day, a week; of all time or of a year.
-- Parameters: athlete; sport group, or all; all, or a year.
select
    longest.span_kind,
    longest.measure,
    longest.record_value,
    longest.span_start_date,
    longest.activity_id,
    activities.name as activity_name,
    activities.sport_group as activity_sport_group
from mart.record_longest as longest
left join mart.fct_activities as activities
    on
        longest.activity_id = activities.activity_id
        and longest.athlete_id = activities.athlete_id
where
    longest.athlete_id = ?
    and longest.sport_group = ?
    and longest.period = ?
order by longest.span_kind, longest.measure
