{% test not_null_columns(model, columns) %}
{#
    Fails for each row with a null in one of the columns. One test serves all columns,
    because each test costs a session and a scan of the table.
#}
select {{ columns | join(', ') }}
from {{ model }}
where {{ columns | join(' is null or ') }} is null
{% endtest %}
