{#
    Schemas are named for their layer, without dbt's usual target prefix, because their
    names are public (marts.*, identity.*, …). On a shared server every developer sets
    OUTCOMES_SCHEMA_PREFIX (for example `ana_`) and builds into schemas of their own.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ env_var('OUTCOMES_SCHEMA_PREFIX', '') ~ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
