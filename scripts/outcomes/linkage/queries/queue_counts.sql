with newest as (
    select distinct on (student_key, other_record_type, other_record_key) *
    from linking.decisions
    order by student_key, other_record_type, other_record_key, decision_id desc
)

select
    count(*) as queued,
    count(*) filter (
        where newest.decision is null or newest.decision in ('unsure', 'withdrawn')
    ) as waiting,
    count(*) filter (where newest.decision = 'unsure') as unsure
from identity.match_review_details
left join newest using (student_key, other_record_type, other_record_key)
