{#
    The order in which the first version of a service is its newest: rows of
    `int_service_versions`, after the service's key.
#}
{% macro newest_service_version(versions) -%}
    {{ versions }}.updated_at desc,
        {{ versions }}.as_of_date desc,
        {{ versions }}.delivery_number desc,
        {{ versions }}.line_number desc
{%- endmacro %}
