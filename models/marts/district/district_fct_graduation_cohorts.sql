-- The YAML lists the columns. Neither person_id nor human-services data may be among
-- them.
select {{ described_columns('original') }}
from {{ ref('fct_graduation_cohorts') }} as original
