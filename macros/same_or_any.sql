{#
    Whether two values of a file, such as its source, are the same or one of the files
    stands for all of them.
#}
{% macro same_or_any(one, other) -%}
    coalesce({{ one }} = {{ other }}, true)
{%- endmacro %}
