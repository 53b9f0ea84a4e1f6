{#
    Schemas are named for their layer, without dbt's target prefix, because their names
    are public (marts.*, identity.*, …).

    `dev` builds into schemas with OUTCOMES_SCHEMA_PREFIX before their names
    (dev_<login>_ by default). `prod` builds public models in next_<schema>, beside the
    public ones, and publishes them (docs/architecture.md). `in_place` gives the public
    names.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema = (custom_schema_name or target.schema) | trim -%}
    {%- if target.name == 'dev' -%}
        {{ env_var('OUTCOMES_SCHEMA_PREFIX', 'dev_' ~ target.user ~ '_') }}{{ schema }}
    {%- elif target.name == 'prod'
        and node.resource_type == 'model' and node.config.access == 'public' -%}
        next_{{ schema }}
    {%- else -%}
        {{ schema }}
    {%- endif -%}
{%- endmacro %}
