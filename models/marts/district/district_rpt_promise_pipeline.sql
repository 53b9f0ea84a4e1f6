-- The YAML lists the columns. Neither person_id nor human-services data may be among
-- them.
select {{ described_columns('original') }}
from {{ ref('rpt_promise_pipeline') }} as original
inner join {{ ref('int_agreed_purposes') }} as agreed_purposes
    on
        original.district_id = agreed_purposes.partner_id
        and agreed_purposes.purpose = 'audit_and_evaluation'
