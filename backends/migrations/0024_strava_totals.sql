-- What Strava's own totals of an athlete said when it was last asked.
create table strava_totals (
    athlete_id integer primary key,
    payload text not null,
    observed_at text not null,
    ingested_at text not null
) strict;

create index strava_totals_by_ingested_at on strava_totals (ingested_at);
