{% test unique_combination(model, columns, not_null=[], nullable=[]) %}
{#
    Fails for each combination of the columns that has more than one row, and for each row
    without a value in one of them or of `not_null`; columns of the combination that may
    be null are `nullable`. One test serves all, because each costs a session.

    Sorting hashes takes a third of the time of sorting the columns; rows are compared only
    where a hash repeats.
#}
{%- set row_hash = 'hash_record_extended(row(' ~ columns | join(', ') ~ '), 0)' -%}
{%- set required = columns | reject('in', nullable) | list + not_null -%}
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
    count(*) || ' rows' as fault
from {{ model }}
where {{ row_hash }} in (select repeated.row_hash from repeated)
group by {{ columns | join(', ') }}
having count(*) > 1
union all
select
    {{ columns | join(', ') }},
    'a missing value' as fault
from {{ model }}
where {{ required | join(' is null or ') }} is null
{% endtest %}
