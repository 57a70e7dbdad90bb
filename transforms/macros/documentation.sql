{#- One row: what this project says of each mart and its columns, as an array of structs of text. -#}
{% macro documented_marts() -%}
    {%- set told = [] -%}
    {%- set marts = graph.get('nodes', {}).values() | selectattr('resource_type', 'equalto', 'model') | selectattr('schema', 'equalto', 'mart') -%}
    {%- for node in marts | sort(attribute='name') -%}
        {%- do told.append({'model': node.name, 'column_name': '', 'position': 0, 'description': node.description}) -%}
        {%- for column in node.columns.values() -%}
            {%- do told.append({
                'model': node.name, 'column_name': column.name, 'position': loop.index, 'description': column.description
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(adapter.dispatch('rows_of_json')(tojson(told), ['model', 'column_name', 'position', 'description'])) }}
{%- endmacro %}

{% macro duckdb__rows_of_json(text, names) -%}
    {%- set element = {} -%}
    {%- for name in names -%}{%- do element.update({name: 'VARCHAR'}) -%}{%- endfor -%}
    select from_json('{{ text | replace("'", "''") }}', '{{ tojson([element]) }}') as rows_told
{%- endmacro %}

{% macro bigquery__rows_of_json(text, names) -%}
    select
        array(
            select as struct
                {%- for name in names %}
                json_value(element, '$.{{ name }}') as {{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            from unnest(json_query_array(parse_json(r'''{{ text }}'''))) as element
        ) as rows_told
{%- endmacro %}
