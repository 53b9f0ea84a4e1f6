{# The comparisons of two identities, each a column of pairs and scores. #}
{% macro compared_columns() -%}
    {{- return([
        'last_name', 'first_name', 'middle_name', 'suffix', 'birth_date', 'gender', 'ssn',
        'address', 'state_id',
    ]) -}}
{%- endmacro %}
