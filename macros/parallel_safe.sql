{#
    dbt does not say that a function may run in parallel workers, and PostgreSQL then runs
    every query that calls it in one. All functions of this project may.
#}
{% macro postgres__scalar_function_volatility_sql() %}
    {{- default__scalar_function_volatility_sql() }} parallel safe
{% endmacro %}
