{#
    A new table has no statistics, and joins are planned badly until it has. Those of an
    incremental one stay good enough until the next full pass.
#}
{% macro analyze_when_new() -%}
    {%- set materialized = config.get('materialized') -%}
    {%- if materialized == 'table' or (materialized == 'incremental' and not is_incremental()) -%}
    analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
