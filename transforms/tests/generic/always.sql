{#- Rows of which a condition does not hold, or is not known. -#}
{% test always(model, condition) %}
select *
from {{ model }}
where not coalesce({{ condition }}, false)
{% endtest %}
