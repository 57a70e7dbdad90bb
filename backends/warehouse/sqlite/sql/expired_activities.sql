-- Living activities whose content was last seen at Strava before a moment; what an athlete imported stays.
select
    activity_id,
    athlete_id
from strava_activities
where is_deleted = 0 and source != 'archive' and observed_at < :observed_before
order by observed_at, activity_id
limit :how_many;
