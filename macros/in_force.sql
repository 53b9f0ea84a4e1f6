{#
    Whether a policy row applies in a school year. An empty first or last year is no
    bound.
#}
{% macro in_force(rule, school_year) -%}
    {{ school_year }} between coalesce({{ rule }}.first_school_year, 0)
            and coalesce({{ rule }}.last_school_year, 9999)
{%- endmacro %}
