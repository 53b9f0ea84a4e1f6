{#
    Schemas are named for their layer, without dbt's usual target prefix, because their
    names are public (marts.*, identity.*, …).

    On the target `prod` a public model is built in next_<schema>, beside what people
    read, and put in place by a publication (docs/publishing.md). On the others every
    model is built where it belongs: a developer on a shared server sets
    OUTCOMES_SCHEMA_PREFIX (for example `ana_`) and has schemas of their own.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema = (custom_schema_name or target.schema) | trim -%}
    {%- set prefix = env_var('OUTCOMES_SCHEMA_PREFIX', '') -%}
    {%- if target.name != 'prod' -%}
        {{ prefix }}{{ schema }}
    {%- elif prefix -%}
        {{ exceptions.raise_compiler_error(
            "OUTCOMES_SCHEMA_PREFIX is for OUTCOMES_TARGET=dev; the target is prod."
        ) }}
    {%- elif node.resource_type == 'model' and node.config.access == 'public' -%}
        next_{{ schema }}
    {%- else -%}
        {{ schema }}
    {%- endif -%}
{%- endmacro %}
