-- Living activities whose content was last seen at Strava before a moment; what an athlete imported stays.
select activity_id
from strava_activities
where not is_deleted and source != 'archive' and observed_at < @observed_before
order by observed_at, activity_id
limit @how_many
