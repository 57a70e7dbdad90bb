-- Whose payloads expired since their whole history was asked for, of those who can be asked for. A backfill that is under way goes
-- on as it was asked for: what it leaves out stays removed until it has ended.
select
    expired.athlete_id,
    max(expired.ingested_at) as expired_at,
    coalesce(asked.has_streams = 1 and asked.since is null, 0) as has_streams
from strava_activities as expired
inner join strava_athletes as athletes on expired.athlete_id = athletes.athlete_id
left join backfills as asked on expired.athlete_id = asked.athlete_id
where
    expired.is_deleted = 1
    and expired.source = 'retention'
    and athletes.status in (select value from json_each(:asked_for))
    and (asked.athlete_id is null or asked.finished_at is not null)
    and (asked.since is not null or expired.ingested_at > coalesce(asked.requested_at, ''))
group by expired.athlete_id, asked.has_streams, asked.since;
