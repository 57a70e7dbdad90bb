select *
from imports
where
    (@athlete_id is null or athlete_id = @athlete_id)
    and (@fingerprint is null or fingerprint = @fingerprint)
order by started_at desc, import_id desc
