select *
from import_items
where import_id = @import_id
order by item_id
