{#
    dbt writes PostgreSQL functions in SQL only. A function with a loop needs PL/pgSQL:
    this macro selects it for a function whose text starts with `declare` or `begin`,
    after an optional comment.
#}
{% macro postgres__scalar_function_body_sql() %}
    {%- set code = modules.re.sub('--[^\n]*', '', model.compiled_code) | trim -%}
    {%- set is_block = code.startswith('declare') or code.startswith('begin') -%}
    $$
    {{ model.compiled_code }}
    $$ language {{ 'plpgsql' if is_block else 'sql' }}
{% endmacro %}
