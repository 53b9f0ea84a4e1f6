{#
    A new table has no statistics, so joins on it would be planned badly. Statistics of
    an incremental table stay good enough until the next full refresh.
#}
{% macro analyze_when_new() -%}
    {%- set materialized = config.get('materialized') -%}
    {%- if materialized == 'table' or (materialized == 'incremental' and not is_incremental()) -%}
    analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
