-- The tables of mart and their columns, with what each is.
select
    model,
    column_name,
    position,
    description
from mart.documentation
order by model, position
