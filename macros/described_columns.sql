{#
    The columns in the YAML of this model, from a relation: the YAML decides what a copy
    shows, so a new column of the original stays out of it.
#}
{% macro described_columns(relation) -%}
    {%- for column in model.columns -%}
    {{ relation }}.{{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
