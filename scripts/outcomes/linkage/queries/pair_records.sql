-- Both sides of a pair, record by record, and the other records of the student's person.
with persons as (
    select * from identity.int_identity_persons
),

student as (
    select * from persons where student_key = %(student_key)s
),

-- A client who was never compared is its own identity.
client as (
    select coalesce(client_persons.client_person_id, records.identity_id) as client_person_id
    from identity.int_identity_records as records
    left join identity.int_identity_client_persons as client_persons
        on records.identity_id = client_persons.client_identity_id
    where
        %(other_record_type)s = 'client'
        and records.record_type = 'client'
        and records.record_id = %(other_record_key)s
),

client_identities as (
    select 'other' as side, client_person_id as identity_id from client
    union
    select 'other' as side, client_persons.client_identity_id as identity_id
    from client
    inner join identity.int_identity_client_persons as client_persons using (client_person_id)
    union
    select 'linked' as side, client_links.client_identity_id as identity_id
    from identity.int_identity_client_links as client_links
    inner join student using (person_id)
    where
        client_links.decision = 'link'
        and client_links.client_person_id not in (select client_person_id from client)
),

students as (
    select 'student' as side, student_key from student
    union
    select 'other' as side, student_key from persons
    where %(other_record_type)s = 'student' and student_key = %(other_record_key)s
    union
    select 'linked' as side, persons.student_key
    from persons
    inner join student using (person_id)
    where persons.student_key not in (%(student_key)s, %(other_record_key)s)
),

records as (
    select students.side, records.student_key as record, records.*
    from students
    inner join identity.int_identity_records as records using (student_key)
    union all
    select client_identities.side, records.record_id as record, records.*
    from client_identities
    inner join identity.int_identity_records as records using (identity_id)
    where records.record_type = 'client'
)

select
    side,
    record_type,
    record,
    last_name,
    first_name,
    middle_name,
    suffix,
    cast(birth_date as text) as birth_date,
    gender,
    nullif(regexp_replace(ssn, '\D', '', 'g'), '') as ssn,
    street,
    city,
    zip
from records
order by side, record, last_name, first_name
