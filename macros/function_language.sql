{#
    dbt writes functions for PostgreSQL in SQL only. A loop needs PL/pgSQL: a function whose
    text is a block (`declare` or `begin`) is written in it. A comment may stand before it.
#}
{% macro postgres__scalar_function_body_sql() %}
    {%- set code = modules.re.sub('--[^\n]*', '', model.compiled_code) | trim -%}
    {%- set is_block = code.startswith('declare') or code.startswith('begin') -%}
    $$
    {{ model.compiled_code }}
    $$ language {{ 'plpgsql' if is_block else 'sql' }}
{% endmacro %}
