{#
    On a Citus cluster, copies a new table to every node if its `meta` says so. Other tables
    that dbt makes stay on the coordinator (docs/distributed.md).
#}
{% macro distribute() -%}
    {%- if model.config.meta.get('distribution') == 'reference'
        and env_var('OUTCOMES_DISTRIBUTED', '') -%}
        select create_reference_table('{{ this }}')
    {%- endif -%}
{%- endmacro %}
