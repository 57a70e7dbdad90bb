-- Without those that expired: Strava is asked for them again.
select count(*) as streams
from strava_activities as activities
inner join strava_streams as streams on activities.activity_id = streams.activity_id
where
    activities.athlete_id = @athlete_id
    and not activities.is_deleted
    and streams.activity_hash != ''
    and (@since is null or activities.start_date >= @since)
