{#
    A checksum of what shapes the entries of the dictionaries `int_identities` and
    `int_identity_comparisons` beside the records themselves: the functions, the nicknames,
    the placeholders of first names, the comparison levels and the two models. It is part of every identity_id, so that no
    entry made by other definitions is ever used.
#}
{% macro definitions_checksum() -%}
    {%- set parts = [] -%}
    {%- if execute -%}
        {%- do parts.append(match_level.macro.macro_sql) -%}
        {%- for node in graph.nodes.values() | list + graph.functions.values() | list
            if node.resource_type == 'function'
            or node.name in [
                'first_name_nicknames', 'placeholder_first_names', 'int_identities',
                'int_identity_comparisons'
            ] -%}
            {%- do parts.append(node.name ~ node.checksum.checksum) -%}
        {%- endfor -%}
        {{- local_md5(parts | sort | join(' ')) -}}
    {%- endif -%}
{%- endmacro %}
