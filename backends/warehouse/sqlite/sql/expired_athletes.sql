-- Whose payloads expired since the list of their whole history was begun, of those who can be asked for; what the athlete's own
-- export tells of needs no list. A backfill of the whole history that is not taken up yet has its list to come; one with a bound is
-- no list of the whole history.
select
    expired.athlete_id,
    max(expired.ingested_at) as expired_at
from strava_activities as expired
inner join strava_athletes as athletes on expired.athlete_id = athletes.athlete_id
left join backfills as asked on expired.athlete_id = asked.athlete_id
where
    expired.is_deleted = 1
    and expired.source = 'retention'
    and not exists (
        select 1
        from archive_activities as archived
        where archived.activity_id = expired.activity_id and archived.is_deleted = 0
    )
    and athletes.status in (select value from json_each(:asked_for))
    and case
        when asked.athlete_id is null or (asked.since is not null and asked.finished_at is not null) then 1
        when coalesce(asked.started_at, asked.listed_at) is null and asked.since is null and asked.finished_at is null then 0
        else expired.ingested_at > coalesce(asked.started_at, asked.requested_at)
    end
group by expired.athlete_id;
