-- Each check that activities do not pass: how many, and the marts whose numbers it touches.
-- Parameter: athlete.
select
    check_name,
    issue_kind,
    touched_marts,
    count(*) as activity_count
from mart.data_quality_issue
where athlete_id = ?
group by check_name, issue_kind, touched_marts
order by activity_count desc, check_name
