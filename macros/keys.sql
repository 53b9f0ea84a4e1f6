{#
    The only definition of the keys of the marts. A student key is a student of a
    district. A person crosses districts and programs and has a person_id (identity).
#}
{% macro student_key(relation) -%}
    {{ relation }}.district_id || ':' || {{ relation }}.district_student_id
{%- endmacro %}

{% macro school_key(relation) -%}
    {{ relation }}.district_id || ':' || {{ relation }}.school_code
{%- endmacro %}

{#
    The hash of a client record's key. It has to equal the indexed expression of
    raw.clients (scripts/outcomes/warehouse/tables.py).
#}
{% macro client_hash(relation) -%}
    hashtextextended(
        {{ relation }}.source_client_id, hashtextextended({{ relation }}.source_id, 0)
    )
{%- endmacro %}
