select purged_at
from purges
where purge_id = @purge_id
