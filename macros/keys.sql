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
