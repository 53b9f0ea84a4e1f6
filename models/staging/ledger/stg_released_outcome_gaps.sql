with

outcome_gaps as (

    select * from {{ source('releases', 'outcome_gaps') }}

)

select * from outcome_gaps
