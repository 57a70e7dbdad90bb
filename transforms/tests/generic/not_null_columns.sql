{#- Columns that are null in a row: one scan for all of them, and an error that names them, as dbt tells only how many rows fail. -#}
{% test not_null_columns(model, columns) %}
select *
from (
    select
        array_to_string(
            [
                {%- for column in columns %}
                case when countif({{ column }} is null) > 0 then '{{ column }}' end{{ ',' if not loop.last }}
                {%- endfor %}
            ],
            ', '
        ) as names
    from {{ model }}
) as found
where case coalesce(names, '') when '' then false else error(concat('null in ', names)) end
{% endtest %}
