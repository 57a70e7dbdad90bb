(select count(*) from purges) = @receipts
and (select count(*) from strava_athletes where athlete_id in unnest(@athlete_ids)) = @known_athletes
