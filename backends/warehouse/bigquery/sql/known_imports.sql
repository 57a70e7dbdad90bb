select count(distinct import_id) as imports
from imports
where import_id in unnest(@import_ids)
