-- Students of whom a record, or a record of a client that is linked to them or waits for review,
-- has the id, a client's with or without its source, or has standardized names that begin with
-- each word.
with found as (
    select records.student_key, records.identity_id
    from identity.int_identity_records as records
    inner join identity.int_identities as identities using (identity_id)
    where
        %(id)s in (
            records.record_id,
            records.student_key,
            substr(records.record_id, strpos(records.record_id, ':') + 1)
        )
        or cardinality(%(words)s::text []) > 0
        and not exists (
            select from unnest(%(words)s::text []) as words (word)
            where (
                starts_with(identities.last_name, words.word)
                or starts_with(identities.last_name_tokens[2], words.word)
                or starts_with(identities.first_name, words.word)
                or starts_with(identities.middle_name, words.word)
            ) is not true
        )
),

students as (
    select found.student_key from found where found.student_key is not null
    union
    select persons.student_key
    from found
    inner join identity.int_identity_client_links as client_links
        on found.identity_id = client_links.client_identity_id
    inner join identity.int_identity_persons as persons using (person_id)
    where found.student_key is null and client_links.decision in ('link', 'review')
)

select
    students.student_key,
    string_agg(
        distinct concat_ws(' ', records.first_name, records.middle_name, records.last_name), ' / '
    ) as names,
    string_agg(distinct cast(records.birth_date as text), ' / ') as birth_dates
from students
inner join identity.int_identity_records as records using (student_key)
group by students.student_key
order by names, students.student_key
limit %(limit)s
