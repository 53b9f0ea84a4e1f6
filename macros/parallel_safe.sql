{#
    dbt does not mark functions as parallel safe, and PostgreSQL then runs each query
    with one of them without parallel workers. All functions of this project are safe.
#}
{% macro postgres__scalar_function_volatility_sql() %}
    {{- default__scalar_function_volatility_sql() }} parallel safe
{% endmacro %}
