select activity_id
from strava_streams
where observed_at < @observed_before and activity_hash != ''
order by observed_at
limit @how_many
