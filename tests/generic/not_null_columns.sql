{% test not_null_columns(model, columns) %}
{#
    Fails on every row that lacks one of the columns. One test for all columns of a model:
    each test is a session and a pass over the table.
#}
select {{ columns | join(', ') }}
from {{ model }}
where {{ columns | join(' is null or ') }} is null
{% endtest %}
