{#
    The keys of the marts, made in one place. A student key is a student of a district;
    a person crosses districts and programs and has a person_id (identity).
#}
{% macro student_key(relation) -%}
    {{ relation }}.district_id || ':' || {{ relation }}.district_student_id
{%- endmacro %}

{% macro school_key(relation) -%}
    {{ relation }}.district_id || ':' || {{ relation }}.school_code
{%- endmacro %}

{#
    The hash of a client record's key. raw.clients is indexed by it
    (scripts/outcomes/warehouse/tables.py): the expression has to be the same.
#}
{% macro client_hash(relation) -%}
    hashtextextended(
        {{ relation }}.source_client_id, hashtextextended({{ relation }}.source_id, 0)
    )
{%- endmacro %}
