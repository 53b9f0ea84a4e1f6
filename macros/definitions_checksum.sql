{#
    A checksum of the definitions that shape the entries of the dictionaries
    `int_identities` and `int_identity_comparisons`: functions/linking, nicknames, placeholder
    first names, comparison levels and the two models. It is part of every identity_id, so
    entries of earlier definitions are never used.
#}
{% macro definitions_checksum() -%}
    {%- set parts = [] -%}
    {%- if execute -%}
        {%- do parts.append(match_level.macro.macro_sql) -%}
        {%- for node in graph.nodes.values() | list + graph.functions.values() | list
            if (node.resource_type == 'function' and 'linking' in node.fqn)
            or node.name in [
                'first_name_nicknames', 'placeholder_first_names', 'int_identities',
                'int_identity_comparisons'
            ] -%}
            {%- do parts.append(node.name ~ node.checksum.checksum) -%}
        {%- endfor -%}
        {{- local_md5(parts | sort | join(' ')) -}}
    {%- endif -%}
{%- endmacro %}
