-- How many activities have at least one issue of a kind, and how long they lasted together.
-- Parameter: athlete, twice.
select
    found.issue_kind,
    count(*) as activity_count,
    sum(activities.moving_time_s) as moving_time_s
from mart.fct_activities as activities
inner join (
    select distinct
        issues.activity_id,
        issues.issue_kind
    from mart.data_quality_issue as issues
    where issues.athlete_id = ?
) as found on activities.activity_id = found.activity_id
where activities.athlete_id = ?
group by found.issue_kind
order by found.issue_kind
