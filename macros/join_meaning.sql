{#
    Joins the warehouse's code for a partner's code, as `<alias>.code`; null for an
    unmapped code.
#}
{% macro join_meaning(alias, domain, relation, column) -%}
left join {{ ref('stg_code_crosswalk') }} as {{ alias }}
    on
        {{ alias }}.domain = '{{ domain }}'
        and {{ relation }}.partner_id = {{ alias }}.partner_id
        and {{ relation }}.{{ column }} = {{ alias }}.source_code
{%- endmacro %}
