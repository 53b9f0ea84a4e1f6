select {{ described_columns('gaps') }}
from {{ ref('int_outcome_gaps_released') }} as gaps
where gaps.group_type <> 'all'
