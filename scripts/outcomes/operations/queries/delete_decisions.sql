delete from linking.decisions
where
    starts_with(student_key, %(id)s || ':')
    or (other_record_type = 'student' and starts_with(other_record_key, %(id)s || ':'))
    or (
        other_record_type = 'client'
        and split_part(other_record_key, ':', 1) in (
            select source_id from raw.clients where partner_id = %(id)s
        )
    )
