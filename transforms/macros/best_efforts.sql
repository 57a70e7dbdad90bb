{#- Strava spelled some distances differently over the years; one name each. Unknown names stay as sent. -#}
{% macro effort_name(sent) -%}
    case lower(trim({{ sent }}))
        {%- for name, spellings in {
            '400m': ['400m', '400 m'],
            '1/2 mile': ['1/2 mile', '0.5 mile'],
            '1K': ['1k', '1 k'],
            '1 mile': ['1 mile', '1 miles'],
            '2 mile': ['2 mile', '2 miles'],
            '5K': ['5k', '5 k'],
            '10K': ['10k', '10 k'],
            '15K': ['15k', '15 k'],
            '10 mile': ['10 mile', '10 miles'],
            '20K': ['20k', '20 k'],
            'Half-Marathon': ['half-marathon', 'half marathon'],
            '30K': ['30k', '30 k'],
            'Marathon': ['marathon'],
            '50K': ['50k', '50 k'],
        }.items() %}
        {%- for spelling in spellings %}
        when '{{ spelling }}' then '{{ name }}'
        {%- endfor %}
        {%- endfor %}
        else nullif(trim({{ sent }}), '')
    end
{%- endmacro %}
