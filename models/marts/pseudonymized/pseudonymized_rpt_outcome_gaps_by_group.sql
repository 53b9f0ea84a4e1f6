with

-- Exact figures are neither coded nor suppressed.
gaps as (

    select
        *,
        false as is_coded,
        false as is_suppressed
    from {{ ref('int_outcome_gaps') }}
    where group_type <> 'all'

)

select {{ described_columns('gaps') }}
from gaps
