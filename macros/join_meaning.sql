{#
    Joins the warehouse's code for a partner's code, as `<alias>.code`; null for an
    unmapped code. `code_crosswalk` has to be one of the CTEs.
#}
{% macro join_meaning(alias, domain, relation, column) -%}
left join code_crosswalk as {{ alias }}
        on
            {{ alias }}.domain = '{{ domain }}'
            and {{ relation }}.partner_id = {{ alias }}.partner_id
            and {{ relation }}.{{ column }} = {{ alias }}.source_code
{%- endmacro %}
