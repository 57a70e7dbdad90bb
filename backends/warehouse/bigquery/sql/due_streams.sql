-- Living details without streams, where a rule names the athlete, or with those of another version of the activity: candidates, told
-- by narrow columns alone. What is new is told by its event, for its own date may be any.
select activities.activity_id
from strava_activities as activities
left join strava_streams as streams on activities.activity_id = streams.activity_id
where
    activities.athlete_id = @athlete_id
    and not activities.is_deleted
    and activities.resource_state = 3
    and if(streams.activity_id is null, @is_named, streams.activity_hash != activities.payload_hash)
    and (@changed_since is null or activities.ingested_at > @changed_since)
    and (@since is null or activities.start_date >= @since)
    and activities.activity_id not in (
        select object_id
        from strava_events
        where object_type = 'activity' and aspect_type = 'create' and received_at >= @created_before and object_id is not null
    )
order by activities.start_date desc nulls last, activities.activity_id desc
